import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { SavedState } from "../../src/action/post-state.ts";
import { CheckServer } from "../github/check-server.ts";
import { type StepOptions, type StepResult, TestRunner } from "./step-runner.ts";

let runner: TestRunner | null = null;
let server: CheckServer | null = null;
afterEach(async () => {
  await runner?.remove();
  await server?.stop();
  runner = null;
  server = null;
});

const HEAD = "a".repeat(40);
const pullRequest = {
  pull_request: { head: { sha: HEAD, repo: { id: 11 } }, base: { repo: { id: 11 } } },
};

/** Runs one step with this plan. */
async function step(plan: string, options: StepOptions = {}): Promise<StepResult> {
  runner = await TestRunner.create({ "plan.yml": plan, "other.yml": `name: other\n${plan}` });
  return runner.run({ ...options, inputs: { plan: "plan.yml", ...options.inputs } });
}

/** The same, with a GitHub that keeps check runs. */
async function withGitHub(
  plan: string,
  prepare: (github: CheckServer) => void = () => undefined,
  options: StepOptions = {},
) {
  const github = await new CheckServer().start();
  server = github;
  prepare(github);
  const result = await step(plan, {
    event: pullRequest,
    ...options,
    inputs: { "github-token": "token", ...options.inputs },
    env: { GITHUB_API_URL: github.url, ...options.env },
  });
  return { result, github };
}

const TWO_STAGES = `stages:
  - { name: preflight, run: echo checked }
  - { name: save, run: "echo saving; exit 3" }
  - { name: cleanup, run: echo wiped }
`;

describe("a run's state", () => {
  const PLAN = `stages:
  - { name: load, run: "echo load >> ran; stagewright emit rows=3" }
  - { name: train, run: 'echo "train $STAGEWRIGHT_OUTPUT_LOAD_ROWS" >> ran; test "$GITHUB_RUN_ATTEMPT" != 1' }
`;
  it("is kept in a file, and the next attempt goes on from it", async () => {
    const inputs = { resume: "true", "state-file": "kept/state.json" };
    const first = await step(PLAN, { inputs });
    expect(first).toMatchObject({ code: 1, stderr: "" });
    expect(first.outputs.get("state-file")).toBe(join(runner?.workspace ?? "", "kept/state.json"));
    const again = { inputs: { plan: "plan.yml", ...inputs }, env: { GITHUB_RUN_ATTEMPT: "2" } };
    const second = await runner?.run(again);
    expect(second).toMatchObject({ code: 0, stderr: "" });
    expect(runner?.file("ran")).toBe("load\ntrain 3\ntrain 3\n");
    expect(second?.log.join("\n")).toMatch(/load skipped: done in the loaded state, 20/);
    const other = await runner?.run({ ...again, inputs: { ...again.inputs, plan: "other.yml" } });
    expect(other?.code).toBe(2);
  });
});

describe("a plan that succeeds", () => {
  it("exits 0 and says so in outputs, results file and summary", async () => {
    const result = await step("name: train\nstages:\n  - { name: preflight, run: echo checked }\n");
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.outputs.get("result")).toBe("success");
    expect(result.outputs.get("failed-stage")).toBe("");
    expect(result.summary).toMatch(/^## ✅ train: succeeded/u);
    expect(JSON.parse(readFileSync(result.outputs.get("results-file") ?? "", "utf8"))).toMatchObject({
      success: true,
      phase_results: [{ phase: "preflight", success: true }],
    });
    expect(result.annotations).toEqual([]);
    expect(result.log).toContain("checked");
  });

  it("hands the plan's params to its commands, and none of the step's own variables", async () => {
    const plan = `params: { epochs: { type: integer, default: 1 } }
stages:
  - { name: show, run: "env | sort > seen" }
`;
    const result = await step(plan, {
      inputs: { params: "epochs=7", "github-token": "s3cret", report: "commands" },
      env: { ACTIONS_RUNTIME_TOKEN: "t0ken", MINE: "yes" },
    });
    expect(result.code).toBe(0);
    const seen = runner?.file("seen") ?? "";
    expect(seen).toContain("STAGEWRIGHT_PARAM_EPOCHS=7");
    expect(seen).toContain("MINE=yes");
    expect(seen).not.toMatch(/^(INPUT_|STATE_|ACTIONS_)|s3cret|t0ken/mu);
  });

  it("runs only what phase control names", async () => {
    const plan =
      "stages:\n  - { name: a, run: touch a }\n  - { name: b, run: touch b }\n  - { name: c, run: touch c }\n";
    const result = await step(plan, { inputs: { "skip-stages": "a", "stop-after-stage": "1" } });
    expect(result.code).toBe(0);
    expect([runner?.file("a"), runner?.file("b"), runner?.file("c")]).toEqual([null, "", null]);
    expect(JSON.parse(readFileSync(result.outputs.get("results-file") ?? "", "utf8"))).toMatchObject({
      stopped_after_phase: "b",
    });
  });
});

describe("a plan that fails", () => {
  it("exits 1 and annotates the plan at the failing stage's line", async () => {
    const result = await step(TWO_STAGES);
    expect(result.code).toBe(1);
    expect(result.outputs.get("result")).toBe("failure");
    expect(result.outputs.get("failed-stage")).toBe("save");
    const [annotation] = result.annotations;
    expect(annotation).toMatchObject({ path: "plan.yml", startLine: 3, level: "failure", title: "save: failed" });
    expect(annotation?.message).toContain("3");
    expect(annotation?.message).toContain("saving");
    expect(result.summary).toMatch(/^## ❌ plan: failed at save/u);
    expect(result.log).toContain("wiped");
  });
});

describe("what commands print", () => {
  it("is never read as a command by the runner, but understood by us", async () => {
    const plan = `stages:
  - name: talk
    run: |
      echo "::add-mask::pa55word"
      echo "::warning file=src/a.ts,line=4,title=slow::took long with pa55word"
      echo "::set-output name=result::forged"
      echo "::save-state name=finished::forged"
      echo "the word is pa55word"
`;
    const result = await step(plan);
    expect(result.code).toBe(0);
    expect(result.masks).toEqual(["pa55word"]);
    expect(result.annotations).toMatchObject([
      { path: "src/a.ts", startLine: 4, level: "warning", title: "slow", message: "took long with ***" },
    ]);
    expect(result.log).toContain("the word is ***");
    expect(result.outputs.get("result")).toBe("success");
    expect(result.raw.split("pa55word")).toHaveLength(2);
    expect(result.summary).not.toContain("pa55word");
  });

  it("shows ten annotations of a level and counts the rest", async () => {
    const plan = `stages:\n  - { name: loud, run: 'for i in $(seq 22); do echo "::warning::w$i"; done' }\n`;
    const result = await step(plan);
    expect(result.annotations).toHaveLength(10);
    expect(result.log).toContain("12 annotations not shown");
    expect(result.summary).toContain("12 annotations not shown");
  });
});

describe("bad input", () => {
  it("ends with exit code 2 and every problem at its place in the plan", async () => {
    const result = await step(
      "stages:\n  - { name: a, run: x, rum: y }\n  - { name: b, run: y, timeout: soon }\n  - { name: a, run: z }\n",
    );
    expect(result.code).toBe(2);
    expect(result.annotations.map(({ path, startLine }) => [path, startLine])).toEqual([
      ["plan.yml", 2],
      ["plan.yml", 3],
      ["plan.yml", 4],
    ]);
    expect(result.outputs.get("result")).toBe("failure");
    expect(result.summary).toContain("plan.yml:3");
    expect(result.raw).not.toMatch(/^\s+at /mu);
  });

  it.each([
    [{ plan: "" }, /plan: expected the path/u],
    [{ plan: "gone.yml" }, /no file "gone\.yml"/u],
    [{ report: "loud" }, /report: expected auto/u],
    [{ "only-stage": "nope" }, /there is no stage "nope"/u],
    [{ params: "unknown=1" }, /unknown/u],
    [{ "agent-count": "4", "agent-index": "1" }, /one of 4 agents of a group.*agent-count: 1/u],
  ])("%j ends with exit code 2 and its reason", async (inputs, reason) => {
    const result = await step("stages:\n  - { name: a, run: 'true' }\n", { inputs });
    expect(result.code).toBe(2);
    expect(result.annotations.map(({ message }) => message).join("\n")).toMatch(reason);
    expect(runner?.file("a")).toBeNull();
  });

  it("refuses a stage that waits for a person before anything runs, unless it is skipped", async () => {
    const plan = "stages:\n  - { name: a, run: touch a }\n  - { name: gate, checkpoint: true, run: 'true' }\n";
    const refused = await step(plan);
    expect(refused.code).toBe(2);
    expect(refused.annotations[0]?.message).toMatch(/stage "gate" waits for a person .*skip-stages/u);
    expect(runner?.file("a")).toBeNull();
    expect((await step(plan, { inputs: { "skip-stages": "gate" } })).code).toBe(0);
  });

  it("refuses a plan for a group before anything runs", async () => {
    const result = await step("agents: 2\nstages:\n  - { name: a, run: touch a }\n");
    expect(result.code).toBe(2);
    expect(result.annotations[0]?.message).toMatch(/one of 2 agents of a group and gets no OIDC token/u);
    expect(runner?.file("a")).toBeNull();
  });
});

describe("a runner that does not say where GitHub is", () => {
  it("is an error in the log, the outputs and the summary, not a trace", async () => {
    const result = await step(TWO_STAGES, { env: { GITHUB_SERVER_URL: "nowhere" } });
    expect(result.code).toBe(1);
    const said = `GITHUB_SERVER_URL: expected GitHub's address, as the runner sets it, got "nowhere"`;
    expect(result.annotations.map(({ message }) => message)).toEqual([said]);
    expect([...result.outputs]).toEqual([
      ["result", "failure"],
      ["message", said],
    ]);
    expect(result.summary).toContain("expected GitHub");
  });
});

describe("a runner without room for temporary files", () => {
  it("is an error that names the directory, in the log, the outputs and the summary", async () => {
    const result = await step(TWO_STAGES, { env: { RUNNER_TEMP: "/missing" } });
    expect(result.code).toBe(1);
    const said = expect.stringMatching(/^RUNNER_TEMP \(\/missing\): .*ENOENT.*; free space there, or/u);
    expect(result.annotations).toEqual([expect.objectContaining({ level: "failure", message: said })]);
    expect([...result.outputs]).toEqual([
      ["result", "failure"],
      ["message", said],
    ]);
    expect(result.summary).toContain("RUNNER\\_TEMP");
    expect(result.raw).not.toContain("    at ");
    expect(result.state.has("run")).toBe(false);
  });

  it("has its result in all other places when the file of results cannot be written", async () => {
    runner = await TestRunner.create({ "plan.yml": "stages: [{ name: a, run: rm -r temporary }]\n" });
    const temporary = join(runner.workspace, "temporary");
    mkdirSync(temporary);
    const result = await runner.run({ inputs: { plan: "plan.yml" }, env: { RUNNER_TEMP: temporary } });
    expect(result.code).toBe(0);
    expect(Object.fromEntries(result.outputs)).toMatchObject({ result: "success", "results-file": "" });
    expect(result.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^results-file: .*ENOENT/u),
    ]);
    expect(result.summary).toContain("plan");
  });

  it("is an error of the post step, too, when there is something to clean up", async () => {
    runner = await TestRunner.create({ "plan.yml": TWO_STAGES });
    const state = new Map<string, string>();
    const key = { token: "", job: { repositoryId: "11", runId: "77", attempt: 1, id: "train" } };
    const saved = new SavedState({ state: (name, value) => void state.set(name, value) }, key);
    const planCopy = join(runner.workspace, "plan.yml");
    saved.run({ planCopy, planFile: "plan.yml", agent: "a", startedAt: 1, collectTo: null }, readFileSync(planCopy));
    const member = { name: "a", index: 0, role: null, roleIndex: 0, address: null };
    saved.group({ skip: [], member, roster: [member], leftOut: false });
    saved.started();
    const result = await runner.run({ inputs: { plan: "plan.yml" }, env: { RUNNER_TEMP: "/missing" }, state });
    expect(result.code).toBe(1);
    expect(result.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/its stages were not run: RUNNER_TEMP \(\/missing\)/u),
    ]);
  });
});

describe("the check run", () => {
  it("is opened on the head commit and concluded with the annotations", async () => {
    const { result, github } = await withGitHub(TWO_STAGES);
    expect(result.code).toBe(1);
    expect(github.checks).toHaveLength(1);
    expect(github.checks[0]).toMatchObject({
      name: "plan / plan (train)",
      head_sha: HEAD,
      external_id: "11/77/1/train/0/plan",
      status: "completed",
      conclusion: "failure",
      annotations: [{ path: "plan.yml", start_line: 3, annotation_level: "failure" }],
    });
    expect(github.checks[0]?.output.summary).toMatch(/^## ❌ plan: failed at save/u);
    expect(result.outputs.get("check-run-url")).toBe("https://github.example/acme/widgets/runs/1");
    // The plan's annotation is in the check run; the step itself says only what came of it.
    expect(result.annotations).toMatchObject([{ level: "failure", path: null }]);
  });

  it("is done without where the token may not: annotations by commands, and no failure for it", async () => {
    const fork = { pull_request: { head: { sha: HEAD, repo: { id: 99 } }, base: { repo: { id: 11 } } } };
    const refuse = (github: CheckServer) => {
      github.faults.push({ method: "POST", status: 403, message: "Resource not accessible by integration" });
    };
    const { result, github } = await withGitHub("stages:\n  - { name: a, run: 'echo ::notice::hello' }\n", refuse, {
      event: fork,
    });
    expect(result.code).toBe(0);
    expect(github.checks).toEqual([]);
    expect(result.annotations).toMatchObject([{ level: "notice", message: "hello" }]);
    expect(result.outputs.get("check-run-url")).toBe("");
    expect(result.log.join("\n")).toContain("a pull request from a fork has a token that can only read");
  });

  it("that was asked for and is refused is a warning", async () => {
    const refuse = (github: CheckServer) => {
      github.faults.push({ method: "POST", status: 403, message: "Resource not accessible by integration" });
    };
    const { result } = await withGitHub("stages:\n  - { name: a, run: 'true' }\n", refuse, {
      inputs: { report: "check" },
    });
    expect(result.code).toBe(0);
    expect(result.annotations).toMatchObject([{ level: "warning", message: expect.stringContaining("checks: write") }]);
  });

  it("survives GitHub's trouble", async () => {
    const trouble = (github: CheckServer) => {
      github.faults.push({ method: "POST", status: 502, after: true }, { method: "PATCH", status: 503 });
    };
    const { result, github } = await withGitHub(TWO_STAGES, trouble);
    expect(result.code).toBe(1);
    expect(github.checks).toHaveLength(1);
    expect(github.checks[0]).toMatchObject({ status: "completed", conclusion: "failure" });
    expect(github.checks[0]?.annotations).toHaveLength(1);
  });

  it("is not asked for with report: commands", async () => {
    const { result, github } = await withGitHub(TWO_STAGES, undefined, { inputs: { report: "commands" } });
    expect(github.requests).toEqual([]);
    expect(result.annotations[0]).toMatchObject({ path: "plan.yml", startLine: 3 });
  });
});

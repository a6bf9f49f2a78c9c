/** What a command of a plan can do to the post step, which holds a token that the command never had. */
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { inputVariable } from "../../src/action/input/io.ts";
import { runPost } from "../../src/action/post.ts";
import { SavedState } from "../../src/action/post-state.ts";
import type { CheckState } from "../../src/action/read-post-state.ts";
import { RunnerConsole, RunnerFiles } from "../../src/action/runner.ts";
import { Masks } from "../../src/agent/masking/masks.ts";
import { SOURCE_ENTRY, TestRunner } from "../action/step-runner.ts";
import { CheckServer } from "../github/check-server.ts";

const TOKEN = "ghs_the-step-alone-has-it";
const JOB = { repositoryId: "11", runId: "77", attempt: 1, id: "train" };

let runner: TestRunner;
// One for all: the action's client reads once where GitHub is.
const github = new CheckServer();
const before = process.env.GITHUB_API_URL;
beforeAll(async () => {
  process.env.GITHUB_API_URL = (await github.start()).url;
});
afterAll(async () => {
  if (before === undefined) delete process.env.GITHUB_API_URL;
  else process.env.GITHUB_API_URL = before;
  await github.stop();
});
afterEach(async () => {
  await runner.remove();
  github.checks.length = 0;
});

async function open(name: string, externalId = "theirs"): Promise<CheckState> {
  const body = JSON.stringify({ name, head_sha: "b".repeat(40), external_id: externalId, status: "in_progress" });
  const answer = await fetch(`${github.url}/repos/acme/widgets/check-runs`, { method: "POST", body });
  const { id } = (await answer.json()) as { id: number };
  return { id: `${id}`, name, externalId, headSha: "b".repeat(40), appId: 7 };
}

/** The post step in this process, with what is said to have been left for it. */
async function post(left: string | ((state: SavedState) => void), token = TOKEN) {
  let value = typeof left === "string" ? left : "";
  const files = {
    state: (_name: string, text: string): void => {
      value = text;
    },
  };
  if (typeof left !== "string") left(new SavedState(files, { token, job: JOB }));
  let said = "";
  const env = {
    GITHUB_REPOSITORY: "acme/widgets",
    GITHUB_REPOSITORY_ID: "11",
    GITHUB_RUN_ID: "77",
    GITHUB_JOB: "train",
    GITHUB_WORKSPACE: runner.workspace,
    RUNNER_TEMP: runner.temporary,
    PATH: process.env.PATH,
    [inputVariable("plan")]: "plan.yml",
    [inputVariable("github-token")]: TOKEN,
    STATE_left: value,
  };
  const shown = (text: string): string => text;
  const write = (text: string): void => {
    said += text;
  };
  const code = await runPost({
    env,
    console: new RunnerConsole(write, shown),
    files: new RunnerFiles({}, () => undefined, shown),
    masks: new Masks(),
    pace: { now: Date.now, sleep: async () => undefined },
    workspace: runner.workspace,
    temporary: runner.temporary,
    commandLine: [process.execPath, "cli"],
    exit: () => {
      throw new Error("not here");
    },
  });
  return { code, said };
}

describe("the post step", () => {
  it("does nothing with a beacon that a command made up", async () => {
    runner = await TestRunner.create();
    const foreign = await open("build");
    const forged = JSON.stringify({ run: { planFile: "x" }, beacon: foreign });
    for (const left of [forged, `.${forged}`, `${"0".repeat(64)}.${forged}`]) {
      expect(await post(left)).toEqual({
        code: 1,
        said: expect.stringMatching(/^::error::.*GITHUB_STATE.* nothing was/u),
      });
    }
    expect(github.checks).toMatchObject([{ status: "in_progress" }]);
  });

  it("does nothing with what was sealed without its token, or for another job", async () => {
    runner = await TestRunner.create();
    const foreign = await open("build");
    const forge = (state: SavedState): void => {
      state.run({ planCopy: "x", planFile: "x", agent: "a", startedAt: 1, collectTo: null }, Buffer.from("x"));
      state.finished("failure");
      state.beacon(foreign);
    };
    expect(await post(forge, "a guess")).toMatchObject({ code: 1 });
    expect(await post(forge, "")).toMatchObject({ code: 1 });
    expect(github.checks).toMatchObject([{ status: "in_progress" }]);
  });

  it.each([
    ["name", { name: "plan / build" }],
    ["external id", { externalId: "11/77/1/train/0/plan" }],
    ["app", { appId: 8 }],
    ["commit", { headSha: "c".repeat(40) }],
  ])("leaves a check run alone whose %s is not that of the one it opened", async (what, other) => {
    runner = await TestRunner.create();
    const foreign = await open("build");
    const { said } = await post((state) => {
      state.run({ planCopy: "x", planFile: "x", agent: "a", startedAt: 1, collectTo: null }, Buffer.from("x"));
      state.beacon({ ...foreign, ...other });
    });
    expect(said).toContain(`is not the one that the step opened (${what} differ): left alone`);
    expect(github.checks).toMatchObject([{ status: "in_progress" }]);
  });

  it("concludes its own, and writes no other result over one that is there", async () => {
    runner = await TestRunner.create();
    const own = await open("leader / plan", "ours");
    const leave = (state: SavedState): void => {
      state.run({ planCopy: "x", planFile: "x", agent: "a", startedAt: 1, collectTo: null }, Buffer.from("x"));
      state.beacon(own);
    };
    expect(await post(leave)).toMatchObject({ code: 0 });
    expect(github.checks).toMatchObject([{ status: "completed", conclusion: "failure" }]);
    const requests = github.requests.length;
    expect(await post(leave)).toMatchObject({ code: 0 });
    expect(github.requests.slice(requests)).toEqual(["GET"]);
  });

  it("does not run a plan that was put in the place of the one that ran", async () => {
    runner = await TestRunner.create({ "copy.yml": "stages: [{ name: cleanup, run: touch forged }]\n" });
    const planCopy = join(runner.workspace, "copy.yml");
    const { code, said } = await post((state) => {
      state.run(
        { planCopy, planFile: "plan.yml", agent: "a", startedAt: 1, collectTo: null },
        Buffer.from("stages: []"),
      );
      const member = { name: "a", index: 0, role: null, roleIndex: 0, address: null };
      state.group({ skip: [], member, roster: [member], leftOut: false });
      state.started();
    });
    expect(code).toBe(1);
    expect(said).toContain("has been changed since: its cleanup stages were not run");
    expect(runner.file("forged")).toBeNull();
  });
});

describe("a step of the plan", () => {
  it("does not name the file of the post step's state to commands", async () => {
    runner = await TestRunner.create({
      "plan.yml":
        "stages: [{ name: forge, run: 'echo \"state: ${GITHUB_STATE-none}\"; test -w $GITHUB_OUTPUT -a -w $GITHUB_ENV' }]\n",
    });
    const result = await runner.run({ inputs: { plan: "plan.yml" } });
    expect(result.code).toBe(0);
    expect(result.log).toContain("state: none");
  });

  it("runs, though an earlier step's GITHUB_ENV says that it is the post step", async () => {
    runner = await TestRunner.create({ "plan.yml": "stages: [{ name: work, run: touch worked }]\n" });
    const state = new Map([
      ["main", "1"],
      ["left", "0.{}"],
    ]);
    const result = await runner.run({ inputs: { plan: "plan.yml" }, state, entry: SOURCE_ENTRY });
    expect(result.outputs.get("result")).toBe("success");
    expect(runner.file("worked")).toBe("");
  });
});

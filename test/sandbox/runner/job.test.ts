import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { directoryWith, run, script, uses } from "./builders.ts";

const ACTION = `
name: probe
inputs:
  plan: { required: true }
  "job index": { default: "\${{ strategy.job-index }}" }
  token: { default: "\${{ github.token }}" }
  empty: { required: false }
runs: { using: node24, main: main.mjs, post: post.mjs, post-if: always() }
`;
const MAIN = `
import { appendFileSync } from "node:fs";
const e = process.env;
appendFileSync(e.GITHUB_OUTPUT, "seen<<X\\n" + JSON.stringify({
  plan: e.INPUT_PLAN, index: e.INPUT_JOB_INDEX, empty: e.INPUT_EMPTY, hasToken: e.INPUT_TOKEN === "ghs_tokenOfTheJob",
  action: e.GITHUB_ACTION, sha: e.GITHUB_SHA, node: process.versions.node.split(".")[0], oidc: e.ACTIONS_ID_TOKEN_REQUEST_URL ?? null,
  secretOfTheMachine: e.STAGEWRIGHT_TEST_SECRET ?? null, os: e.RUNNER_OS, ci: e.CI,
}) + "\\nX\\n");
appendFileSync(e.GITHUB_STATE, "remember=me\\n");
appendFileSync(e.GITHUB_STEP_SUMMARY, "# done\\n");
console.log("token " + e.INPUT_TOKEN);
`;
const POST = `console.log("post remembers " + process.env.STATE_remember + " for " + process.env.INPUT_PLAN);`;

const action = (): Promise<string> => directoryWith({ "action.yml": ACTION, "main.mjs": MAIN, "post.mjs": POST });

describe("an action", () => {
  test("gets its inputs with their defaults, the runner's variables, and nothing of the machine's secrets", async () => {
    process.env.STAGEWRIGHT_TEST_SECRET = "not for steps";
    const directory = await action();
    const { result, told } = await run([uses("octo/probe@v1", { plan: "p.yml" }, { id: "probe" })], {
      services: { resolveAction: async () => directory },
      request: {
        outputs: { seen: "${{ steps.probe.outputs.seen }}" },
        oidc: { url: "http://x/token?a=1", token: "ghs_oidcRequest" },
      },
    });
    delete process.env.STAGEWRIGHT_TEST_SECRET;
    expect(result.conclusion).toBe("success");
    expect(JSON.parse(result.outputs.seen ?? "{}")).toEqual({
      ...{ plan: "p.yml", index: "1", empty: "", hasToken: true, action: "probe", sha: "a".repeat(40), node: "24" },
      ...{ oidc: "http://x/token?a=1", secretOfTheMachine: null, os: "Linux", ci: "true" },
    });
    expect(told.summaries).toEqual(["# done\n"]);
  });

  test("its token is hidden in the log, and its post script finds what main saved", async () => {
    const directory = await action();
    const { told } = await run([uses("octo/probe@v1", { plan: "p.yml" })], {
      services: { resolveAction: async () => directory },
    });
    expect(told.lines).toContain("token ***");
    expect(told.lines).toContain("post remembers me for p.yml");
    expect(told.steps.map((step) => step.name)).toEqual([
      ...["Set up job", "Run octo/probe@v1", "Post Run octo/probe@v1", "Complete job"],
    ]);
  });

  test("an input that it does not know is a warning", async () => {
    const directory = await action();
    const { told } = await run([uses("octo/probe@v1", { plan: "p.yml", paln: "x" })], {
      services: { resolveAction: async () => directory },
    });
    expect(told.annotations.map((one) => one.message)).toEqual([
      expect.stringMatching(/^Unexpected input\(s\) 'paln', valid/),
    ]);
  });

  test("an action that the sandbox does not have fails the job by name", async () => {
    const { result, told } = await run([uses("actions/cache@v4", {})]);
    expect(result.conclusion).toBe("failure");
    expect(told.annotations[0]?.message).toBe("not implemented in the sandbox: uses: actions/cache@v4");
  });
});

describe("steps", () => {
  test("a failure skips what follows but not always() and failure()", async () => {
    const { result, told } = await run([
      script("exit 3", { id: "bad" }),
      script("echo never"),
      script("echo outcome=${{ steps.bad.outcome }}", { if: "failure()" }),
      script("echo last", { if: "${{ always() }}" }),
    ]);
    expect(result.conclusion).toBe("failure");
    expect(told.steps.map((step) => step.conclusion)).toEqual([
      ...["success", "failure", "skipped", "success", "success", "success"],
    ]);
    expect(told.lines).toContain("outcome=failure");
    expect(told.annotations).toEqual([
      expect.objectContaining({ path: ".github", message: "Process completed with exit code 3." }),
    ]);
  });

  test("continue-on-error keeps the job green and the outcome known", async () => {
    const { result, told } = await run([
      script("exit 1", { id: "flaky", continueOnError: "${{ strategy.job-index == 1 }}" }),
      script("echo ${{ steps.flaky.outcome }} ${{ steps.flaky.conclusion }}"),
    ]);
    expect(result.conclusion).toBe("success");
    expect(told.lines).toContain("failure success");
  });

  test("GITHUB_ENV, GITHUB_PATH and outputs reach later steps; GITHUB_ variables cannot be overwritten", async () => {
    const { told } = await run(
      [
        script(
          'echo "A=from file" >> "$GITHUB_ENV"; mkdir -p bin; printf "#!/bin/sh\\necho tool" > bin/tool; chmod +x bin/tool; echo "$PWD/bin" >> "$GITHUB_PATH"',
        ),
        script("echo $A $B $C $GITHUB_SHA; tool", { env: { C: "step ${{ env.B }}", GITHUB_SHA: "forged" } }),
      ],
      { request: { env: [{ B: "job" }] } },
    );
    expect(told.lines).toContain(`from file job step job ${"a".repeat(40)}`);
    expect(told.lines).toContain("tool");
  });

  test("a command file without the form fails its step", async () => {
    const { result, told } = await run([script('echo "no value" >> "$GITHUB_OUTPUT"')]);
    expect(result.conclusion).toBe("failure");
    expect(told.annotations.map((one) => one.message)).toContain("Invalid format 'no value'");
  });

  test("ten annotations of a level are kept from one step", async () => {
    const { told } = await run([
      script('for i in $(seq 25); do echo "::warning file=a.ts,line=$i::w$i"; done; echo "::error::e"'),
    ]);
    expect(told.annotations.map((one) => one.level).sort()).toEqual(["failure", ...Array(10).fill("warning")]);
  });

  test("a secret given by add-mask is hidden from then on, in the summary too", async () => {
    const { told } = await run([
      script('echo "::add-mask::hunter2"; echo "it is hunter2"; echo "# hunter2" >> "$GITHUB_STEP_SUMMARY"'),
    ]);
    expect(told.lines.filter((line) => line.includes("it is"))).toContain("it is ***");
    expect(told.summaries).toEqual(["# ***\n"]);
  });

  test("a step over its time is ended and fails; the job goes on to its always() steps", async () => {
    const { result, told } = await run([
      script("sleep 30", { timeoutMinutes: 0.01 }),
      script("echo after", { if: "always()" }),
    ]);
    expect(result.conclusion).toBe("failure");
    expect(told.annotations.map((one) => one.message)).toContain(
      "The action 'Run sleep 30' has timed out after 0.01 minutes.",
    );
    expect(told.lines).toContain("after");
  });

  test("the event is in GITHUB_EVENT_PATH", async () => {
    const { told } = await run([script('tr -d " \\n" < "$GITHUB_EVENT_PATH"; echo')]);
    expect(told.lines).toContain('{"zen":1}');
  });
});

describe("cancelling", () => {
  test("INT, then TERM, then KILL reach the step's own process; always() steps still run", async () => {
    const cancel = new AbortController();
    const stubborn = "trap 'echo got INT' INT; trap 'echo got TERM' TERM; echo ready; while :; do sleep 0.05; done";
    const started = Date.now();
    const { result, told } = await run(
      [script(stubborn), script("echo never"), script("echo cleanup", { if: "always()" })],
      {
        cancel: cancel.signal,
        onLine: (line) => line === "ready" && cancel.abort(),
      },
    );
    expect(result.conclusion).toBe("cancelled");
    expect(told.lines.filter((line) => /^(got|cleanup|never)/.test(line))).toEqual(["got INT", "got TERM", "cleanup"]);
    expect(told.steps.map((step) => step.conclusion)).toEqual([
      "success",
      "cancelled",
      "skipped",
      "success",
      "success",
    ]);
    expect(Date.now() - started).toBeLessThan(8_000);
  });

  test("a post script runs after a cancellation", async () => {
    const cancel = new AbortController();
    const main = 'console.log("ready"); process.on("SIGINT", () => process.exit(130)); setInterval(() => {}, 1000);';
    const directory = await directoryWith({ "action.yml": ACTION, "main.mjs": main, "post.mjs": POST });
    const { result, told } = await run([uses("octo/probe@v1", { plan: "p.yml" })], {
      services: { resolveAction: async () => directory },
      cancel: cancel.signal,
      onLine: (line) => line === "ready" && cancel.abort(),
    });
    expect(result.conclusion).toBe("cancelled");
    expect(told.lines).toContain("post remembers undefined for p.yml");
  });

  test("what a job leaves running is named, ended and told", async () => {
    const { result, told } = await run([script("sleep 300 >/dev/null 2>&1 & echo pid=$!")]);
    expect(result.orphans).toEqual(["sleep 300"]);
    const pid = Number(told.lines.find((line) => line.startsWith("pid="))?.slice(4));
    await expect
      .poll(() =>
        readFile(`/proc/${pid}/stat`, "utf8").then(
          (text) => / Z /.test(text),
          () => true,
        ),
      )
      .toBe(true);
  });

  test("a job over its time is cancelled with the reason as annotation", async () => {
    const { result, told } = await run([script("sleep 30")], { request: { timeoutMinutes: 0.01 } });
    expect(result.conclusion).toBe("cancelled");
    expect(told.annotations[0]?.message).toMatch(/exceeded the maximum execution time/);
  });
});

import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { CheckServer } from "../github/check-server.ts";
import { TestRunner } from "./step-runner.ts";

let runner: TestRunner | null = null;
let server: CheckServer | null = null;
afterEach(async () => {
  await runner?.remove();
  await server?.stop();
  runner = null;
  server = null;
});

/** Starts grandchildren, ignores the first signals, and leaves their ids in `pids`. */
const PLAN = `stages:
  - name: work
    run: |
      trap '' INT TERM
      sh -c 'echo $$ >> pids; sleep 300' &
      (sh -c 'echo $$ >> pids; sleep 300' &)
      echo $$ >> pids
      echo "$STAGEWRIGHT_AGENT_INDEX" > index
      echo started
      sleep 300
      sleep 300
  - { name: after, run: touch after }
  - { name: cleanup, run: "echo wiped > wiped; echo \\"$STAGEWRIGHT_AGENT_INDEX\\" >> index" }
  - { name: keep, when: always, run: touch kept }
`;

/** Runs still: one that is dead and only waits to be collected by its parent does not. */
function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX] /su.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

async function interrupted(
  signal: NodeJS.Signals,
  env: Record<string, string> = {},
  inputs: Record<string, string> = {},
) {
  runner = await TestRunner.create({ "plan.yml": PLAN });
  const step = await runner.start({ inputs: { plan: "plan.yml", ...inputs }, env });
  await step.seen("started");
  const at = performance.now();
  step.child.kill(signal);
  const result = await step.ended;
  return { result, runner, took: performance.now() - at };
}

describe("an interruption", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "by %s ends every process before any grace of half a minute is over, with exit code %i",
    async (signal, code) => {
      const { result, runner, took } = await interrupted(signal);
      expect(result.code).toBe(code);
      expect(took).toBeLessThan(20_000);
      const pids = (runner.file("pids") ?? "").trim().split("\n").map(Number);
      expect(pids).toHaveLength(3);
      await expect.poll(() => pids.filter(alive)).toEqual([]);
      expect(result.outputs.get("result")).toBe("cancelled");
      expect(result.summary).toMatch(/^## ⛔ plan: cancelled/u);
      expect([runner.file("after"), runner.file("wiped")]).toEqual([null, null]);
    },
  );

  it("is cleaned up by the post step", async () => {
    // A job of a matrix that runs the plan on its own is the first of its group, wherever it stands in the matrix.
    const inputs = { plan: "plan.yml", "skip-stages": "keep", "agent-index": "2", "agent-count": "1" };
    const { result, runner } = await interrupted("SIGINT", {}, inputs);
    const post = await runner.run({ inputs, state: result.state });
    expect(post.code).toBe(0);
    expect(runner.file("wiped")).toBe("wiped\n");
    expect([runner.file("after"), runner.file("kept")]).toEqual([null, null]);
    expect(runner.file("index")).toBe("0\n0\n");
    expect(post.summary).toContain("cleanup");
  });

  it("leaves no check run open", async () => {
    server = await new CheckServer().start();
    await interrupted("SIGTERM", { GITHUB_API_URL: server.url }, { "github-token": "t" });
    expect(server.checks).toMatchObject([{ status: "completed", conclusion: "cancelled" }]);
  });

  it("that leaves no time for the check run is made good by the post step", async () => {
    server = await new CheckServer().start();
    const github = server;
    runner = await TestRunner.create({ "plan.yml": PLAN });
    const given = { inputs: { plan: "plan.yml", "github-token": "t" }, env: { GITHUB_API_URL: github.url } };
    const step = await runner.start(given);
    await step.seen("started");
    await expect.poll(() => github.checks.length).toBe(1);
    await sleep(200);
    // As when the runner loses patience.
    step.child.kill("SIGKILL");
    const killed = await step.ended;
    expect(killed.signal).toBe("SIGKILL");
    expect(github.checks).toMatchObject([{ status: "in_progress" }]);
    const post = await runner.run({ ...given, state: killed.state });
    expect(post.code).toBe(0);
    expect(github.checks).toMatchObject([{ status: "completed", conclusion: "cancelled" }]);
    expect(runner.file("wiped")).toBe("wiped\n");
    const pids = (runner.file("pids") ?? "").trim().split("\n").map(Number);
    await expect.poll(() => pids.filter(alive), { timeout: 10_000 }).toEqual([]);
  });
});

describe("the post step", () => {
  it("does nothing after a run that ended by itself", async () => {
    runner = await TestRunner.create({ "plan.yml": "stages:\n  - { name: cleanup, run: echo x >> wiped }\n" });
    const main = await runner.run({ inputs: { plan: "plan.yml" } });
    expect(main.code).toBe(0);
    const post = await runner.run({ inputs: { plan: "plan.yml" }, state: main.state });
    expect(post).toMatchObject({ code: 0, summary: "", raw: "" });
    expect(runner.file("wiped")).toBe("x\n");
  });

  it("does nothing after bad input", async () => {
    runner = await TestRunner.create({});
    const main = await runner.run({ inputs: { plan: "gone.yml" } });
    expect(main.code).toBe(2);
    expect(await runner.run({ inputs: { plan: "gone.yml" }, state: main.state })).toMatchObject({ code: 0, raw: "" });
  });

  it("runs the plan as it was, though its file has changed since", async () => {
    const { result, runner } = await interrupted("SIGINT");
    await writeFile(`${runner.workspace}/plan.yml`, "not: [a plan");
    const post = await runner.run({ inputs: { plan: "plan.yml" }, state: result.state });
    expect(post.code).toBe(0);
    expect(runner.file("wiped")).toBe("wiped\n");
  });

  it("fails when a cleanup stage fails, naming it", async () => {
    const { result, runner } = await interrupted("SIGINT");
    await mkdir(`${runner.workspace}/wiped`);
    const post = await runner.run({ inputs: { plan: "plan.yml" }, state: result.state });
    expect(post.code).toBe(1);
    expect(post.annotations).toMatchObject([
      { level: "failure", message: expect.stringContaining("cleanup failed: exit code 1") },
    ]);
  });
});

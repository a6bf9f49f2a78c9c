import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { NOBODY, rootPrefix } from "../agent/unendable.ts";
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
    collect: [index]
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
  - { name: cleanup, run: "echo wiped > wiped; echo \\"$STAGEWRIGHT_AGENT_INDEX\\" >> index", collect: [wiped] }
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

  it("has its report written before anything is waited for, whatever becomes of the step then", async () => {
    const plan = PLAN.replace("stages:", "stages:\n  - { name: before, run: 'echo ::warning::careful' }");
    runner = await TestRunner.create({ "plan.yml": plan });
    const step = await runner.start({ inputs: { plan: "plan.yml" } });
    await step.seen("started");
    step.child.kill("SIGINT");
    await step.seen("what is known is written");
    // Its commands ignore TERM: they are still being ended.
    step.child.kill("SIGKILL");
    const result = await step.ended;
    expect(result.signal).toBe("SIGKILL");
    expect(Object.fromEntries(result.outputs)).toMatchObject({ result: "cancelled", message: "cancelled (SIGINT)" });
    const results = JSON.parse(readFileSync(result.outputs.get("results-file") ?? "", "utf8"));
    expect(results).toMatchObject({ verdict: "cancelled", phase_results: [{ phase: "before", success: true }] });
    expect(result.summary).toMatch(/^## ⛔ plan: cancelled/u);
    expect(result.annotations).toMatchObject([{ level: "warning", message: "careful" }]);
    const pids = (runner.file("pids") ?? "").trim().split("\n").map(Number);
    await expect.poll(() => pids.filter(alive), { timeout: 10_000 }).toEqual([]);
  });

  it("tells each thing once: what is learnt later takes the place of what was known, or is added", async () => {
    const { result } = await interrupted("SIGINT");
    expect(result.summary.match(/^## /gmu)).toHaveLength(1);
    expect(result.summary).toContain("work");
    expect(new Set(result.annotations.map(({ message }) => message)).size).toBe(result.annotations.length);
    expect(result.annotations).toMatchObject([{ path: "plan.yml", title: "work: cancelled" }]);
  });

  it("ends by itself though GitHub never answers and a process cannot be ended", async () => {
    server = await new CheckServer().start();
    server.hangs = "after";
    const root = rootPrefix();
    runner = await TestRunner.create({
      "plan.yml": `stages: [{ name: work, run: "echo $$ > pid; echo started; trap '' TERM; ${root === null ? "sleep 5; sleep 300" : `exec ${root.prefix} sleep 300`}" }]`,
    });
    try {
      const user = root === null ? {} : { user: NOBODY };
      const given = {
        inputs: { plan: "plan.yml", "github-token": "t" },
        env: { GITHUB_API_URL: server.url },
        ...user,
      };
      const step = await runner.start(given);
      await step.seen("started");
      const { checks } = server;
      await expect.poll(() => checks.length, { timeout: 20_000 }).toBe(1);
      step.child.kill("SIGTERM");
      const result = await step.ended;
      expect({ code: result.code, signal: result.signal }).toEqual({ code: 143, signal: null });
      expect(result.outputs.get("result")).toBe("cancelled");
      expect(result.summary).toMatch(/^## ⛔ plan: cancelled/u);
      // Its post step finds what was opened all the same.
      expect(server.checks).toMatchObject([{ status: "in_progress" }]);
      server.hangs = false;
      expect(await runner.run({ ...given, state: result.state })).toMatchObject({ code: 0 });
      expect(server.checks).toMatchObject([{ status: "completed", conclusion: "cancelled" }]);
    } finally {
      const pid = Number(runner.file("pid"));
      if (pid > 0 && alive(pid)) process.kill(pid, "SIGKILL");
      root?.remove();
    }
  });

  it("is told once, and cleaned up by the post step", async () => {
    // A job of a matrix that runs the plan on its own is the first of its group, wherever it stands in the matrix.
    const inputs = { plan: "plan.yml", "skip-stages": "keep", "agent-index": "2", "agent-count": "1" };
    const { result, runner } = await interrupted("SIGINT", {}, inputs);
    // What was learnt later has taken the place of what was known, or was added.
    expect(result.summary.match(/^## /gmu)).toHaveLength(1);
    expect(result.summary).toContain("work");
    expect(result.annotations).toMatchObject([{ path: "plan.yml", title: "work: cancelled" }]);
    const kept = result.outputs.get("collected") ?? "";
    expect(readFileSync(join(kept, "train-2/work/index"), "utf8")).toBe("0\n");
    const { collected } = JSON.parse(readFileSync(result.outputs.get("results-file") ?? "", "utf8"));
    expect(collected).toMatchObject([{ agent: "train-2", phase: "work", files: [{ path: "index", bytes: 2 }] }]);
    const post = await runner.run({ inputs, state: result.state });
    expect(post.code).toBe(0);
    expect(readFileSync(join(kept, "train-2/cleanup/wiped"), "utf8")).toBe("wiped\n");
    expect(post.log.join("\n")).toContain(`the files that stages kept are in ${kept}`);
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

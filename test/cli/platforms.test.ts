import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestRunner } from "../action/step-runner.ts";
import { Bench } from "./cli.ts";

const ON_WINDOWS = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent('Object.defineProperty(process, "platform", { value: "win32" })')}`,
};
const PLAN = "stages: [{ name: work, run: 'echo x > ran; sleep 1010 & echo $! > left' }]\n";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.file("plan.yml", PLAN);
});
afterEach(() => bench.dispose());

describe("on Windows", () => {
  it.each([
    ["run", ["run", "plan.yml"]],
    ["agent", ["agent", "--coordinator", "http://127.0.0.1:1", "--run", "x", "--agent-name", "a"]],
  ])("%s is refused before anything is tried", async (_, args) => {
    const { code, stderr } = await bench.run(args, ON_WINDOWS);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("which Windows does not have") });
    expect(existsSync(`${bench.directory}/ran`)).toBe(false);
  });

  it("the action is refused before anything is tried, in the log, the outputs and the summary", async () => {
    const runner = await TestRunner.create({ "plan.yml": PLAN });
    const result = await runner.run({ inputs: { plan: "plan.yml" }, env: ON_WINDOWS });
    expect(result.code).toBe(2);
    expect(result.annotations).toMatchObject([{ message: expect.stringContaining("which Windows does not have") }]);
    expect(result.outputs.get("result")).toBe("failure");
    expect(result.summary).toContain("Windows");
    expect(runner.file("ran")).toBeNull();
    await runner.remove();
  });
});

const HIDDEN = "mount -t tmpfs none /proc";
/** Needs to be root in a mount namespace of one's own. */
const canHide = spawnSync("unshare", ["-m", "sh", "-c", HIDDEN]).status === 0;

it.runIf(canHide)("without /proc a command's background children end with it, and what does not is said", async () => {
  const before = `exec unshare -m bash -c '${HIDDEN}; exec "$@"' bash "$@"`;
  const { outcome } = bench.start(["run", "plan.yml"], {}, { before });
  const { code, stderr } = await outcome;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr.match(/\/proc does not show .* outlives the run/gu)).toHaveLength(1);
  const state = (): string => {
    try {
      return /^State:\s+(\S)/mu.exec(readFileSync(`/proc/${Number(bench.read("left"))}/status`, "utf8"))?.[1] ?? "";
    } catch {
      return "gone";
    }
  };
  await expect.poll(state, { timeout: 20_000 }).toMatch(/^(?:gone|Z)$/u);
});

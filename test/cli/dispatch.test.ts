/** The example of work that is dispatched in five phases: as it is, killed at each of them, and with bad validators. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, type Outcome } from "./cli.ts";

const ROOT = join(import.meta.dirname, "../..");
const EXAMPLE = readFileSync(join(ROOT, "examples/dispatch.yml"), "utf8");

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  bench.dispose();
});

/** Where the example's commands find what they need; `plan`: a file of the bench, else the example itself. */
function dispatch(args: readonly string[], plan?: string): Promise<Outcome> {
  const file = plan === undefined ? "examples/dispatch.yml" : join(bench.directory, plan);
  const words = ["run", file, "-f", "examples/dispatch-input.json", ...args];
  return bench.start(words, {}, { before: `cd ${ROOT}` }).outcome;
}

describe("work that is dispatched in five phases", () => {
  it("repeats what the quorum sends back with what was wanting, and gives each task the context that it requires", async () => {
    const { code, stdout, stderr } = await dispatch([]);
    const { phase_results } = JSON.parse(stdout);
    const [context, validate, , , execute] = phase_results;
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(phase_results.map((phase: { success: boolean }) => phase.success)).toEqual([true, true, true, true, true]);
    expect(validate.earlier_rounds.map((round: { quorum: object }) => round.quorum)).toEqual([
      expect.objectContaining({
        decision: "RETRY",
        deficiencies: [{ validator: "coverage", deficiency: { missing: "tests" } }],
      }),
    ]);
    expect(validate.quorum).toMatchObject({ decision: "PASS", deficiencies: [] });
    expect(Object.keys(context.output_data)).toEqual(["files", "tests"]);
    expect(stderr).toContain("round 2: found wanting before: tests");
    const told = execute.task_records.map((task: { output_data: { result: string } }) => task.output_data.result);
    expect(told).toEqual([
      expect.stringMatching(/^reader: list what can be tried, knowing \d+ files$/),
      expect.stringMatching(/^tester: say how it is tested, knowing 5 tests$/),
      expect.stringMatching(/^writer: write the description, knowing \d+ files and 5 tests$/),
    ]);
    // The input is gone with the run.
    expect(readdirSync(bench.directory).filter((name) => name.startsWith("stagewright-input-"))).toEqual([]);
  });

  it("goes on where it was killed, whichever phase that was, and repeats none that was done", async () => {
    // Each command notes its phase, and kills the run once where it is told to.
    const hook = (script: string): string =>
      `echo ${script} >> ${bench.directory}/ran; if grep -qx ${script} ${bench.directory}/kill; then : > ${bench.directory}/kill; kill -9 $PPID; sleep 9; fi; node`;
    const plan = EXAMPLE.replace(
      /node (examples\/dispatch\/(\w+)\.mjs)/gu,
      (_, file, name) => `'${hook(name)} ${file}'`,
    );
    bench.file("plan.yml", plan);
    const state = join(bench.directory, "F");
    const lives: (readonly string[])[] = [];
    for (const killed of ["gather", "coverage", "plan", "filter", "work", "nothing"]) {
      bench.file("kill", `${killed}\n`);
      bench.file("ran", "");
      const load = existsSync(state) ? ["--load-state", state] : [];
      const { code, signal, stderr } = await dispatch(["--save-state", state, ...load], "plan.yml");
      const expected = killed === "nothing" ? { code: 0, signal: null } : { code: null, signal: "SIGKILL" };
      expect({ code, signal, stderr }).toMatchObject(expected);
      lives.push([...new Set(bench.read("ran").trim().split("\n"))].filter((name) => name !== "size"));
    }
    expect(lives).toEqual([
      ["gather"],
      ["gather", "coverage"],
      // The quorum sends back what was done: that runs again, and it votes again.
      ["coverage", "gather", "plan"],
      ["plan", "filter"],
      ["filter", "work"],
      ["work"],
    ]);
  });

  it("fails when validators crash, print something else, or print 10 MB: none of them passes", async () => {
    const validators = `
      - { name: crashes, run: "kill -SEGV $$" }
      - { name: fails, run: 'echo "{\\"decision\\":\\"PASS\\"}"; exit 3' }
      - { name: chatters, run: "echo certainly, PASS" }
      - { name: floods, run: "head -c 10000000 /dev/zero | tr '\\\\0' x" }
`;
    const plan = EXAMPLE.replace(/\n {6}- \{ name: coverage.*\n.*\n/u, validators);
    bench.file("plan.yml", plan);
    const { code, stdout } = await dispatch([], "plan.yml");
    const { verdict, failed_stage, phase_results } = JSON.parse(stdout);
    const [, validate, ...rest] = phase_results;
    const voted = validate.quorum.votes.map((vote: { validator: string; decision: string }) => [
      vote.validator,
      vote.decision,
    ]);
    expect({ code, verdict, failed_stage, voted }).toEqual({
      code: 1,
      verdict: "failure",
      failed_stage: "validate",
      voted: ["crashes", "fails", "chatters", "floods"].map((name) => [name, "FAIL"]),
    });
    expect(stdout.length).toBeLessThan(1_000_000);
    expect(rest.every(({ skipped }: { skipped: boolean }) => skipped)).toBe(true);
  });
});

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "../../src/cli/exit.ts";
import { loadState, type StateOptions, stateFiles } from "../../src/cli/run/state.ts";
import { plan } from "../run/builders.ts";
import { Bench } from "./cli.ts";
import { killAgainAndAgain } from "./killed-runs.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  expect(bench.processes()).toEqual([]);
  bench.dispose();
});

/** What ran, and what was there to be seen of it. */
const PLAN = `name: dispatch
stages:
  - { name: context, run: 'echo context >> ran; stagewright emit facts=7' }
  - { name: check, depends_on: [context], run: 'echo "check $STAGEWRIGHT_OUTPUT_CONTEXT_FACTS" >> ran; test ! -e broken' }
  - { name: plan, run: 'echo "plan $STAGEWRIGHT_OUTPUT_CONTEXT_FACTS" >> ran; stagewright emit tasks=2' }
  - { name: work, depends_on: [plan], run: 'echo "work $STAGEWRIGHT_OUTPUT_PLAN_TASKS" >> ran' }
  - { name: cleanup, run: 'echo cleanup >> ran' }
`;

function ran(): readonly string[] {
  const text = readdirSync(bench.directory).includes("ran") ? bench.read("ran") : "";
  writeFileSync(join(bench.directory, "ran"), "");
  return text.split("\n").slice(0, -1);
}

const finished = (file: string): readonly string[] => JSON.parse(bench.read(file)).phases_executed;

describe("a saved state", () => {
  it("is gone on from: what is done is not run again, and its outputs are there", async () => {
    bench.file("plan.yml", PLAN);
    bench.file("broken", "");
    const first = await bench.run(["run", "plan.yml", "--save-phase-state", "F"]);
    expect({ code: first.code, ran: ran() }).toEqual({ code: 1, ran: ["context", "check 7", "cleanup"] });
    expect(finished("F")).toEqual(["context"]);

    const dry = await bench.run(["run", "plan.yml", "--load-state", "F", "--dry-run"]);
    expect(dry.stdout).toMatch(/0 - context: skipped, done in the loaded state, 20\d\d-/);
    bench.file("plan.yml", PLAN.replace("test ! -e broken", "true"));
    const other = await bench.run(["run", "plan.yml", "--load-state", "F"]);
    expect({ code: other.code, ran: ran() }).toEqual({ code: 2, ran: [] });
    expect(other.stderr).toBe(
      "F: is the state of another plan (here: the plan given, there: the state's): stages.check.command differs\n",
    );

    bench.file("plan.yml", `${PLAN}# another comment\n`);
    const alone = ["--only-stage", "3"];
    const missing = await bench.run(["run", "plan.yml", "--load-phase-state", "F", ...alone]);
    expect({ code: missing.code, stderr: missing.stderr }).toEqual({
      code: 2,
      stderr: 'stage "work" needs the result of "plan" (number 2), which would not run\n',
    });
    const skipped = await bench.run([
      "run",
      "plan.yml",
      "--load-state",
      "F",
      "--skip-phases",
      "0,1",
      "--save-state",
      "G",
    ]);
    expect({ code: skipped.code, ran: ran() }).toEqual({ code: 0, ran: ["plan 7", "work 2", "cleanup"] });
    expect(finished("G")).toEqual(["context", "plan", "work", "cleanup"]);
    const again = await bench.run(["run", "plan.yml", "--load-state", "G", ...alone]);
    expect({ code: again.code, ran: ran() }).toEqual({ code: 0, ran: ["work 2"] });
  });

  it("is kept for the next run of a session", async () => {
    bench.file("plan.yml", PLAN);
    const session = ["run", "plan.yml", "--resume-session"];
    bench.file("broken", "");
    const first = await bench.run(session);
    expect(first.stderr).toContain("there is no state in .stagewright/dispatch.state.json: the run begins anew\n");
    expect(ran()).toHaveLength(3);
    bench.file("plan.yml", PLAN);
    const second = await bench.run([...session, "--stop-after-stage", "0"]);
    expect({ code: second.code, ran: ran() }).toEqual({ code: 0, ran: [] });
    expect(second.stderr).toContain("- context skipped: done in the loaded state");
  });

  it.each([1, 2])(
    "is whole whenever its run is killed, and finished stages are not repeated: %i agents",
    async (agents) => {
      // In the middle of a stage, and at the end of another.
      const after = [2, 1];
      const moment = async (kills: number, now: () => readonly string[]): Promise<void> => {
        while (new Set(now()).size < (after[kills] ?? 0)) await sleep(5);
      };
      expect(await killAgainAndAgain(bench, { agents, kills: after.length, moment })).toEqual([]);
      expect(readdirSync(bench.directory).filter((name) => name.endsWith(".new"))).toEqual([]);
    },
  );
});

describe("what is asked for of states", () => {
  const of = plan([{ name: "a" }], { name: "a b/c" });
  const files = (options: StateOptions) => stateFiles(of, "plan.yml", options);

  it.each<[string, StateOptions, RegExp]>([
    [
      "two spellings of one",
      { saveState: "F", savePhaseState: "G" },
      /^--save-state and --save-phase-state are the same/,
    ],
    ["two spellings of the other", { loadState: "F", loadPhaseState: "F" }, /^--load-state and --load-phase-state/],
    ["two states", { resumeSession: true, loadPhaseState: "F" }, /^--resume-session and --load-phase-state contradict/],
    ["the plan", { saveState: "./plan.yml" }, /^--save-state .\/plan.yml: is the plan/],
    ["the result", { saveState: "o", outputFile: "./o" }, /^--save-state o: is --output-file/],
    ["a directory", { saveState: "/tmp" }, /^--save-state \/tmp: is not a file/],
    ["a device", { saveState: "/dev/null" }, /^--save-state \/dev\/null: is not a file/],
    ["no directory", { saveState: "/nowhere/F" }, /^--save-state \/nowhere\/F: its directory is not there/],
  ])("refuses %s", (_, options, expected) => {
    expect(() => files(options)).toThrow(expected);
  });

  it("goes on from a session that is there, and begins one that is not", () => {
    const session = ".stagewright/a_b_c.state.json";
    expect(files({ resumeSession: true })).toEqual({
      load: null,
      save: session,
      anew: `there is no state in ${session}: the run begins anew`,
    });
    const file = join(bench.directory, "F");
    writeFileSync(file, "");
    expect(files({ resumeSession: true, saveState: file })).toEqual({ load: file, save: file, anew: null });
    expect(files({})).toEqual({ load: null, save: null, anew: null });
    expect(files({ loadState: "F", saveState: file })).toEqual({ load: "F", save: file, anew: null });
  });

  it("ends for any bytes with a line that says where", () => {
    const file = join(bench.directory, "F");
    mkdirSync(join(bench.directory, "D"));
    expect(() => loadState(join(bench.directory, "D"), of, 1)).toThrow(/is a directory/);
    expect(() => loadState(join(bench.directory, "absent"), of, 1)).toThrow(/there is no such file/);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        writeFileSync(file, bytes);
        try {
          loadState(file, of, 1);
          return false;
        } catch (error) {
          return error instanceof UsageError && error.lines.every((line) => line.startsWith(`${file}:`));
        }
      }),
      { numRuns: 50 },
    );
  });
});

import { describe, expect, it } from "vitest";
import { readCommands } from "../../src/lifecycle/commands.ts";
import { readRunButton, runButtons } from "../../src/lifecycle/presentation/run-buttons.ts";
import { readRunArgument, runsNamed, shortestName } from "../../src/lifecycle/run-commands.ts";

describe("a command about a run", () => {
  it("is read with its reason, and is none that a policy waits for", () => {
    expect(readCommands("/stage continue looks right\n/stop").commands).toEqual([
      { kind: "run", name: "continue", argument: "looks right" },
      { kind: "policy", name: "stop", argument: "" },
    ]);
  });

  it.each([
    ["", { run: null, reason: null }],
    ["looks right", { run: null, reason: "looks right" }],
    ["--run train", { run: "train", reason: null }],
    ["—run train looks right", { run: "train", reason: "looks right" }],
    ["--RUN=train looks right", { run: "train", reason: "looks right" }],
  ])("%j says which run is meant, and why", (argument, read) => {
    expect(readRunArgument(argument)).toEqual(read);
  });

  it.each(["--run", "--run=", "--group train"])("%j cannot be read, and says why", (argument) => {
    expect(readRunArgument(argument)).toEqual({ problem: expect.stringContaining("--run") });
  });

  it("names a run by what it alone is called", () => {
    const runs = [
      { id: "aaa", plan: "bench", group: "train" },
      { id: "bbb", plan: "bench", group: "eval" },
      { id: "ccc", plan: "other one", group: "eval" },
      { id: "ddd", plan: "other one", group: "eval" },
    ];
    expect(runs.map((run) => shortestName(run, runs))).toEqual(["train", "bench/eval", "ccc", "ddd"]);
    for (const run of runs) expect(runsNamed(runs, shortestName(run, runs))).toEqual([run]);
  });
});

describe("a button of a run that waits", () => {
  it("fits GitHub's limits whatever stage and round it is of, and is read back", () => {
    const of = { stage: 99_999, round: 99_999 };
    for (const { label, description, identifier } of runButtons(of)) {
      expect([label.length <= 20, description.length <= 40, identifier.length <= 20]).toEqual([true, true, true]);
      expect(readRunButton(identifier)).toMatchObject(of);
    }
  });

  it.each(["hold", "continue", "continue:1", "continue:x:1", "stop:1:1:1", ""])("is not %j", (identifier) => {
    expect(readRunButton(identifier)).toBeNull();
  });
});

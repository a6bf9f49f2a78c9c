import { describe, expect, it } from "vitest";
import type { Plan } from "../../../src/plan/plan.ts";
import { begin, summary } from "../../../src/run/machine.ts";
import type { Carried } from "../../../src/run/resume/carried.ts";
import { reusedStages } from "../../../src/run/resume/resumption.ts";
import type { Selection } from "../../../src/run/types.ts";
import { created, Group, joined, machineOf, needs, plan, type StageOverrides } from "../builders.ts";

const ALL: Selection = { only: null, skip: [], stopAfter: null };
const STAGES: readonly StageOverrides[] = [
  { name: "preflight", type: "validation" },
  { name: "prepare", type: "prepare" },
  { name: "watch", background: { ready: null, until: "epoch-2" } },
  { name: "serve", background: { ready: null, until: "epoch-1" } },
  { name: "epoch-1" },
  { name: "epoch-2" },
  { name: "cleanup", type: "cleanup", when: "always" },
];

/** The names of those that run, of those selected. */
function runs(
  finished: readonly string[],
  {
    keeps = false,
    selection = {},
    stages = STAGES,
  }: {
    readonly keeps?: boolean;
    readonly selection?: Partial<Selection>;
    readonly stages?: readonly StageOverrides[];
  } = {},
): readonly string[] {
  const of = plan(stages);
  const chosen = { ...ALL, ...selection };
  const reused = reusedStages(of, chosen, new Set(finished), keeps);
  const isChosen = (index: number): boolean =>
    chosen.only === null
      ? !chosen.skip.includes(index) && (chosen.stopAfter === null || index <= chosen.stopAfter)
      : chosen.only.includes(index);
  return of.stages.filter(({ index }) => isChosen(index) && !reused.includes(index)).map(({ name }) => name);
}

const UP_TO_EPOCH_1 = ["preflight", "prepare", "serve", "watch", "epoch-1"];
const EVERYTHING = [...UP_TO_EPOCH_1, "epoch-2", "cleanup"];

describe("of what was finished", () => {
  it.each<[string, readonly string[], Parameters<typeof runs>[1], readonly string[]]>([
    ["nothing is left out where nothing was finished", [], {}, STAGES.map(({ name }) => name)],
    [
      "what was checked and prepared elsewhere is run again, and what runs beside what is to come",
      UP_TO_EPOCH_1,
      {},
      ["preflight", "prepare", "watch", "epoch-2", "cleanup"],
    ],
    ["what was checked and prepared here is not", UP_TO_EPOCH_1, { keeps: true }, ["watch", "epoch-2", "cleanup"]],
    [
      "a background command is run again whose last stage is to come, and only then",
      ["preflight", "prepare", "serve", "watch"],
      { keeps: true },
      ["watch", "serve", "epoch-1", "epoch-2", "cleanup"],
    ],
    ["nothing is run again when everything is done", EVERYTHING, {}, []],
    ["nothing is checked and prepared again for cleanup alone", EVERYTHING.slice(0, -1), {}, ["cleanup"]],
    [
      "cleanup is run again after more work",
      ["preflight", "prepare", "cleanup"],
      { keeps: true },
      ["watch", "serve", "epoch-1", "epoch-2", "cleanup"],
    ],
    ["what is named is run again, and nothing else", EVERYTHING, { selection: { only: [5] } }, ["epoch-2"]],
    [
      "what is skipped is not run again",
      UP_TO_EPOCH_1,
      { selection: { skip: [0, 2] } },
      ["prepare", "epoch-2", "cleanup"],
    ],
    [
      "nothing is run again before a stage to stop after that is done",
      UP_TO_EPOCH_1,
      { selection: { stopAfter: 4 } },
      [],
    ],
    [
      "a stage says otherwise",
      ["preflight", "prepare", "once", "each-time", "epoch-1"],
      {
        stages: [
          { name: "preflight", type: "validation", resume: "reuse" },
          { name: "prepare", type: "prepare", resume: "reuse" },
          { name: "once" },
          { name: "each-time", resume: "rerun" },
          { name: "epoch-1" },
          { name: "epoch-2" },
        ],
      },
      ["each-time", "epoch-2"],
    ],
    [
      "what was prepared between stages that are left is prepared again for the later one",
      ["prepare"],
      { stages: [{ name: "epoch-1" }, { name: "prepare", type: "prepare" }, { name: "epoch-2" }] },
      ["epoch-1", "prepare", "epoch-2"],
    ],
    [
      "what is to be run each time is not when everything is done",
      ["each-time", "epoch-1"],
      { stages: [{ name: "each-time", resume: "rerun" }, { name: "epoch-1" }] },
      [],
    ],
  ])("%s", (_, finished, how, expected) => {
    expect(runs(finished, how)).toEqual(expected);
  });
});

const AT = Date.UTC(2026, 0, 31, 12);

function carried(finished: readonly string[], more: Partial<Carried> = {}, failed: readonly string[] = []): Carried {
  return {
    succeeded: finished.filter((name) => !failed.includes(name)),
    outputs: {},
    resumed: {
      savedAt: AT,
      finished: finished.map((name) => ({
        name,
        status: failed.includes(name) ? "warning" : "success",
        worked: !failed.includes(name),
        completedAt: AT,
      })),
      hosts: { "agent-0": "bench-a", "agent-1": "bench-b" },
      quorumResult: null,
      sentBack: {},
      reused: null,
    },
    ...more,
  };
}

function resumed(of: Plan, from: Carried, hosts: readonly (string | null)[], selection: Selection = ALL): Group {
  const group = new Group(of, hosts.length);
  group.state = begin({ ...created(of, hosts.length, group.at), carried: from, selection });
  for (const [index, host] of hosts.entries()) {
    group.send(joined(`agent-${index}`, group.at, host === null ? {} : { machine: machineOf(host) }));
  }
  return group;
}

const statuses = (group: Group): readonly string[] =>
  summary(group.state).phases.map(({ name, status }) => `${name} ${status}`);

describe("a run that goes on", () => {
  it.each<[string, boolean, readonly (string | null)[], number]>([
    ["where it was: not prepared again", false, ["bench-a", "bench-b"], 2],
    ["with one agent elsewhere: prepared again", false, ["bench-a", "bench-c"], 0],
    ["with the machines changed: prepared again", false, ["bench-b", "bench-a"], 0],
    ["with one that does not say where it is: prepared again", false, ["bench-a", null], 0],
    ["elsewhere on one file system: not prepared again", true, ["bench-c", "bench-d"], 2],
  ])("%s", (_, sharedFilesystem, hosts, first) => {
    const of = plan([{ name: "prepare", type: "prepare" }, { name: "a" }, { name: "b" }], { sharedFilesystem });
    const group = resumed(of, carried(["prepare", "a"]), hosts);
    group.pass(1_000);
    expect(group.execute("agent-0").stage).toBe(first);
  });

  it("says what is done, and what of it is run again: the first ten of them", () => {
    const said = (finished: number, again: number): readonly string[] => {
      const stages = Array.from({ length: finished + 1 }, (_, index) => ({
        name: `s${index}`,
        ...(index < again ? ({ resume: "rerun" } as const) : {}),
      }));
      const names = stages.slice(0, finished).map(({ name }) => name);
      return resumed(plan(stages), carried(names), ["bench-a"]).notices();
    };
    const from = "goes on from the state of 2026-01-31T12:00:00Z";
    const ten = Array.from({ length: 10 }, (_, index) => `s${index}`).join(", ");
    expect(said(1, 0)).toEqual([`${from}: 1 stage done`]);
    expect(said(2, 0)).toEqual([`${from}: 2 stages done`]);
    expect(said(2, 2)).toEqual([`${from}: 0 stages done, to be run again: s0, s1`]);
    expect(said(10, 10)).toEqual([`${from}: 0 stages done, to be run again: ${ten}`]);
    expect(said(12, 12)).toEqual([`${from}: 0 stages done, to be run again: ${ten} and 2 more`]);
    const anew = { succeeded: [], outputs: {}, anew: "its state is of another plan" };
    expect(resumed(plan([{ name: "a" }]), anew, ["bench-a"]).notices()).toEqual([
      "begins anew: its state is of another plan",
    ]);
  });

  it("counts the bytes of the outputs that it keeps alone", () => {
    const of = plan([{ name: "prepare", type: "prepare" }, { name: "a" }, { name: "b" }]);
    const outputs = { prepare: { rows: 3 }, a: { loss: 1 } };
    const group = resumed(of, carried(["prepare", "a"], { outputs }), [null]);
    expect(group.state.outputBytes).toBe(JSON.stringify({ a: { loss: 1 } }).length);
  });

  it("says of each stage that is not run when it was done", () => {
    const group = resumed(plan([{ name: "a" }, { name: "b" }]), carried(["a"]), ["bench-a"]);
    group.finish("agent-0");
    const [a] = summary(group.state).phases;
    expect(a).toMatchObject({ status: "skipped", reason: "done in the loaded state, 2026-01-31T12:00:00Z" });
    expect(group.state.status).toBe("succeeded");
  });

  it("knows the outputs of what is not run again, and not those of what is", () => {
    const of = plan([{ name: "prepare", type: "prepare" }, { name: "a" }, { name: "b" }]);
    const outputs = { prepare: { rows: 3 }, a: { loss: 1 } };
    expect(resumed(of, carried(["prepare", "a"], { outputs }), ["bench-a"]).state.outputs).toEqual(outputs);
    expect(resumed(of, carried(["prepare", "a"], { outputs }), [null]).state.outputs).toEqual({ a: { loss: 1 } });
    const skips = { ...ALL, skip: [0] };
    expect(resumed(of, carried(["prepare", "a"], { outputs }), [null], skips).state.outputs).toEqual(outputs);
  });

  it("takes a result of before for what is needed, unless its stage is run again and fails", () => {
    const of = plan([
      { name: "warm", type: "validation", optional: true },
      { name: "b", dependsOn: [needs("warm")] },
    ]);
    const here = resumed(of, carried(["warm"]), ["bench-a"]);
    expect(here.execute("agent-0").stage).toBe(1);
    const elsewhere = resumed(of, carried(["warm"]), [null]);
    elsewhere.finish("agent-0", { kind: "exited", code: 1 });
    expect(summary(elsewhere.state).message).toContain("b: needs the result of warm, which did not succeed");
  });

  it("does not run an optional stage again that failed, nor takes it for a result", () => {
    const of = plan([
      { name: "warm", optional: true },
      { name: "b", dependsOn: [needs("warm", "failed")] },
      { name: "c" },
    ]);
    const group = resumed(of, carried(["warm"], {}, ["warm"]), ["bench-a"]);
    expect(group.execute("agent-0").stage).toBe(1);
  });

  it("cleans up after a failure, though it had cleaned up before", () => {
    const of = plan([{ name: "a" }, { name: "b" }, { name: "cleanup", type: "cleanup", when: "always" }]);
    const group = resumed(of, carried(["a", "cleanup"]), ["bench-a"]);
    group.finish("agent-0", { kind: "exited", code: 1 });
    expect(group.execute("agent-0").stage).toBe(2);
    group.finish("agent-0");
    expect(statuses(group)).toEqual(["a skipped", "b failure", "cleanup success"]);
  });

  it("runs a stage that is done when the group is sent back to it", () => {
    const of = plan([{ name: "a" }, { name: "b" }]);
    const group = resumed(of, carried(["a"], { outputs: { a: { n: 1 } } }), ["bench-a"]);
    group.send({ type: "repeat_requested", at: group.at, stage: 1, round: 1, from: 0, why: "not good enough" });
    group.finish("agent-0");
    expect(group.execute("agent-0").stage).toBe(0);
    expect(group.state.outputs).toEqual({});
  });

  it("tells a stage that was sent back what was found wanting", () => {
    const of = plan([{ name: "a" }, { name: "b" }]);
    const from = carried([], { outputs: { review: { decision: "RETRY" } } });
    if (from.resumed === undefined) throw new Error("it goes on from nothing");
    const because = { stage: "review", round: 1, deficiencies: [{ validator: "v", deficiency: "no tests" }] };
    const sentBack = { a: because };
    const group = resumed(of, { ...from, resumed: { ...from.resumed, sentBack } }, ["bench-a"]);
    expect(group.execute("agent-0").because).toEqual(because);
    expect(group.state.outputs).toEqual({ review: { decision: "RETRY" } });
    group.finish("agent-0");
    expect(group.execute("agent-0").because).toBeUndefined();
  });

  it("says of what is not selected that it is done, too", () => {
    const of = plan([{ name: "a" }, { name: "b" }]);
    const group = resumed(of, carried(["a"]), ["bench-a"], { ...ALL, only: [1] });
    group.finish("agent-0");
    const [a] = summary(group.state).phases;
    expect(a?.reason).toBe("not among the selected stages; done in the loaded state, 2026-01-31T12:00:00Z");
    expect(group.notices()).toContain("goes on from the state of 2026-01-31T12:00:00Z: 1 stage done");
  });

  it("decides for whoever is there when the group starts with fewer", () => {
    const of = plan([{ name: "prepare", type: "prepare" }, { name: "b" }], {
      assembly: { timeoutMs: 5_000, atLeast: 1 },
    });
    const group = new Group(of, 2, { names: ["agent-0"] });
    group.state = begin({ ...created(of, 2, group.at), carried: carried(["prepare"]) });
    group.send(joined("agent-0", group.at, { machine: machineOf("bench-a") }));
    group.pass(6_000);
    expect(group.execute("agent-0").stage).toBe(1);
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { Runs } from "../../../src/coordinator/hosting/runs.ts";
import { itemsOf } from "../../../src/run/persistent-array.ts";
import type { AttemptEnd } from "../../../src/run/types.ts";
import { joined, key, machineOf, needs, plan, report, synced } from "../../run/builders.ts";
import { MemoryRunStore } from "./memory-store.ts";

const OF = plan([
  { name: "prepare", type: "prepare" },
  { name: "a" },
  { name: "b", dependsOn: [needs("a")] },
  { name: "cleanup", type: "cleanup", when: "always" },
]);
const ALL = { only: null, skip: [], stopAfter: null } as const;

let runs: Runs | null = null;
afterEach(() => runs?.close());

function runsOver(store: MemoryRunStore): Runs {
  runs = new Runs({ store, onError: (error) => expect(error).toBeUndefined() });
  return runs;
}

/** Runs what an attempt runs; `b` fails in the first. @returns the stages that ran */
async function play(store: MemoryRunStore, attempt: number, more: object = {}): Promise<readonly string[]> {
  const spec = { key: { ...key, attempt }, plan: OF, selection: ALL, agentCount: 1, resume: true, ...more };
  const { host } = await runsOver(store).open(spec);
  host.commit({ event: joined("agent-0", host.now, { machine: machineOf("bench-a") }) });
  const ran: string[] = [];
  for (let told = host.instruct("agent-0"); told.do === "execute"; told = host.instruct("agent-0")) {
    const { stage, attempt: id } = told;
    const name = OF.stages[stage]?.name ?? "";
    ran.push(name);
    const end: AttemptEnd = { kind: "exited", code: attempt === 1 && name === "b" ? 1 : 0 };
    const base = { stage, status: "running" } as const;
    const finished = [report({ stage, attempt: id, end, outputs: { by: attempt } })];
    host.commit({ event: synced("agent-0", host.now, base) });
    host.commit({ event: synced("agent-0", host.now, { ...base, finished }) });
  }
  await host.saved();
  notices = [...host.state.notices].map(({ text }) => text);
  reasons = [...itemsOf(host.state.stages)].map(({ reason }) => reason);
  return ran;
}
let notices: readonly string[] = [];
let reasons: readonly (string | null)[] = [];

describe("a re-run whose coordinator keeps the attempts before", () => {
  it("goes on at the stage that failed, over attempts that never began", async () => {
    const store = new MemoryRunStore();
    expect(await play(store, 1)).toEqual(["prepare", "a", "b", "cleanup"]);
    expect(notices.join("\n")).not.toContain("anew");
    expect(await play(store, 3)).toEqual(["b", "cleanup"]);
    expect(reasons[1]).toMatch(/^done in the loaded state, 20\d\d-/);
    // Everything is done by now; what is named is run all the same.
    expect(await play(store, 4)).toEqual([]);
    expect(await play(store, 5, { selection: { ...ALL, only: [2] } })).toEqual(["b"]);
  });

  it("begins anew where it is not asked to go on", async () => {
    const store = new MemoryRunStore();
    await play(store, 1);
    expect(await play(store, 2, { resume: false })).toEqual(["prepare", "a", "b", "cleanup"]);
  });

  it.each([true, false])("refuses those who say otherwise than the first: resume: %s", async (resume) => {
    const store = new MemoryRunStore();
    await play(store, 1);
    const others = runsOver(store);
    const spec = { key: { ...key, attempt: 2 }, plan: OF, selection: ALL, agentCount: 1 };
    const first = await others.open({ ...spec, resume });
    const refusal = `this agent says resume: ${!resume}, the others of this run resume: ${resume}`;
    await expect(others.open({ ...spec, resume: !resume })).rejects.toThrow(refusal);
    expect(await others.open({ ...spec, resume })).toBe(first);
    // Nor does the process that takes the run up later forget it.
    await first.host.saved();
    await expect(runsOver(store).open({ ...spec, resume: !resume })).rejects.toThrow(refusal);
  });

  it("says so when there is no state, or another plan's", async () => {
    const store = new MemoryRunStore();
    expect(await play(store, 2)).toHaveLength(4);
    expect(notices).toContain("begins anew: no attempt before this one left a state here");
    await play(store, 3, { plan: { ...OF, params: { epochs: 3 } } });
    expect(notices.join("\n")).toContain("begins anew: what attempt 2 left is the state of another plan");
    expect(notices.join("\n")).toContain("params.epochs differs");
  });

  it("refuses what is selected without the results that it needs", async () => {
    const selection = { ...ALL, only: [2] };
    await expect(play(new MemoryRunStore(), 2, { selection })).rejects.toThrow('stage "b" needs the result of "a"');
  });
});

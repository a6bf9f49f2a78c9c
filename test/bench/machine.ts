/** What a stage costs the machine alone for each agent: it must not grow with their number. */

import type { Instruction } from "../../src/run/instruction.ts";
import { apply, begin, instructionFor, type RunState } from "../../src/run/machine.ts";
import type { RunEvent, RunKey } from "../../src/run/types.ts";
import { type Bench, median } from "./bench.ts";
import { planOf, reportOf } from "./group.ts";

const SIZES = [100, 1_000, 10_000] as const;
const STAGES = 5;

const PLAN = planOf(`
name: machine
liveness: { heartbeat_interval: 60s, warn_after: 150s, lost_after: 600s }
stages:
${Array.from({ length: STAGES }, (_, n) => `  - { name: stage-${n}, run: "true" }`).join("\n")}
`);

export const bench: Bench = {
  what: "one stage of the machine without I/O, a start, a report and two instructions for each agent",
  async *run() {
    runAll(1_000);
    let first = Number.NaN;
    for (const size of SIZES) {
      const times = Array.from({ length: size > 1_000 ? 1 : 3 }, () => runAll(size)).flat();
      const each = (median(times) / size) * 1000;
      if (Number.isNaN(first)) first = each;
      yield `${size} agents: ${each.toFixed(1)} µs an agent and stage | ratio to ${SIZES[0]} agents ${(each / first).toFixed(2)} (aim: linear, about 1)`;
    }
  },
};

/** @returns milliseconds of each stage */
function runAll(size: number): number[] {
  const key: RunKey = { repositoryId: "1", runId: "2", attempt: 1, group: "bench", plan: PLAN.name };
  const selection = { only: null, skip: [], stopAfter: null };
  let at = 1_000_000;
  let state: RunState = begin({ type: "created", at, key, plan: PLAN, selection, agentCount: size });
  const tell = (event: RunEvent): void => {
    state = apply(state, event);
  };
  const names = Array.from({ length: size }, (_, n) => `node-${n}`);
  for (const [index, agent] of names.entries()) {
    const place = { role: null, index, address: null, checkRunId: null };
    tell({ type: "joined", at, agent, session: agent, ...place });
  }
  const times: number[] = [];
  while (state.status === "running") {
    const stage = state.segment?.first ?? Number.NaN;
    const began = performance.now();
    at += 1_000;
    for (const agent of names) {
      const instruction: Instruction = instructionFor(state, agent);
      if (instruction.do !== "execute") throw new Error(`${agent} is told to ${instruction.do}`);
      const finished = [reportOf(instruction.stage, instruction.attempt, null)];
      const said = { doing: "running", status: "running", progress: null, wants: 0, addTasks: [], ready: [] } as const;
      tell({ type: "synced", at, agent, session: agent, stage, finished, outputs: {}, ...said });
      instructionFor(state, agent);
    }
    times.push(performance.now() - began);
  }
  if (state.status !== "succeeded") throw new Error(`the run ${state.status}`);
  return times;
}

/** Who waits for what, for whom, since when, until when: the same for the log, the status address and the check run. */

import { approversText } from "../plan/checkpoints.ts";
import { agentStatus } from "./agent-status.ts";
import { untilAnswered } from "./deadlines.ts";
import { endOfWait, instructionFor, pendingAgents } from "./instruct.ts";
import type { Awaited, WaitReason } from "./instruction.ts";
import { itemAt, itemsOf } from "./persistent-array.ts";
import { ruleText } from "./stage/barriers.ts";
import type { RunState } from "./state.ts";
import type { AgentStatus, RunStatus } from "./types.ts";

const NAMED = 50;

export interface ExplainedWait {
  readonly reason: WaitReason | "stopping";
  readonly stage: string | null;
  /** One sentence. */
  readonly text: string;
  /** How many wait. */
  readonly waiting: number;
  readonly who: readonly Awaited[];
  /** Waited for beyond those in `who`. */
  readonly more: number;
  readonly since: number;
  /** Null: a person decides. */
  readonly until: number | null;
}

export interface Explanation {
  readonly status: RunStatus;
  readonly now: number;
  /** Names of the stages that the group is in. */
  readonly stages: readonly string[];
  readonly waits: readonly ExplainedWait[];
  readonly agents: readonly {
    readonly name: string;
    readonly index: number;
    readonly role: string | null;
    readonly status: AgentStatus;
    readonly presence: "here" | "silent" | "lost" | "left";
    /** Its membership, under the name by which readers of the status address know it. */
    readonly standing: "member" | "away" | "excluded";
    readonly doing: string;
    readonly lastSeenAt: number;
    readonly why: string | null;
  }[];
}

/** Everything that somebody in this run waits for now. Looks at every agent: for readers, not for each sync. */
export function explain(state: RunState): Explanation {
  const { segment, plan } = state;
  const stages = segment === null ? [] : plan.stages.slice(segment.first, segment.last + 1).map(({ name }) => name);
  return {
    status: state.status,
    now: state.now,
    stages,
    waits: waitsOf(state),
    agents: [...itemsOf(state.agents)].map((agent) => {
      const { name, index, role, presence, membership: standing, doing, lastSeenAt, why } = agent;
      const status = agentStatus(state, agent);
      return { name, index, role, status, presence, standing, doing, lastSeenAt, why };
    }),
  };
}

function waitsOf(state: RunState): readonly ExplainedWait[] {
  const [first] = itemsOf(state.agents);
  if (state.status === "assembling") {
    const there = state.living;
    const text = `${there} of ${state.agentCount} agents have joined`;
    const missing = first === undefined ? null : instructionFor(state, first.name);
    const who = missing?.do === "wait" ? missing.who : [];
    const more = missing?.do === "wait" ? (missing.more ?? 0) : state.agentCount;
    const { createdAt: since, assemblyUntil: until } = state;
    return [{ reason: "assembly", stage: null, text, waiting: there, who, more, since, until }];
  }
  if (state.checkpoint !== null) {
    const { stage, since, after } = state.checkpoint;
    const name = nameOf(state, stage);
    const text =
      after === undefined
        ? `${name} begins when ${approversText(state.plan.stages[stage] ?? {})} approves it`
        : `the run goes on when a person has looked at ${name}`;
    const wait = { reason: "checkpoint", stage: name, text, waiting: state.living, who: [], more: 0 } as const;
    return [{ ...wait, since, until: untilAnswered(state) }];
  }
  const { segment } = state;
  if (segment === null) return [];
  const waits: ExplainedWait[] = [];
  for (let stage = segment.first; stage <= segment.last; stage++) waits.push(...waitsIn(state, stage));
  return waits;
}

function waitsIn(state: RunState, stage: number): readonly ExplainedWait[] {
  const run = itemAt(state.stages, stage);
  const planned = state.plan.stages[stage];
  if (run === undefined || planned === undefined || run.phase !== "open" || run.pending === 0) return [];
  const who = pendingAgents(state, run, NAMED);
  const about = { stage: planned.name, who, more: run.pending - who.length };
  const since = run.firstArrivalAt ?? run.openedAt ?? state.now;
  const until = state.stopping?.until ?? endOfWait(state, stage, run);
  const waiting = Math.max(0, state.living - run.pending);
  if (state.stopping !== null || run.stopping !== null) {
    const why = state.failure?.reason ?? run.stopping?.why ?? "";
    const text = `${run.pending} agents are ending ${planned.name}: ${why}`;
    return [{ ...about, reason: "stopping", text, waiting, since: run.stopping?.since ?? since, until }];
  }
  if (run.pool !== null) {
    const { open, done, failed, generator } = run.pool;
    const listing = generator === null ? "" : ", and they are still being listed";
    const text = `${open} tasks of ${planned.name} are open, ${done} done, ${failed} failed${listing}`;
    return [{ ...about, reason: "tasks", text, waiting, since, until }];
  }
  const reason = planned.background === null ? "barrier" : "ready";
  const text = `${run.arrived} of ${run.electorate} arrived at the barrier of ${planned.name} (${ruleText(planned.barrier.rule)}), ${run.pending} to come`;
  return [{ ...about, reason, text, waiting, since, until }];
}

function nameOf(state: RunState, stage: number): string {
  return state.plan.stages[stage]?.name ?? `stage ${stage}`;
}

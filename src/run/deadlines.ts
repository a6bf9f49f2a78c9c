/** When time alone decides something: about an agent (its silence, its timeout), about a barrier, about the run. */

import { approvalTimeoutMs } from "../plan/checkpoints.ts";
import { heartbeatOf } from "../plan/liveness.ts";
import { formatDuration } from "../plan/parsing/duration.ts";
import type { Plan } from "../plan/plan.ts";
import type { Draft } from "./draft.ts";
import { itemAt } from "./persistent-array.ts";
import { rule } from "./stage/barriers.ts";
import { stageInForce } from "./stage/failure-policy.ts";
import type { RunState, StageRun } from "./state.ts";
import { isOver } from "./transitions.ts";

/** Agents end a duration by their own clocks; the group's end comes this much later, for those who cannot. */
export const ENDS_SLACK_MS = 1_000;

export interface SilenceLimits {
  readonly warnAfterMs: number;
  readonly lostAfterMs: number;
}

/**
 * How long an agent may be silent while a stage is in force: the run's `liveness`, or the barrier's own
 * `missed_threshold` × `heartbeat_interval`; and the time for which a silent one is asked again. All defaults are in
 * the plan already.
 */
export function limitsOf(plan: Plan, stage: number | null): SilenceLimits {
  const { warnAfterMs } = plan.liveness;
  const barrier = stage === null ? undefined : plan.stages[stage]?.barrier;
  if (barrier === undefined) return plan.liveness;
  const asked = (barrier.queryTimeoutMs ?? 0) * (barrier.queryRetries ?? 1);
  const interval = heartbeatOf(plan, stage);
  const lost = barrier.missedThreshold === null ? plan.liveness.lostAfterMs : interval * barrier.missedThreshold;
  const isSlow = barrier.heartbeatIntervalMs !== null;
  const warn = isSlow ? Math.max(warnAfterMs, interval) : warnAfterMs;
  return { warnAfterMs: Math.min(warn, lost), lostAfterMs: lost + asked };
}

/** Whether the plan's deadline counts for a stage: not once the run has failed, and not for what runs then, too. */
export function isBoundByDeadline({ plan, failure }: Pick<RunState, "plan" | "failure">, stage: number): boolean {
  return failure === null && plan.stages[stage]?.when === "on_success";
}

/** When the wait for a person is over, answered or not; null: nobody is waited for. */
export function endOfCheckpoint({ checkpoint, plan }: Pick<RunState, "checkpoint" | "plan">): number | null {
  return checkpoint === null ? null : checkpoint.since + approvalTimeoutMs(plan.stages[checkpoint.stage]);
}

/** When a person must have answered: the run's deadline may come before. */
export function untilAnswered(state: RunState): number | null {
  const { checkpoint, deadlineAt } = state;
  const end = endOfCheckpoint(state);
  if (checkpoint === null || end === null) return null;
  return deadlineAt !== null && isBoundByDeadline(state, checkpoint.stage) ? Math.min(end, deadlineAt) : end;
}

/** Why nothing more is begun, or waited for. */
export function deadlineOver({ plan }: Pick<Draft, "plan">): string {
  return `the plan's deadline (${formatDuration(plan.deadlineMs ?? 0)}) is over`;
}

/** The next time at which something about this agent has to be decided; Infinity: none. */
export function deadlineOf(draft: Draft, slot: number): number {
  const agent = draft.agent(slot);
  const { warnAfterMs, lostAfterMs } = limitsOf(draft.plan, stageInForce(draft));
  let at = Number.POSITIVE_INFINITY;
  if (agent.presence === "here") at = agent.silentSince + Math.min(warnAfterMs, lostAfterMs);
  else if (agent.presence === "silent") at = agent.silentSince + lostAfterMs;
  const { assignment } = agent;
  if (assignment !== null && !assignment.finished) at = Math.min(at, assignment.overdueAt);
  if (assignment?.dismissed != null) at = Math.min(at, assignment.dismissed.until);
  for (const background of agent.backgrounds) if (!background.ready) at = Math.min(at, background.overdueAt);
  return at;
}

/**
 * When time alone will change something: a `ticked` is due then. Null: never, as things are. It may be early (then the
 * tick changes nothing but this), never late.
 */
export function nextDeadline(state: RunState): number | null {
  return nextTime(state, (stage) => itemAt(state.stages, stage));
}

type Waits = Pick<
  RunState,
  "status" | "sweepAt" | "assemblyUntil" | "stopping" | "segment" | "plan" | "now" | "deadlineAt" | "checkpoint"
>;

export function nextTime(run: Waits, stageAt: (stage: number) => StageRun | undefined): number | null {
  if (isOver(run.status)) return null;
  const times: (number | null)[] = [run.sweepAt, run.deadlineAt, endOfCheckpoint(run)];
  if (run.status === "assembling") times.push(run.assemblyUntil);
  if (run.stopping !== null) times.push(run.stopping.until);
  else if (run.segment !== null) {
    for (let stage = run.segment.first; stage <= run.segment.last; stage++) {
      const open = stageAt(stage);
      if (open !== undefined && open.phase === "open" && open.pending > 0) times.push(endOf(open));
    }
    const last = stageAt(run.segment.last);
    const planned = run.plan.stages[run.segment.last];
    if (last !== undefined && planned !== undefined) {
      // Waiting is what the state is about: only the end of the wait is asked for here.
      const ruling = rule(planned.barrier, { ...last, pending: Math.max(1, last.pending) }, run.now, last.cleanupMode);
      if (ruling.kind === "wait") times.push(ruling.until);
    }
  }
  // What was due by now has been acted upon: what is left of it waits for something else.
  const due = times.flatMap((time) => (time !== null && time > run.now ? [time] : []));
  return due.length === 0 ? null : Math.min(...due);
}

function endOf({ stopping, endsAt }: StageRun): number | null {
  if (stopping !== null) return stopping.until;
  return endsAt === null ? null : endsAt + ENDS_SLACK_MS;
}

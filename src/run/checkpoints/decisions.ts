/** What a person decides of a run that waits for one before a stage, from wherever that is said. */
import { untilAnswered } from "../deadlines.ts";
import { itemAt, itemsOf } from "../persistent-array.ts";
import type { RunState } from "../state.ts";
import type { RunEvent } from "../types.ts";

/** The wait for a person before one round of a stage. */
export interface AskedApproval {
  readonly stage: number;
  readonly name: string;
  readonly round: number;
  /** Names as the plan has them; none: anybody who may write to the repository. */
  readonly by: readonly string[];
  readonly since: number;
  readonly until: number | null;
}

export interface PersonDecision {
  readonly verb: "continue" | "stop";
  readonly stage: number;
  readonly round: number;
  readonly by: string;
  /** Null: no reason was given. */
  readonly why: string | null;
}

/** What this run waits for a person for; null: for nothing, or for nothing that anybody from outside could give. */
export function askedApproval(state: RunState): AskedApproval | null {
  const { checkpoint, plan, failure } = state;
  if (checkpoint === null || checkpoint.after !== undefined || failure !== null) return null;
  const { stage, since } = checkpoint;
  const planned = plan.stages[stage];
  if (planned === undefined) return null;
  const { round } = itemAt(state.stages, stage) ?? { round: 1 };
  return { stage, name: planned.name, round, by: planned.approval?.by ?? [], since, until: untilAnswered(state) };
}

/** What the decision is to the machine; `refused`: why it is nothing (any more), completing "refused: …". */
export function decisionEvent(
  state: RunState,
  { verb, stage, round, by, why }: PersonDecision,
  at: number,
): RunEvent | { readonly refused: string } {
  const asked = askedApproval(state);
  const name = state.plan.stages[stage]?.name ?? `stage ${stage}`;
  if (asked?.stage !== stage || asked.round !== round)
    return { refused: `${name} is decided: ${decided(state, stage, round)}` };
  return verb === "continue"
    ? { type: "approved", at, stage, round, by, ...(why === null ? {} : { why }) }
    : { type: "cancelled", at, by, why: why === null ? `did not agree to ${name}` : `${name}: ${why}` };
}

function decided(state: RunState, stage: number, round: number): string {
  const { failure } = state;
  const run = itemAt(state.stages, stage);
  const approval = run?.round === round ? run.approval : undefined;
  if (approval !== undefined)
    return approval.by === null ? (approval.why ?? "nobody answered") : `${approval.by} approved it`;
  return failure === null ? "the run does not wait for it" : failure.reason;
}

/** What people have decided of a run so far: of each stage its newest round. */
export interface RunDecisions {
  readonly approvals: readonly { readonly by: string | null; readonly why: string | null; readonly at: number }[];
  /** Null: nobody has ended it. */
  readonly stopped: { readonly reason: string; readonly at: number } | null;
}

export function decisionsOf({ stages, failure }: RunState): RunDecisions {
  return {
    approvals: [...itemsOf(stages)].flatMap(({ approval }) => approval ?? []),
    stopped: failure?.kind === "cancelled" ? { reason: failure.reason, at: failure.at } : null,
  };
}

/** Whether this person has decided so since then: what is carried out a second time has been done. */
export function hasDecided(
  { approvals, stopped }: RunDecisions,
  { verb, by, why }: Pick<PersonDecision, "verb" | "by" | "why">,
  since: number,
): boolean {
  return verb === "stop"
    ? stopped !== null && stopped.at >= since && stopped.reason.startsWith(`cancelled by ${by}: `)
    : approvals.some((each) => each.by === by && each.why === why && each.at >= since);
}

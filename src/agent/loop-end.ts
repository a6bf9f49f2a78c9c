/** How an agent's part in a run ends. */
import type { JoinRequest } from "../coordinator/protocol/port.ts";
import type { RunEnded } from "../coordinator/protocol/refusal.ts";
import type { RunSummary } from "../run/result/record.ts";
import type { AgentLog } from "./log.ts";

export type LoopEnd =
  | { readonly kind: "finished"; readonly summary: RunSummary; readonly excluded: string | null }
  /** `leave` was called. `told`: the coordinator knows. */
  | { readonly kind: "left"; readonly why: string; readonly told: boolean }
  /** The coordinator has not answered for 90 s; the work has been stopped. */
  | { readonly kind: "unreachable"; readonly why: string };

/**
 * Of an agent that joined when the run was over: one of the group gets the verdict, and so does who was missed where the
 * plan lets a group begin without some. Anybody else was not part of it.
 */
export function endOfLateJoin({ message, summary, wasMember }: RunEnded, join: JoinRequest, log: AgentLog): LoopEnd {
  if (wasMember) {
    log({ kind: "warning", stage: null, text: message });
    return { kind: "finished", summary, excluded: null };
  }
  const excluded = "it joined when the run was over";
  log({ kind: "excluded", why: excluded });
  const why = `the run ended without ${join.agent}: ${summary.message}`;
  const couldDoWithout = join.plan.assembly.atLeast !== null;
  const verdict = couldDoWithout ? summary.verdict : "failure";
  return { kind: "finished", summary: { ...summary, verdict, message: why }, excluded };
}

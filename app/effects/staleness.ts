/** Whether an effect still fits when its turn comes: its pull request may have moved on since it was decided. */

import type { Pull } from "../store/model.ts";
import { type Cause, causeOf } from "./effect.ts";
import type { EffectContext } from "./handler.ts";

/** Where it is, by all that has been judged; of a closed one, where it was. */
export function stageNow({ evaluation, confirmed }: Pull): string | null {
  const moves = evaluation !== null && evaluation.inactive !== "closed" && evaluation.inactive !== "unknown";
  return moves ? evaluation.stage : (confirmed?.stage ?? null);
}

/** Whether something is known of it that has not been judged yet, or a move is on its way. */
export function isUnsettled({ reevaluateAt, intentAt }: Pull, now: number): boolean {
  return intentAt !== null || (reevaluateAt !== null && reevaluateAt <= now);
}

/** Why the stage that asked for this effect has no need of it any more; null: it still has. */
export async function staleReason(context: EffectContext): Promise<string | null> {
  const { effect, pull, cause, store } = context;
  if (cause === null) {
    return null;
  }
  if (pull === null) {
    return "the pull request is not known any more";
  }
  const stage = stageNow(pull);
  if (stage !== cause.stage) {
    return stage === null ? `it is in no stage any more` : `it has gone on from ${cause.stage} to ${stage}`;
  }
  // It left the stage and came back: what belongs to the newer entry is queued for itself.
  const newer = (await store.effectsOf(effect))
    .map(causeOf)
    .some((each) => each !== null && comes(each) && each.stage === cause.stage && each.at > cause.at);
  return newer && comes(cause) ? `it has come to ${cause.stage} anew since` : null;
}

function comes({ occasion }: Cause): boolean {
  return occasion === "enter" || occasion === "back";
}

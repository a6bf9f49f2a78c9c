/** After a stage, while somebody attends to the run: nothing goes on before that person has looked at it. */
import type { Draft } from "../draft.ts";
import type { Failure } from "../state.ts";

/** A stage is over. `failure`: what the run fails of unless the stage is repeated. */
export function awaitReview(draft: Draft, stage: number, failure: Omit<Failure, "at"> | null): void {
  draft.head.checkpoint = { stage, since: draft.now, after: { failure } };
}

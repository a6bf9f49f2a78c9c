/** Planned effects as they are stored: with a key by which each is done once, and what they follow from. */
import { z } from "zod";
import type { StageActions } from "../../src/lifecycle/evaluation/transition-actions.ts";
import type { Effect, NewEffect, PullId } from "../store/model.ts";

/** The occasion that an effect follows from. */
export interface Cause {
  readonly stage: string;
  readonly occasion: StageActions["occasion"];
  /** Date of the entry, of the reset that led back, of the deadline, or of the hold. */
  readonly at: number;
}

const withCause = z.object({
  cause: z.object({
    stage: z.string(),
    occasion: z.enum(["enter", "back", "overdue", "hold", "unhold"]),
    at: z.number(),
  }),
});

/**
 * What converges may be done again, and has to be: a check that fails and succeeds again leads back and forth without
 * a new act, so that the entry is the same.
 */
const PER_MOVE: ReadonlySet<string> = new Set(["auto_merge", "disable_auto_merge", "label"]);

/** Each once for this occasion, or this `move`, whatever happens to us meanwhile. */
export function effectRows(
  { repositoryId, number }: PullId,
  installationId: number,
  actions: readonly StageActions[],
  now: number,
  move: string | null = null,
): NewEffect[] {
  return actions.flatMap(({ stage, occasion, at, effects }) =>
    effects.map((effect, index) => ({
      repositoryId,
      number,
      installationId,
      key: `${repositoryId}-${number}-${stage}-${occasion}-${move !== null && PER_MOVE.has(effect.kind) ? move : at}-${index}-${effect.kind}`,
      kind: effect.kind,
      payload: { ...effect, cause: { stage, occasion, at } satisfies Cause },
      nextAt: now,
    })),
  );
}

/** Null: it follows from no stage (a command's answer, a report of trouble). */
export function causeOf({ payload }: Pick<Effect, "payload">): Cause | null {
  const read = withCause.safeParse(payload);
  return read.success ? read.data.cause : null;
}

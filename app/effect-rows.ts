/** Planned effects as they are stored: with a key by which each is done once, and what they follow from. */
import { z } from "zod";
import type { StageActions } from "../src/lifecycle/move.ts";
import type { Effect, NewEffect, PullId } from "./store/store.ts";

/** The occasion that an effect follows from. */
export interface Cause {
  readonly stage: string;
  readonly occasion: "enter" | "back" | "overdue";
  /** Date of the entry, of the reset that led back, or of the deadline. */
  readonly at: number;
}

const withCause = z.object({
  cause: z.object({ stage: z.string(), occasion: z.enum(["enter", "back", "overdue"]), at: z.number() }),
});

/** Each once for this occasion, whatever happens to us meanwhile. */
export function effectRows(
  { repositoryId, number }: PullId,
  installationId: number,
  actions: readonly StageActions[],
  now: number,
): NewEffect[] {
  return actions.flatMap(({ stage, occasion, at, effects }) =>
    effects.map((effect, index) => ({
      repositoryId,
      number,
      installationId,
      key: `${repositoryId}-${number}-${stage}-${occasion}-${at}-${index}-${effect.kind}`,
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

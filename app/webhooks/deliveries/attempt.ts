/** One attempt at a delivery: done, tried again after a growing pause, or at last kept as dead with its error. */
import type { Logger } from "pino";
import { ZodError, z } from "zod";
import type { Delivery, PendingDelivery, Store } from "../../store/model.ts";
import { notLost } from "../../work/failure.ts";
import type { RecentDeliveries } from "./recent.ts";

const DEFAULT_PAUSES = [1_000, 5_000, 30_000, 120_000, 600_000] as const;
const LONGEST_ERROR = 2_000;
const UNTRIED = { status: "pending", tries: 0, error: null } as const;

export interface DeliveryAttemptOptions {
  readonly store: Store;
  /**
   * Gives a delivery its effect. Returns true when it has marked it as done in the same commit; false leaves that to
   * the inbox (for those that have no effect). Handling a delivery again must change nothing. `content`: its payload,
   * parsed; undefined where only the text is known.
   */
  readonly handle: (delivery: Delivery, content: unknown) => Promise<boolean>;
  readonly log: Logger;
  readonly now: () => number;
  /** Pauses after the first, second, … failure; after the last one the delivery is dead. Milliseconds. */
  readonly pauses?: readonly number[];
}

/**
 * Returns 0 when the delivery is done or dead, else the pause until it is tried again.
 * @throws ClaimLost: it is somebody else's to handle
 */
export async function attempt(
  { seq, id, key, installationId, nextAt }: PendingDelivery,
  {
    store,
    handle,
    log,
    now,
    pauses = DEFAULT_PAUSES,
    recent,
    done,
  }: DeliveryAttemptOptions & { readonly recent: RecentDeliveries; readonly done: (seq: number) => void },
): Promise<number> {
  let tries = 0;
  try {
    const known = recent.take(seq);
    const delivery =
      known === undefined ? await store.delivery(seq) : { ...known.delivery, seq, installationId, ...UNTRIED, nextAt };
    if (delivery === null || delivery.status !== "pending") {
      return 0;
    }
    tries = delivery.tries;
    if (!(await handle(delivery, known?.content))) {
      done(seq);
    }
    return 0;
  } catch (error) {
    notLost(error);
    const message = describe(error).slice(0, LONGEST_ERROR);
    // What has not the expected shape now will not have it later.
    const pause = error instanceof ZodError ? undefined : pauses[tries];
    try {
      if (pause === undefined) {
        await store.buryDelivery(seq, message);
        log.error({ delivery: id, key, tries: tries + 1, err: error }, "delivery given up");
        return 0;
      }
      await store.postponeDelivery(seq, now() + pause, message);
      log.warn({ delivery: id, key, tries: tries + 1, pause, err: error }, "delivery failed, will be tried again");
    } catch (storeError) {
      notLost(storeError);
      log.error({ delivery: id, key, err: storeError }, "the failure of a delivery could not be stored");
    }
    return pause ?? pauses[0] ?? 1_000;
  }
}

function describe(error: unknown): string {
  if (error instanceof ZodError) {
    return `The payload is not what was expected: ${z.prettifyError(error)}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

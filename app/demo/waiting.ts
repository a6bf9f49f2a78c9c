/** Waits that end: each says what it waits for, and at its deadline what is still missing. */
import { setTimeout as sleep } from "node:timers/promises";

/** The deadline passed, or what was waited for cannot come any more. */
export class WaitOver extends Error {
  override readonly name = "WaitOver";
}

/** What is still missing, a line each; empty: it is all there. */
export type Missing = readonly string[];

const PAUSE_MS = 40;

/**
 * Looks again and again until nothing is missing.
 * @param doomed a reason why it cannot come any more (a process has died); null while it can.
 * @throws WaitOver naming what was still missing
 */
export async function waitFor(options: {
  readonly missing: () => Missing | Promise<Missing>;
  readonly doomed: () => string | null;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}): Promise<void> {
  const until = Date.now() + options.deadlineMs;
  for (;;) {
    options.signal.throwIfAborted();
    const missing = await options.missing();
    if (missing.length === 0) return;
    const doom = options.doomed();
    const list = missing.join("; ");
    if (doom !== null) throw new WaitOver(`${doom}; still missing: ${list}`);
    if (Date.now() > until) throw new WaitOver(`after ${options.deadlineMs / 1000} s still missing: ${list}`);
    await sleep(PAUSE_MS, undefined, { signal: options.signal });
  }
}

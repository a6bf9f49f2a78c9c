/** A follower's way to its leader: asks at every address it is told, and believes only who proves to lead this run. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunKey } from "../run/types.ts";
import type { TokenVerifier } from "./admission.ts";
import { type ProvenLeader, proveLeader } from "./leader.ts";
import { Refusal } from "./refusal.ts";

const PAUSE_FIRST_MS = 1_000;
const PAUSE_MOST_MS = 8_000;
const EXPLAIN_EVERY_MS = 10_000;

export interface FindLeaderOptions {
  readonly key: RunKey;
  /** Addresses (host:port) to ask at now, the likeliest first. May change from one call to the next. */
  readonly addresses: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly verifier: (audience: string) => TokenVerifier;
  /** Milliseconds after which it is given up. */
  readonly timeoutMs: number;
  /** A false leader that was refused, and every ten seconds what the wait is for. */
  readonly say: (text: string) => void;
}

/** No leader was found in time; the message says where it was looked for and what answered. */
export class NoLeader extends Error {
  override readonly name = "NoLeader";
}

/** @throws NoLeader when the time is over; Refusal `protocol` when the leader is of another version; the signal's reason */
export async function findLeader(options: FindLeaderOptions, signal: AbortSignal): Promise<ProvenLeader> {
  const began = performance.now();
  const told = new Set<string>();
  let seen = "nobody has shown an address yet";
  let explainedAt = began;
  for (let pause = PAUSE_FIRST_MS; ; pause = Math.min(PAUSE_MOST_MS, pause * 1.5)) {
    try {
      for (const address of await options.addresses(signal)) {
        const found = await ask(address, options, signal);
        if (typeof found !== "string") return found;
        seen = found;
        // Asked again all the same: where an earlier attempt's leader is about to end, this run's may be next.
        if (!found.startsWith(FALSE) || told.has(found)) continue;
        told.add(found);
        options.say(`warning: ${found}`);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Refusal) throw error;
      seen = `GitHub could not be asked (${error instanceof Error ? error.message : String(error)})`;
    }
    const waited = performance.now() - began;
    if (waited > options.timeoutMs) {
      throw new NoLeader(`no leader was found within ${Math.round(options.timeoutMs / 1000)} s: ${seen}`);
    }
    if (performance.now() - explainedAt >= EXPLAIN_EVERY_MS) {
      explainedAt = performance.now();
      const left = Math.round((options.timeoutMs - waited) / 1000);
      options.say(
        `waiting for the leader of the group for ${Math.round(waited / 1000)} s: ${seen}; for ${left} s more at most`,
      );
    }
    await sleep(pause, undefined, { signal });
  }
}

const FALSE = "a false leader was refused: ";

/** @returns the leader, or in words why this is not it */
async function ask(address: string, options: FindLeaderOptions, signal: AbortSignal): Promise<ProvenLeader | string> {
  try {
    return await proveLeader({ address, key: options.key, verifier: options.verifier, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Refusal && error.code === "protocol") throw error;
    if (error instanceof Refusal) return `${FALSE}${error.message}`;
    return `${address} does not answer (${error instanceof Error ? error.message : String(error)})`;
  }
}

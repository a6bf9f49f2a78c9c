/**
 * A follower's way to its leader: asks at the addresses it is shown, and believes only who proves to lead this run.
 *
 * Where check runs show the addresses, anybody who may write check runs adds as many as they like. So many are asked at
 * once, each for a short time first, those not asked yet before all others; and an agent opens only so many connections
 * in all, however long it looks.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { TokenVerifier } from "../admission/admission.ts";
import type { GroupJobs } from "../admission/jobs.ts";
import { PASSING, Refusal } from "../protocol/refusal.ts";
import { type ProvenLeader, proveLeader } from "../server/leader.ts";

/** Milliseconds, where nothing else is said. */
export interface SearchPace {
  /** Between two looks at the addresses, and between two questions at one of them: at first, and at most. */
  readonly pauseFirstMs: number;
  readonly pauseMostMs: number;
  /** How long an answer is awaited the first time; twice as long each further time, up to the longest. */
  readonly answerFirstMs: number;
  readonly answerMostMs: number;
  /** Addresses asked at once. */
  readonly atOnce: number;
  /** Connections that may be opened at any time, and after how long one more. */
  readonly connections: number;
  readonly connectionEveryMs: number;
  readonly explainEveryMs: number;
}

const PACE: SearchPace = {
  pauseFirstMs: 1_000,
  pauseMostMs: 8_000,
  answerFirstMs: 4_000,
  answerMostMs: 10_000,
  atOnce: 32,
  connections: 512,
  connectionEveryMs: 2_000,
  explainEveryMs: 10_000,
};
/** False leaders that are named in the log, each with its reason; the others are counted. */
const MOST_NAMED = 5;

export interface FindLeaderOptions {
  /** Addresses (host:port) to ask at now, the likeliest first. May change from one call to the next. */
  readonly addresses: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Whether the plan itself says them; else anybody may have. */
  readonly isTrusted: boolean;
  readonly verifier: (audience: string) => TokenVerifier;
  readonly jobs: Pick<GroupJobs, "check">;
  /** Milliseconds after which it is given up, whatever is being waited for. */
  readonly timeoutMs: number;
  /** A false leader that was refused, and every ten seconds what the wait is for. */
  readonly say: (text: string) => void;
  readonly pace?: Partial<SearchPace>;
}

/** No leader was found in time; the message says where it was looked for and what answered. */
export class NoLeader extends Error {
  override readonly name = "NoLeader";
}

/** @throws NoLeader when the time is over; Refusal `protocol` when the leader is of another version; the signal's reason */
export async function findLeader(options: FindLeaderOptions, signal: AbortSignal): Promise<ProvenLeader> {
  const search = new Search(options);
  const deadline = AbortSignal.timeout(options.timeoutMs);
  try {
    return await search.run(AbortSignal.any([signal, deadline]));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Refusal || !deadline.aborted) throw error;
    throw new NoLeader(`no leader was found within ${Math.round(options.timeoutMs / 1000)} s: ${search.seen}`);
  }
}

/** What is known of one address. */
interface Asked {
  times: number;
  /** When it may be asked again. */
  nextAt: number;
}

type Answer = { readonly leader: ProvenLeader } | { readonly why: string; readonly isFalse: boolean };

class Search {
  readonly #options: FindLeaderOptions;
  readonly #pace: SearchPace;
  readonly #began = performance.now();
  #explainedAt = this.#began;
  #asked = new Map<string, Asked>();
  #connections = 0;
  readonly #false = new Set<string>();
  #trouble = "nobody has shown an address yet";

  constructor(options: FindLeaderOptions) {
    this.#options = options;
    this.#pace = { ...PACE, ...options.pace };
  }

  /** What is in the way, in words. */
  get seen(): string {
    const { size } = this.#asked;
    if (size <= 1) return this.#trouble;
    const asked = [...this.#asked.values()].filter(({ times }) => times > 0).length;
    return `${size} addresses are shown, ${asked} of them were asked; at last: ${this.#trouble}`;
  }

  async run(signal: AbortSignal): Promise<ProvenLeader> {
    const { pauseFirstMs, pauseMostMs } = this.#pace;
    let lookAt = this.#began;
    let pause = pauseFirstMs;
    for (;;) {
      if (performance.now() >= lookAt) {
        await this.#look(signal);
        lookAt = performance.now() + pause;
        pause = Math.min(pauseMostMs, pause * 1.5);
      }
      const due = this.#due();
      const leader = await this.#askAll(due, signal);
      if (leader !== null) return leader;
      this.#explain();
      // With more to ask there is no pause: the others wait for their turn only.
      if (due.length < this.#pace.atOnce) await sleep(Math.max(1, lookAt - performance.now()), undefined, { signal });
    }
  }

  /** Learns which addresses are shown now. */
  async #look(signal: AbortSignal): Promise<void> {
    try {
      const before = this.#asked;
      const shown = await this.#options.addresses(signal);
      this.#asked = new Map(shown.map((address) => [address, before.get(address) ?? { times: 0, nextAt: 0 }]));
    } catch (error) {
      signal.throwIfAborted();
      this.#trouble = `GitHub could not be asked (${error instanceof Error ? error.message : String(error)})`;
    }
  }

  /** Whom to ask now: as many as may be asked at once, those asked least before the others. */
  #due(): readonly string[] {
    const { atOnce, connections, connectionEveryMs } = this.#pace;
    const now = performance.now();
    const allowed = connections + Math.floor((now - this.#began) / connectionEveryMs) - this.#connections;
    return [...this.#asked]
      .filter(([, { nextAt }]) => nextAt <= now)
      .toSorted(([, a], [, b]) => a.times - b.times)
      .slice(0, Math.max(0, Math.min(atOnce, allowed)))
      .map(([address]) => address);
  }

  /** The first that proves to be the leader ends the others' questions. */
  async #askAll(addresses: readonly string[], signal: AbortSignal): Promise<ProvenLeader | null> {
    if (addresses.length === 0) return null;
    this.#connections += addresses.length;
    const found = new AbortController();
    const ended = AbortSignal.any([signal, found.signal]);
    const answers = await Promise.allSettled(
      addresses.map(async (address) => {
        const answer = await this.#ask(address, ended);
        if ("leader" in answer) found.abort();
        return answer;
      }),
    );
    signal.throwIfAborted();
    const leaders: ProvenLeader[] = [];
    // The likeliest last: what it says is told.
    for (const answer of answers.toReversed()) {
      if (answer.status === "rejected") throw answer.reason;
      if ("leader" in answer.value) leaders.push(answer.value.leader);
      else if (!found.signal.aborted) this.#note(answer.value);
    }
    const leader = leaders.pop() ?? null;
    for (const other of leaders) other.agent.destroy();
    return leader;
  }

  /** @throws Refusal `protocol` */
  async #ask(address: string, signal: AbortSignal): Promise<Answer> {
    const { pauseFirstMs, pauseMostMs, answerFirstMs, answerMostMs } = this.#pace;
    const times = this.#asked.get(address)?.times ?? 0;
    const timeoutMs = Math.min(answerMostMs, answerFirstMs * 2 ** times);
    const { isTrusted, verifier, jobs } = this.#options;
    try {
      const checkJob = jobs.check.bind(jobs);
      return { leader: await proveLeader({ address, isTrusted, verifier, checkJob, timeoutMs, signal }) };
    } catch (error) {
      if (error instanceof Refusal && error.code === "protocol") throw error;
      if (error instanceof Refusal && !PASSING.has(error.code))
        return { why: `a false leader was refused: ${error.message}`, isFalse: true };
      const why = error instanceof Error ? error.message : String(error);
      return { why: `${address} has not proven to be the leader (${why})`, isFalse: false };
    } finally {
      const nextAt = performance.now() + Math.min(pauseMostMs, pauseFirstMs * 1.5 ** times);
      this.#asked.set(address, { times: times + 1, nextAt });
    }
  }

  #note({ why, isFalse }: Extract<Answer, { why: string }>): void {
    this.#trouble = why;
    // Asked again all the same: where an earlier attempt's leader is about to end, this run's may be next.
    if (!isFalse || this.#false.has(why) || this.#false.size > MOST_NAMED) return;
    this.#false.add(why);
    const isLast = this.#false.size > MOST_NAMED;
    this.#options.say(`warning: ${isLast ? "more false leaders were refused; they are not named any more" : why}`);
  }

  #explain(): void {
    const now = performance.now();
    if (now - this.#explainedAt < this.#pace.explainEveryMs) return;
    this.#explainedAt = now;
    const waited = now - this.#began;
    const left = Math.round((this.#options.timeoutMs - waited) / 1000);
    this.#options.say(
      `waiting for the leader of the group for ${Math.round(waited / 1000)} s: ${this.seen}; for ${left} s more at most`,
    );
  }
}

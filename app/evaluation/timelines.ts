/** Answers in which order the acts of one second happened, by GitHub's timeline. */
import type { GitHubClient } from "../../src/github/port.ts";
import { readTimeline } from "../../src/github/pulls/timeline.ts";
import type { Facts, Lookup } from "../../src/lifecycle/facts/facts.ts";
import { ordersOf } from "../../src/lifecycle/facts/order-in-second.ts";
import { record } from "../../src/lifecycle/facts/record.ts";

export interface TimelinesOptions {
  readonly now: () => number;
  readonly requestTimeout: number;
}

/** After this a second is over, at GitHub and in all of its copies: what is read of it then is all of it. */
export const SECOND_SETTLED_MS = 3_000;

/** When GitHub can be asked about the last of these seconds; null: nothing is asked about any. */
export function timelineDueAt(lookups: readonly Lookup[]): number | null {
  const seconds = lookups.flatMap((lookup) => (lookup.kind === "timeline" ? [lookup.at] : []));
  return seconds.length === 0 ? null : Math.max(...seconds) + SECOND_SETTLED_MS;
}

export class Timelines {
  readonly #options: TimelinesOptions;

  constructor(options: TimelinesOptions) {
    this.#options = options;
  }

  /** Whether this can be answered by now: a second must be over before its order is final. */
  isDue(lookup: Lookup): boolean {
    return lookup.kind !== "timeline" || lookup.at + SECOND_SETTLED_MS <= this.#options.now();
  }

  /** `facts` with the order of the seconds that are asked about, as far as they are over. Throws what the client throws. */
  async learn(facts: Facts, lookups: readonly Lookup[], client: () => Promise<GitHubClient>): Promise<Facts> {
    const { now, requestTimeout } = this.#options;
    const seconds = lookups.flatMap((lookup) => (lookup.kind === "timeline" && this.isDue(lookup) ? [lookup.at] : []));
    if (seconds.length === 0) {
      return facts;
    }
    // Not this moment: an act that comes later in this second is dated to its beginning, and must not count as contained.
    const asOf = now() - SECOND_SETTLED_MS + 1;
    const signal = AbortSignal.timeout(requestTimeout);
    const timeline = await readTimeline(await client(), facts.nodeId, Math.min(...seconds), signal);
    if (timeline === null) {
      throw new Error("GitHub does not show the pull request whose timeline is asked for.");
    }
    const { state, items } = timeline;
    return record(facts, {
      kind: "timeline",
      pull: { installationId: facts.installationId, repository: state.repository, number: facts.number },
      state,
      asOf,
      acts: items.filter(({ at }) => at !== null && seconds.includes(at)).flatMap((item) => item.acts),
      orders: ordersOf(items, seconds, facts.acts),
    });
  }
}

/**
 * What one repository, one installation and one workflow run may cost a coordinator that many share. Without it a single
 * job's token could open runs until the coordinator had no memory left, and GitHub no patience.
 *
 * What will pass is `too_many`, with the time after which to ask again; what never can is `over_limit`.
 */
import { LRUCache } from "lru-cache";
import type { RunKey } from "../../run/types.ts";
import { Refusal } from "../protocol/refusal.ts";

/** For a repository, or for all repositories of an installation together. */
export interface ScopeLimits {
  /** Runs that are not over. */
  readonly runs: number;
  /** Agents of those. */
  readonly agents: number;
  /** MiB of the plans that are kept: of runs that go on, and for ten minutes of those that are over. */
  readonly plans: number;
  /** Runs begun in an hour, all at once if need be. */
  readonly hourly: number;
  /** Requests in a second, averaged over ten. */
  readonly requests: number;
  /** MiB of requests in a minute, decompressed. */
  readonly traffic: number;
}

export interface QuotaLimits {
  readonly repository: ScopeLimits;
  readonly installation: ScopeLimits;
  /** Groups, times plans, that the jobs of one attempt of one workflow run may begin. */
  readonly workflowRun: number;
}

/** A group of 256 takes a sixteenth of what its repository may have. Each agent asks every two seconds at least. */
export const DEFAULT_QUOTAS: QuotaLimits = {
  repository: { runs: 200, agents: 4_096, plans: 64, hourly: 1_000, requests: 5_000, traffic: 512 },
  installation: { runs: 1_000, agents: 16_384, plans: 256, hourly: 4_000, requests: 10_000, traffic: 1_024 },
  workflowRun: 100,
};

export const QUOTA_NAMES = ["runs", "agents", "plans", "hourly", "requests", "traffic", "workflowRun"] as const;
export type QuotaName = (typeof QUOTA_NAMES)[number];

export interface QuotasOptions {
  readonly limits: QuotaLimits;
  /** Milliseconds, only ever rising. */
  readonly now: () => number;
  /** Told of each refusal. */
  readonly onRefused?: (quota: QuotaName) => void;
}

const MIB = 1024 * 1024;
/** A run that is over is kept in memory for so long. */
const KEPT_MS = 10 * 60_000;
/** Whoever waits for a place asks again after this. Seconds. */
const PLACE_S = 15;
/** Repositories, installations and workflow runs that are remembered. One that is forgotten begins anew. */
const MOST_REMEMBERED = 10_000;

interface Entry {
  readonly repositoryId: string;
  readonly agents: number;
  readonly bytes: number;
  /** Null: it goes on. */
  overAt: number | null;
}

/** Fills up again steadily, and is never fuller than full. */
interface Bucket {
  left: number;
  at: number;
}

export class Quotas {
  readonly #options: QuotasOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #begun = new LRUCache<string, number>({ max: MOST_REMEMBERED });
  readonly #buckets = new LRUCache<string, Bucket>({ max: 2 * MOST_REMEMBERED });
  /** Of repositories whose jobs were let in. */
  readonly #installations = new LRUCache<string, number>({ max: MOST_REMEMBERED });

  constructor(options: QuotasOptions) {
    this.#options = options;
  }

  /** Whose limits the repository shares. */
  belongs(repositoryId: string, installationId: number): void {
    this.#installations.set(repositoryId, installationId);
  }

  /** @throws Refusal `too_many` */
  spend(repositoryId: string, what: "request" | { readonly bytes: number }): void {
    if (what === "request") this.#draw(repositoryId, "requests", 1, ({ requests }) => [requests * 10, 10]);
    else this.#draw(repositoryId, "traffic", what.bytes, ({ traffic }) => [traffic * MIB, 60]);
  }

  /**
   * Takes a place for a run, unless it has one. Nothing may be awaited between this and whatever looked for the run.
   * @returns gives the place back: for a run that was not begun after all
   * @throws Refusal `too_many`, `over_limit`
   */
  begin(id: string, key: RunKey, agents: number, bytes: number): () => void {
    if (this.#entries.has(id)) return () => undefined;
    const { repositoryId } = key;
    const { limits } = this.#options;
    this.#forgetOld();
    const workflowRun = `${repositoryId} ${key.runId} ${key.attempt}`;
    const begun = this.#begun.get(workflowRun) ?? 0;
    if (begun >= limits.workflowRun) {
      this.#refuse(
        "workflowRun",
        `the jobs of this workflow run have begun ${begun} groups; one workflow run may have ${limits.workflowRun}`,
        null,
      );
    }
    for (const { whose, limits: limit, has } of this.#scopes(repositoryId)) {
      const entries = [...this.#entries.values()].filter(has);
      const live = entries.filter(({ overAt }) => overAt === null);
      this.#place("runs", live.length, 1, limit.runs, `${whose} has %d runs going on; it may have %d`);
      const seats = live.reduce((sum, entry) => sum + entry.agents, 0);
      const ofAgents = `${whose} has %d agents in runs that go on, and this run asks for ${agents}; it may have %d`;
      this.#place("agents", seats, agents, limit.agents, ofAgents);
      const held = entries.reduce((sum, entry) => sum + entry.bytes, 0);
      const ofPlans = `${whose} has %d MiB of plans in runs that go on or have just ended; it may have %d`;
      this.#place("plans", held / MIB, bytes / MIB, limit.plans, ofPlans);
    }
    this.#draw(repositoryId, "hourly", 1, ({ hourly }) => [hourly, 3_600]);
    this.#begun.set(workflowRun, begun + 1);
    this.#entries.set(id, { repositoryId, agents, bytes, overAt: null });
    return () => {
      this.#entries.delete(id);
      this.#begun.set(workflowRun, Math.max(0, (this.#begun.get(workflowRun) ?? 0) - 1));
    };
  }

  /** A run that was there before this process: it is counted, whatever the limits are now. */
  restore(id: string, key: RunKey, agents: number, bytes: number): void {
    const workflowRun = `${key.repositoryId} ${key.runId} ${key.attempt}`;
    this.#begun.set(workflowRun, (this.#begun.get(workflowRun) ?? 0) + 1);
    this.#entries.set(id, { repositoryId: key.repositoryId, agents, bytes, overAt: null });
  }

  over(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.overAt ??= this.#options.now();
  }

  /** Another process counts it. */
  gone(id: string): void {
    this.#entries.delete(id);
  }

  #scopes(repositoryId: string) {
    const { repository, installation } = this.#options.limits;
    const own = this.#installations.get(repositoryId);
    const scopes = [
      {
        whose: "this repository",
        key: `repository ${repositoryId}`,
        limits: repository,
        has: (entry: Entry) => entry.repositoryId === repositoryId,
      },
    ];
    if (own !== undefined) {
      scopes.push({
        whose: "this installation of the app",
        key: `installation ${own}`,
        limits: installation,
        has: (entry) => this.#installations.get(entry.repositoryId) === own,
      });
    }
    return scopes;
  }

  /** A place for something that stays until its run is over. `text`: with what is there and what may be, as %d. */
  #place(quota: keyof ScopeLimits, taken: number, more: number, most: number, text: string): void {
    if (taken + more <= most) return;
    const numbers = [taken, most].map((value) => String(Math.ceil(value)));
    const said = text.replaceAll("%d", () => numbers.shift() ?? "");
    this.#refuse(quota, more > most ? `${said}: this run alone is more` : said, more > most ? null : PLACE_S);
  }

  /** `sizeOf`: how much a full bucket holds, and the seconds in which an empty one is full again. */
  #draw(
    repositoryId: string,
    quota: "requests" | "traffic" | "hourly",
    amount: number,
    sizeOf: (limits: ScopeLimits) => readonly [full: number, seconds: number],
  ): void {
    const now = this.#options.now();
    const buckets = this.#scopes(repositoryId).map(({ whose, key, limits }) => {
      const [full, seconds] = sizeOf(limits);
      const name = `${quota} of ${key}`;
      const before = this.#buckets.get(name) ?? { left: full, at: now };
      const left = Math.min(full, before.left + ((now - before.at) / 1_000) * (full / seconds));
      return { whose, name, left, full, seconds };
    });
    for (const { whose, left, full, seconds } of buckets) {
      // More than fits at once empties a full one: it is bounded elsewhere.
      const needed = Math.min(amount, full);
      if (left >= needed) continue;
      const after = Math.max(1, Math.ceil(((needed - left) / full) * seconds));
      const shown = quota === "traffic" ? `${full / MIB} MiB of requests` : `${full} ${WHAT[quota]}`;
      this.#refuse(quota, `${whose} has had its ${shown} in ${seconds} s`, after);
    }
    for (const { name, left } of buckets) this.#buckets.set(name, { left: left - amount, at: now });
  }

  /** `retryAfter`: null where waiting does not help. */
  #refuse(quota: QuotaName, why: string, retryAfter: number | null): never {
    this.#options.onRefused?.(quota);
    if (retryAfter === null) throw new Refusal("over_limit", why);
    throw new Refusal("too_many", `${why}: ask again in ${retryAfter} s`, retryAfter);
  }

  #forgetOld(): void {
    const before = this.#options.now() - KEPT_MS;
    for (const [id, { overAt }] of this.#entries) {
      if (overAt !== null && overAt < before) this.#entries.delete(id);
    }
  }
}

const WHAT = { requests: "requests", hourly: "new runs" } as const;

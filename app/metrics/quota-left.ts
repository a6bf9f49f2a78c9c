/** What GitHub's rate limits leave, as the headers of its answers say it: to whom least, and to each installation of late. */
import { Gauge, type Registry } from "prom-client";

export interface RateLimit {
  readonly resource: string;
  /** Requests or points an hour; null: the answer did not say. */
  readonly limit: number | null;
  readonly remaining: number;
  /** Milliseconds since the epoch. */
  readonly resetAt: number;
}

interface Window extends RateLimit {
  readonly installation: string;
}

/** GitHub's names of what it counts apart; others are not expected of what the app asks. */
const RESOURCES: ReadonlySet<string> = new Set(["core", "graphql", "search", "integration_manifest"]);
/** Windows of installations that are remembered. */
const MOST_WINDOWS = 5_000;
/** Windows that are shown one by one: those that have least of what they may have. */
const MOST_SHOWN = 50;

export class QuotaLeft {
  readonly #least: Gauge<"resource">;
  readonly #left: Gauge<"installation" | "resource">;
  readonly #limit: Gauge<"installation" | "resource">;
  /** By installation and resource: what is left until when. */
  readonly #windows = new Map<string, Window>();

  constructor(registry: Registry, prefix: string) {
    const registers = [registry];
    this.#least = new Gauge({
      name: `${prefix}github_rate_limit_remaining`,
      help: "What GitHub's rate limit leaves to the installation that it leaves least.",
      labelNames: ["resource"],
      registers,
    });
    const labelNames = ["installation", "resource"] as const;
    this.#left = new Gauge({
      name: `${prefix}github_quota_remaining`,
      help: "What GitHub's rate limit leaves to an installation in this hour; of those with the least of theirs.",
      labelNames,
      registers,
    });
    this.#limit = new Gauge({
      name: `${prefix}github_quota_limit`,
      help: "What GitHub's rate limit allows the same installation an hour.",
      labelNames,
      registers,
    });
  }

  /** `installationId` null: the app itself. */
  heard(installationId: number | null, rateLimit: RateLimit): void {
    const resource = RESOURCES.has(rateLimit.resource) ? rateLimit.resource : "other";
    const installation = `${installationId ?? "app"}`;
    const key = `${installation} ${resource}`;
    // The newest is the last; of more than fit the oldest is forgotten.
    this.#windows.delete(key);
    this.#windows.set(key, { ...rateLimit, resource, installation });
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > MOST_WINDOWS && oldest !== undefined) {
      this.#windows.delete(oldest);
    }
  }

  /** Sets the gauges to what holds now: an hour that is over leaves nothing to tell. */
  read(now: number): void {
    const least = new Map<string, number>();
    for (const [key, { resource, remaining, resetAt }] of this.#windows) {
      if (resetAt <= now) {
        this.#windows.delete(key);
      } else {
        least.set(resource, Math.min(least.get(resource) ?? remaining, remaining));
      }
    }
    this.#least.reset();
    for (const [resource, remaining] of least) {
      this.#least.set({ resource }, remaining);
    }
    this.#left.reset();
    this.#limit.reset();
    const known = [...this.#windows.values()].filter(({ limit }) => limit !== null && limit > 0);
    for (const { installation, resource, remaining, limit } of known
      .toSorted((a, b) => a.remaining / (a.limit ?? 1) - b.remaining / (b.limit ?? 1))
      .slice(0, MOST_SHOWN)) {
      this.#left.set({ installation, resource }, remaining);
      this.#limit.set({ installation, resource }, limit ?? 0);
    }
  }
}

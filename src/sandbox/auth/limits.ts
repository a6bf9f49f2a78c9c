/** Primary rate limits: so many requests an hour, counted per installation, person, or repository (job tokens). */

import { limitKey } from "./access.ts";
import type { Caller } from "./caller.ts";

export type Resource = "core" | "graphql";

export interface Limits {
  readonly anonymous: number;
  readonly user: number;
  readonly installation: number;
  readonly job: number;
}

/** As documented by GitHub; apps' own JWTs count as an installation of their own. */
export const defaultLimits: Limits = { anonymous: 60, user: 5000, installation: 5000, job: 1000 };

const windowMs = 3_600_000;

export interface Budget {
  readonly resource: Resource;
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
  /** Epoch seconds. */
  readonly reset: number;
}

export class RateLimits {
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #windows = new Map<string, { start: number; used: number }>();

  constructor(limits: Limits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  read(caller: Caller, resource: Resource): Budget {
    const key = `${limitKey(caller)}:${resource}`;
    const now = this.#now();
    let window = this.#windows.get(key);
    if (window === undefined || now >= window.start + windowMs) {
      window = { start: now, used: 0 };
      this.#windows.set(key, window);
    }
    const limit = this.#limits[caller.kind === "app" ? "installation" : caller.kind];
    const reset = Math.ceil((window.start + windowMs) / 1000);
    return { resource, limit, used: Math.min(window.used, limit), remaining: Math.max(0, limit - window.used), reset };
  }

  /** Spends points and tells what is left. */
  spend(caller: Caller, resource: Resource, points: number): Budget {
    this.read(caller, resource);
    const window = this.#windows.get(`${limitKey(caller)}:${resource}`);
    if (window !== undefined) window.used += points;
    return this.read(caller, resource);
  }
}

export function limitHeaders(budget: Budget): Record<string, string> {
  return {
    "x-ratelimit-limit": String(budget.limit),
    "x-ratelimit-remaining": String(budget.remaining),
    "x-ratelimit-used": String(budget.used),
    "x-ratelimit-reset": String(budget.reset),
    "x-ratelimit-resource": budget.resource,
  };
}

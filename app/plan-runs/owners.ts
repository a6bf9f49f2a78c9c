/** Whose each hosted run is, by claims in the store: `run:<id>`, for as long as its owner's lease lasts. */
import { LRUCache } from "lru-cache";
import { VersionConflict } from "../../src/coordinator/hosting/run-store.ts";
import { Refusal } from "../../src/coordinator/protocol/refusal.ts";
import { Elsewhere, type OwnedRun, type RunOwner, type RunOwners } from "../../src/coordinator/replicas/owners.ts";
import { SingleFlight } from "../../src/single-flight.ts";
import { steadyNow } from "../../src/steady-clock.ts";
import { type Claim, ClaimLost, type ClaimStore, RUN_CLAIMS, type TakenClaim } from "../store/model.ts";

/** What is remembered of who has a run, when agents ask for it many times a second. */
const REMEMBERED_MS = 2_000;
const MOST_REMEMBERED = 10_000;
/** A run may be given back while it is asked for. */
const TRIES = 3;

/** This replica's lease, as this process knows it. */
export interface ReplicaLease {
  /** This replica. */
  readonly id: string;
  /**
   * `until`: by `performance.now()`; nobody can have taken anything over before. `breaks`: how often it had ended before
   * it was renewed: what was claimed before then may be somebody else's.
   */
  inForce(): { readonly until: number; readonly breaks: number };
}

export interface ClaimedRunsOptions {
  readonly claims: Pick<ClaimStore, "claim" | "release" | "ownerOf" | "within">;
  readonly lease: ReplicaLease;
  /** How long a request to GitHub may be on its way. Milliseconds. */
  readonly requestMs: number;
}

export class ClaimedRuns implements RunOwners {
  readonly #options: ClaimedRunsOptions;
  readonly #known = new LRUCache<string, RunOwner>({ max: MOST_REMEMBERED, ttl: REMEMBERED_MS });
  readonly #looking = new SingleFlight<string, RunOwner | null>();

  constructor(options: ClaimedRunsOptions) {
    this.#options = options;
  }

  async take(run: string): Promise<OwnedRun> {
    const { claims, lease, requestMs } = this.#options;
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const owner = this.#known.get(run) ?? (await this.#lookUp(run));
      if (owner !== null && owner.replica !== lease.id) throw new Elsewhere(run, owner);
      const { breaks } = lease.inForce();
      const [taken] = await claims.claim({ keys: [keyOfRun(run)], owner: lease.id, requestMs });
      if (taken !== undefined) return new Claimed(run, taken, breaks, this.#options);
    }
    throw new Refusal("unavailable", "this run is changing hands: ask again");
  }

  forget(run: string): void {
    this.#known.delete(run);
  }

  async isStill({ run, owner }: Elsewhere): Promise<boolean> {
    return (await this.#lookUp(run))?.replica === owner.replica;
  }

  async #lookUp(run: string): Promise<RunOwner | null> {
    return await this.#looking.share(run, async () => {
      const owner = await this.#options.claims.ownerOf(keyOfRun(run));
      if (owner === null) return null;
      const found = { replica: owner.owner, address: owner.address };
      if (found.replica !== this.#options.lease.id) this.#known.set(run, found);
      return found;
    });
  }
}

function keyOfRun(run: string): string {
  return `${RUN_CLAIMS}${run}`;
}

/** The run that a claim's key names; null: something else. */
export function runOfKey(key: string): string | null {
  return key.startsWith(RUN_CLAIMS) ? key.slice(RUN_CLAIMS.length) : null;
}

class Claimed implements OwnedRun {
  readonly from: number;
  readonly #run: string;
  readonly #claim: Claim;
  readonly #options: ClaimedRunsOptions;
  /** As of when it was certainly this replica's. */
  #breaks: number;
  #verifying: Promise<void> | null = null;

  constructor(run: string, { claim, waitMs }: TakenClaim, breaks: number, options: ClaimedRunsOptions) {
    this.#run = run;
    this.#claim = claim;
    this.#breaks = breaks;
    this.#options = options;
    this.from = waitMs === 0 ? 0 : steadyNow() + waitMs;
  }

  confirm(): Promise<void> | null {
    const { until, breaks } = this.#options.lease.inForce();
    if (breaks === this.#breaks && performance.now() < until) return null;
    this.#verifying ??= this.#verify().finally(() => {
      this.#verifying = null;
    });
    return this.#verifying;
  }

  async within<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#options.claims.within(this.#claim, work);
    } catch (error) {
      throw error instanceof ClaimLost ? new VersionConflict(error.message, { cause: error }) : error;
    }
  }

  async release(): Promise<void> {
    await this.#options.claims.release([this.#claim]);
  }

  /** This process's clock does not say so (any more): the store does. */
  async #verify(): Promise<void> {
    const { claims, lease } = this.#options;
    const { breaks } = lease.inForce();
    const owner = await claims.ownerOf(this.#claim.key).catch((error: unknown) => {
      const said = error instanceof Error ? error.message : String(error);
      throw new Refusal("not_stored", `whose run this is cannot be told at the moment (${said}): ask again`);
    });
    if (owner === null) throw new Refusal("not_stored", "the lease of this replica has ended: ask again");
    if (owner.owner !== lease.id) {
      throw new Elsewhere(this.#run, { replica: owner.owner, address: owner.address });
    }
    this.#breaks = breaks;
  }
}

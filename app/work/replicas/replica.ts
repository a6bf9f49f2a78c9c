/**
 * One of several processes on one database. It keeps its lease alive, takes the installations that it is preferred for
 * and those whose owner is gone, and hands over those that another is preferred for, once what it has begun has ended.
 *
 * A lease that may have ended by this process's own clock ends all beginning: no item is taken up and no request sent
 * until it is renewed, and what somebody else has taken meanwhile is dropped.
 */
import type { Logger } from "pino";
import { type Claim, ClaimLost, type Replica, type Store, type TakenClaim } from "../../store/model.ts";
import { RepeatedFailure } from "../repeated-failure.ts";
import type { Timings } from "../timings.ts";
import { TOPICS, type Wakeups } from "../wakeups.ts";
import { WorkerLoop } from "../worker-loop.ts";
import type { Ownership, OwnershipListener, Scope } from "./ownership.ts";
import { preferredReplica } from "./preference.ts";

export interface ReplicaOptions {
  readonly store: Pick<Store, "claims" | "replicas">;
  readonly replica: Replica;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly timings: Pick<Timings, "lease" | "beatEvery" | "requestTimeout">;
  readonly wakeups: Wakeups;
}

interface Owned {
  readonly scope: Scope;
  readonly claim: Claim;
  readonly unreleased: boolean;
  /** By our own clock: requests of the owner before may be on their way until then. */
  readonly from: number;
  state: "waiting" | "taking" | "owned" | "leaving";
  /** Parts of its work that are going on. */
  hands: number;
}

/** What was asked for, and since when. */
interface Wanted {
  readonly scope: Scope;
  since: number;
}

/** What nobody takes although somebody else is preferred is taken after so many leases. */
const PATIENCE = 2;
/** After what was to be taken up could not be. */
const TAKE_AGAIN_MS = 1_000;

export interface ReplicaCounts {
  /** Taken over from whoever ended without releasing it. */
  takeovers: number;
  /** Released for another that was preferred. */
  handovers: number;
  /** Somebody else had taken it. */
  lost: number;
}

export class ReplicaOwnership implements Ownership {
  readonly shared = true;
  readonly counts: ReplicaCounts = { takeovers: 0, handovers: 0, lost: 0 };
  readonly #options: ReplicaOptions;
  readonly #loop: WorkerLoop;
  readonly #owned = new Map<string, Owned>();
  readonly #wanted = new Map<string, Wanted>();
  #listener: OwnershipListener | null = null;
  #live: readonly string[] = [];
  /** When the lease was last asked for, by both clocks: whichever has gone further counts. */
  #renewed: { readonly at: number; readonly monotonic: number } | null = null;
  #breaks = 0;
  #stopping = false;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#loop = new WorkerLoop(
      () => options.store.claims.outside(() => this.#pass()),
      options.now,
      new RepeatedFailure({
        ...{ log: options.log, now: options.now },
        failing: "the lease of this replica cannot be renewed",
        over: "the lease of this replica is renewed again",
      }),
    );
    options.wakeups.on("claims", () => this.#loop.wake());
  }

  /** Begins to take what there is to do. Resolves when the others know of this replica. */
  async start(listener: OwnershipListener): Promise<void> {
    this.#listener = listener;
    await this.#beat();
    this.#loop.wake();
  }

  get idle(): boolean {
    return this.#loop.idle && [...this.#owned.values()].every(({ state }) => state === "owned");
  }

  retire(): void {
    this.#stopping = true;
    for (const each of this.#owned.values()) {
      // What was not taken up yet is for the next one to take up.
      each.state = each.state === "owned" ? "leaving" : each.state;
    }
    this.#loop.wake();
  }

  /** Gives back what is not being worked at; the rest is taken over when its time is up. */
  async stop(): Promise<void> {
    this.retire();
    await this.#loop.stop();
    const { store, replica, log } = this.#options;
    try {
      for (const each of this.#owned.values()) {
        await this.#release(each);
      }
      await store.claims.outside(() => store.replicas.leave(replica.id));
    } catch (error) {
      log.warn({ err: error }, "what this replica had could not be given back: it is taken over when its lease ends");
    }
    this.#options.wakeups.notify("claims");
  }

  owns(scope: Scope): boolean {
    const key = keyOf(scope);
    const owned = this.#owned.get(key);
    if (owned !== undefined) {
      return owned.state === "owned" && this.#isAlive && !this.#stopping;
    }
    if (!this.#wanted.has(key) && !this.#stopping) {
      this.#wanted.set(key, { scope, since: this.#options.now() });
      this.#loop.wake();
    }
    return false;
  }

  async run<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
    const key = keyOf(scope);
    const owned = this.#owned.get(key);
    if (owned === undefined || owned.state === "waiting") {
      throw new ClaimLost({ key, owner: this.#options.replica.id, fence: 0 });
    }
    owned.hands += 1;
    try {
      return await this.#options.store.claims.within(owned.claim, work);
    } catch (error) {
      if (error instanceof ClaimLost) {
        this.#lose(owned);
      }
      throw error;
    } finally {
      owned.hands -= 1;
      if (owned.hands === 0 && owned.state === "leaving") {
        this.#loop.wake();
      }
    }
  }

  assertOwned(): void {
    const claim = this.#options.store.claims.inForce();
    if (claim === null) {
      return;
    }
    // Other claims of this replica are kept by whoever took them.
    const owned = this.#owned.get(claim.key);
    if (!this.#isAlive || (isScope(claim.key) && owned?.claim.fence !== claim.fence)) {
      throw new ClaimLost(claim);
    }
  }

  /** This replica's id, for other claims under its lease. */
  get id(): string {
    return this.#options.replica.id;
  }

  isLive(id: string): boolean {
    return id === this.id || this.#live.includes(id);
  }

  /**
   * `until`: by `performance.now()`, when the lease may end; `breaks`: how often it had ended before it was renewed, so
   * that what was claimed before may be somebody else's.
   */
  inForce(): { readonly until: number; readonly breaks: number } {
    const { monotonic } = this.#renewed ?? { monotonic: Number.NEGATIVE_INFINITY };
    return { until: monotonic + this.#options.timings.lease, breaks: this.#breaks };
  }

  /** Whether the lease lasts for sure. */
  get #isAlive(): boolean {
    return this.#age < this.#options.timings.lease;
  }

  /** How long ago the lease was asked for: a clock that is set back makes it no younger. Milliseconds. */
  get #age(): number {
    const { at, monotonic } = this.#renewed ?? { at: Number.NEGATIVE_INFINITY, monotonic: 0 };
    return Math.max(this.#options.now() - at, performance.now() - monotonic);
  }

  async #pass(): Promise<number | null> {
    const { now, timings } = this.#options;
    if (this.#age >= timings.beatEvery) {
      await this.#beat();
    }
    for (const each of [...this.#owned.values()]) {
      if (each.state === "owned" && preferredReplica(each.claim.key, this.#live) !== each.claim.owner) {
        each.state = "leaving";
      }
      if (each.state === "leaving" && each.hands === 0) {
        this.counts.handovers += this.#stopping ? 0 : 1;
        await this.#release(each);
        this.#options.wakeups.notify("claims");
      }
    }
    await this.#claim();
    let next = now() + timings.beatEvery - this.#age;
    for (const each of this.#owned.values()) {
      if (each.state === "waiting" && each.from <= now()) {
        each.state = "taking";
        void this.#take(each);
      } else if (each.state === "waiting") {
        next = Math.min(next, each.from);
      }
    }
    return next;
  }

  async #beat(): Promise<void> {
    const { store, replica, now, timings, log } = this.#options;
    const asked = { at: now(), monotonic: performance.now() };
    const { unbroken, live } = await store.replicas.beat(replica, timings.lease);
    const before = this.#renewed;
    if (!unbroken && before !== null) {
      this.#breaks += 1;
      const standing = new Set((await store.claims.heldBy(replica.id)).map(({ fence }) => fence));
      log.warn({ claims: this.#owned.size, standing: standing.size }, "the lease of this replica had ended");
      for (const each of [...this.#owned.values()]) {
        if (!standing.has(each.claim.fence)) {
          this.#lose(each);
        }
      }
    }
    this.#renewed = asked;
    const ids = live.map(({ id }) => id);
    const gone = this.#live.some((id) => !ids.includes(id));
    this.#live = ids;
    if (gone || !unbroken) {
      // Somebody's work may be nobody's now, and only who looks for work asks for it.
      this.#wakeAll();
    }
  }

  /** Takes what is asked for and should be this replica's. */
  async #claim(): Promise<void> {
    const { store, replica, now, timings, log } = this.#options;
    const mine = [...this.#wanted.entries()].filter(
      ([key, { since }]) =>
        preferredReplica(key, this.#live) === replica.id || now() - since >= PATIENCE * timings.lease,
    );
    if (mine.length === 0 || this.#stopping) {
      return;
    }
    const request = { keys: mine.map(([key]) => key), owner: replica.id, requestMs: timings.requestTimeout };
    const taken = await store.claims.claim(request);
    const at = now();
    for (const [key, wanted] of mine) {
      const found = taken.find(({ claim }) => claim.key === key);
      if (found === undefined) {
        // Its owner lives, or hands it over just now. Whoever still needs it asks again.
        wanted.since = at;
        this.#forgetUnlessPreferred(key);
      } else {
        this.#wanted.delete(key);
        this.#owned.set(key, ownedOf(wanted.scope, found, at));
        this.counts.takeovers += found.unreleased ? 1 : 0;
        log.info({ key, fence: found.claim.fence, wait: found.waitMs, unreleased: found.unreleased }, "claimed");
      }
    }
  }

  #forgetUnlessPreferred(key: string): void {
    if (preferredReplica(key, this.#live) !== this.#options.replica.id) {
      this.#wanted.delete(key);
    }
  }

  /** Never throws. */
  async #take(owned: Owned): Promise<void> {
    const { log, now } = this.#options;
    try {
      await this.#listener?.taken(owned.scope, owned.unreleased);
      if (this.#owned.get(owned.claim.key) === owned) {
        owned.state = "owned";
        this.#wakeAll();
      }
    } catch (error) {
      if (this.#owned.get(owned.claim.key) === owned) {
        log.warn({ key: owned.claim.key, err: error }, "what was going on could not be taken up yet");
        this.#owned.set(owned.claim.key, { ...owned, from: now() + TAKE_AGAIN_MS, state: "waiting" });
        setTimeout(() => this.#loop.wake(), TAKE_AGAIN_MS);
      }
    }
    this.#loop.wake();
  }

  async #release(owned: Owned): Promise<void> {
    const { store, log } = this.#options;
    if (owned.hands > 0 || owned.state !== "leaving") {
      return;
    }
    await this.#listener?.released(owned.scope).catch((error: unknown) => {
      log.warn({ key: owned.claim.key, err: error }, "what was in progress could not be cleared");
    });
    this.#owned.delete(owned.claim.key);
    await store.claims.outside(() => store.claims.release([owned.claim]));
    log.info({ key: owned.claim.key, fence: owned.claim.fence }, "released");
  }

  #lose(owned: Owned): void {
    const { key } = owned.claim;
    if (this.#owned.get(key) === owned) {
      this.#owned.delete(key);
      this.counts.lost += 1;
      this.#options.log.warn({ key, fence: owned.claim.fence }, "somebody else has taken this over");
      this.#listener?.lost(owned.scope);
    }
  }

  #wakeAll(): void {
    for (const topic of TOPICS) {
      this.#options.wakeups.hear(topic, null);
    }
  }
}

function ownedOf(scope: Scope, { claim, waitMs, unreleased }: TakenClaim, at: number): Owned {
  return { scope, claim, unreleased, from: at + waitMs, state: "waiting", hands: 0 };
}

/** Keys of installations begin so. */
export const INSTALLATION = "installation:";
const APP = "app";

function isScope(key: string): boolean {
  return key === APP || key.startsWith(INSTALLATION);
}

export function keyOf(scope: Scope): string {
  return scope === "app" ? APP : `${INSTALLATION}${scope ?? "none"}`;
}

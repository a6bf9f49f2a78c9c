/**
 * Replicas of the app on one database, and what each of them owns. What is worked through in order at GitHub is claimed
 * by a key; who has claimed it writes with a fence, so that whoever lost it without knowing can change nothing.
 */

/** A process of the app, from its start to its end. */
export interface Replica {
  /** Made anew by each process. */
  readonly id: string;
  /** Where the others reach it; null: nowhere. */
  readonly address: string | null;
  readonly version: string;
}

export interface LiveReplica extends Replica {
  /** When its lease ends, by the store's clock. */
  readonly until: number;
}

export interface Beat {
  /** False: the lease had ended before, or there was none. What was claimed may be somebody else's. */
  readonly unbroken: boolean;
  /** Those whose lease has not ended, in order of their ids; this one among them. */
  readonly live: readonly LiveReplica[];
}

export interface ReplicaStore {
  /** Begins or renews the replica's lease: it ends so many milliseconds from now, by the store's clock. */
  beat(replica: Replica, leaseMs: number): Promise<Beat>;
  /** Ends its lease now: what it has not released is taken over. */
  leave(id: string): Promise<void>;
}

/** What stands between an owner's writes and everybody else's. */
export interface Claim {
  readonly key: string;
  /** The replica's id. */
  readonly owner: string;
  /** Grows with each claim, whatever its key, and is never given twice. */
  readonly fence: number;
}

export interface TakenClaim {
  readonly claim: Claim;
  /** So many milliseconds from now requests of the owner before may still be on their way. */
  readonly waitMs: number;
  /** The owner before ended without releasing it: what was going on is to be taken up. */
  readonly unreleased: boolean;
}

export interface ClaimRequest {
  readonly keys: readonly string[];
  /** A replica whose lease has not ended; others get nothing. */
  readonly owner: string;
  /** How long a request of somebody whose lease has ended may still be on its way. Milliseconds. */
  readonly requestMs: number;
}

export interface Owner {
  readonly owner: string;
  readonly address: string | null;
}

/** What GitHub asks of whoever works under a key. Milliseconds from now. */
export interface KeptPace {
  readonly key: string;
  /** Nothing is to be sent before. */
  readonly heldMs: number;
  /** Nothing is to be written before. */
  readonly nextWriteMs: number;
}

export interface ClaimStore {
  /**
   * Takes those of the keys that nobody has, that were released, or whose owner's lease has ended. What the replica has
   * already is taken anew: what it began under the claim before is fenced off.
   */
  claim(request: ClaimRequest): Promise<readonly TakenClaim[]>;
  /** Those that are still the owner's: nothing of them is on its way any more. */
  release(claims: readonly Claim[]): Promise<void>;
  /** What a replica has and has not released. */
  heldBy(owner: string): Promise<readonly Claim[]>;
  /** Who has it now; null: nobody whose lease has not ended. */
  ownerOf(key: string): Promise<Owner | null>;
  /**
   * Every write to the store inside checks the claim in its own transaction.
   * @throws ClaimLost from such a write, which changes nothing, when the claim is somebody else's
   */
  within<T>(claim: Claim, work: () => Promise<T>): Promise<T>;
  /** The claim that writes check here; null: none. */
  inForce(): Claim | null;
  /** Runs work under no claim, wherever it was begun. */
  outside<T>(work: () => T): T;
  /** Keeps what GitHub asks, whoever has heard it and whoever has the key: what is kept and lasts longer stays. */
  keepPace(pace: KeptPace): Promise<void>;
  /** What is kept of a key, or of all (default), and is not over. */
  paces(key?: string): Promise<readonly KeptPace[]>;
  /** Forgets claims and replicas that ended before a time, at most `limit` of each (default 500). Returns how many. */
  prune(before: number, limit?: number): Promise<number>;
}

/** Somebody else has taken it over. What was to be written was not, and what is known of it in memory is old. */
export class ClaimLost extends Error {
  override readonly name = "ClaimLost";
  readonly claim: Claim;

  constructor(claim: Claim) {
    super(`The claim of ${claim.key} (${claim.owner}, ${claim.fence}) does not stand any more.`);
    this.claim = claim;
  }
}

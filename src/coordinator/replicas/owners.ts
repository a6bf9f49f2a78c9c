/**
 * Who coordinates a run, where several coordinators share one store: one of them at a time. The others pass on what
 * agents ask them.
 */

/** In a request that is passed on, and in its answer: who has signed it. */
export const FORWARDED = "stagewright-forwarded";
export const ANSWERED = "stagewright-answered";
/** What a replica answers that does not have the run: 421, Misdirected Request. */
export const NOT_MINE = 421;

/** Where another coordinator is reached. */
export interface RunOwner {
  /** Made anew by each process. */
  readonly replica: string;
  /** `host:port`, or an address with its scheme; null: it is reached by nobody. */
  readonly address: string | null;
}

/** Another coordinator has this run: what is asked of it is to be asked there. */
export class Elsewhere extends Error {
  override readonly name = "Elsewhere";
  readonly run: string;
  readonly owner: RunOwner;

  constructor(run: string, owner: RunOwner) {
    super(`run ${run} is coordinated by another replica (${owner.address ?? "without an address"})`);
    this.run = run;
    this.owner = owner;
  }
}

/** A run that this coordinator has. */
export interface OwnedRun {
  /** Until then requests of the owner before may still be on their way: nothing is sent to others. By `steadyNow`. */
  readonly from: number;
  /**
   * Null while nobody else can have taken it, by this process's own clock. Else resolves when it is still this one's.
   * @throws Elsewhere when it is not; Refusal `not_stored` while that cannot be told
   */
  confirm(): Promise<void> | null;
  /** Writes to the store inside are undone where the run is somebody else's. @throws VersionConflict then */
  within<T>(work: () => Promise<T>): Promise<T>;
  /** Nothing of it is done here any more. */
  release(): Promise<void>;
}

export interface RunOwners {
  /**
   * The run becomes this coordinator's, if nobody has it whose lease lasts.
   * @throws Elsewhere; Refusal `unavailable` while it is changing hands
   */
  take(run: string): Promise<OwnedRun>;
  /** What is remembered of whose it is, is to be looked up anew. */
  forget(run: string): void;
  /** Whether the run is still that owner's, as far as the store says. */
  isStill(at: Elsewhere): Promise<boolean>;
}

/**
 * Whose work it is. What is worked through in order at GitHub belongs to an installation, and an installation to one
 * process at a time: its queues, its pace and what is remembered of it are right because nobody else works there.
 */
import type { InstallationId } from "../../store/model.ts";

/** An installation (null: what is of none), or what is done once for the whole app. */
export type Scope = InstallationId | "app";

/** What a process is given to work at: one thing, or everything. */
export type TakenScope = Scope | "all";

export interface Ownership {
  /** Whether others work on the same database. */
  readonly shared: boolean;
  /** Of this process. */
  readonly id: string;
  /** Whether the process with this id is known to go on. */
  isLive(id: string): boolean;
  /** Whether its work may be begun now. What nobody has is taken soon, since somebody asks; whoever asked is woken then. */
  owns(scope: Scope): boolean;
  /**
   * Does a part of its work: it is not given away before that has ended, and what is written checks that it is ours.
   * @throws ClaimLost when it is not, or is no longer
   */
  run<T>(scope: Scope, work: () => Promise<T>): Promise<T>;
  /** Before a request. @throws ClaimLost when what is being done here may be somebody else's by now */
  assertOwned(): void;
  /** Begins to take what there is to do. */
  start(listener: OwnershipListener): Promise<void>;
  /** Nothing is just changing hands. */
  readonly idle: boolean;
  /** Takes nothing more: gives back what nothing is going on of, and the rest as it ends. */
  retire(): void;
  /** Gives back what it has. */
  stop(): Promise<void>;
}

/** One process with a database of its own: everything is its own, always. */
export const SOLE_OWNERSHIP: Ownership = {
  shared: false,
  id: "",
  isLive: () => false,
  owns: () => true,
  run: (_, work) => work(),
  assertOwned: () => undefined,
  start: async () => undefined,
  idle: true,
  retire: () => undefined,
  stop: async () => undefined,
};

/** Told when something changes hands. */
export interface OwnershipListener {
  /** It is ours now; nothing of it is begun before this has resolved. `unreleased`: its owner before ended unheard. */
  taken(scope: Scope, unreleased: boolean): Promise<void>;
  /** Nothing of it is going on any more; it is somebody else's when this has resolved. */
  released(scope: Scope): Promise<void>;
  /** It may be somebody else's already: what is remembered of it is worth nothing. */
  lost(scope: Scope): void;
}

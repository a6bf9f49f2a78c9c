/** Which repositories are on hold. */
import type { Hold } from "../../../src/lifecycle/evaluation/evaluation.ts";
import type { Actor } from "../../../src/lifecycle/facts/facts.ts";

/** Somebody's word on a repository. */
export interface HoldWord {
  readonly repositoryId: number;
  /** False: it was taken off hold. */
  readonly held: boolean;
  readonly at: number;
  readonly by: Actor;
  readonly reason: string;
}

export interface HoldStore {
  /** Null: it is not on hold. */
  of(repositoryId: number): Promise<Hold | null>;
  /**
   * Resolves with false, and changes nothing, when a newer word is known. Of one second's words a hold counts, and of two
   * holds the later in the order of text, so that it does not matter which was heard first.
   */
  put(word: HoldWord): Promise<boolean>;
}

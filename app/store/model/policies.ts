/** What is known of the repositories' policies. */
import type { Policy } from "../../../src/lifecycle/policy/policy.ts";
import type { Problem } from "../../../src/plan/plan.ts";

/** A reading of the policy file, and what holds since. */
export interface PolicyState {
  /** The last one without errors; null: none was readable so far, so nothing is moved. */
  readonly inForce: Policy | null;
  /** Changes when what was read does: the file's hash, and those that it extends. Null: there is no file. */
  readonly source: string | null;
  readonly problems: readonly Problem[];
  readonly readAt: number;
  /** The commit that was read; null: the repository has none. */
  readonly head: string | null;
  readonly branch: string;
  readonly private: boolean;
  readonly reviewsRequired: number | null;
  /** What the check run last said; null: there was none. */
  readonly shown: { readonly digest: string; readonly good: boolean } | null;
  /** Whether it may have to say something else now. */
  readonly toShow: boolean;
}

export interface StoredPolicy {
  readonly repositoryId: number;
  /** Grows with each write of the state. */
  readonly version: number;
  /** Counts how often it was heard that the policy may be another. */
  readonly generation: number;
  /** Up to which of these the state knows. */
  readonly observedGeneration: number;
  /** Null: never read. */
  readonly state: PolicyState | null;
  /** Repositories (`owner/name`, lower case) whose policies it extends. */
  readonly bases: readonly string[];
  /** How often in a row reading or showing it failed. */
  readonly tries: number;
  readonly dueAt: number | null;
}

export interface PolicyStore {
  of(repositoryId: number): Promise<StoredPolicy | null>;
  /** They may be others now: they are due then. Those of which nothing is known yet are taken in. */
  mark(repositoryIds: readonly number[], at: number): Promise<void>;
  /**
   * Writes the state if nobody else has since `version`; resolves with whether it did. `bases`: the repositories whose
   * policies it extends; null: as before. If something was heard since `observedGeneration`, it stays due.
   */
  save(
    row: Pick<StoredPolicy, "repositoryId" | "version" | "observedGeneration" | "dueAt" | "tries"> & {
      readonly state: PolicyState;
      readonly bases: readonly string[] | null;
    },
  ): Promise<boolean>;
  /** It could not be read or shown: again then; null: when it is marked anew. */
  postpone(repositoryId: number, at: number | null): Promise<void>;
  /** Repositories whose policy extends that of this one (`owner/name`). */
  dependents(base: string): Promise<readonly number[]>;
}

/** The policy in force for a repository. */
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import type { Repository } from "../store/model.ts";

export interface Policies {
  /**
   * Throws a PolicyUnreadable where there is only a policy with errors, and what GitHub's client throws where none has
   * been read so far: then nothing is to be moved.
   */
  of(repository: Repository): Promise<Policy>;
  /** The one that is known, without asking anybody; null: none has been read so far. Throws a PolicyUnreadable as `of` does. */
  known(repository: Repository): Promise<Policy | null>;
  /** What it was read from changed, perhaps. Resolves with true when its pull requests are to be evaluated now. */
  mayHaveChanged(repository: Repository): Promise<boolean>;
  /**
   * Somebody came to be there, or can see the repository, or no longer: what the policy's check says of those whom it
   * names may be wrong now. `name`: as policies name him, `@org/` for any team of an organization, null: anybody.
   */
  namedMayHaveChanged(repository: Repository, name: string | null): Promise<void>;
}

/** The policy file has errors, and no earlier one without is known. The message says where to look. */
export class PolicyUnreadable extends Error {
  override readonly name = "PolicyUnreadable";
}

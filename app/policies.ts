/** The policy in force for a repository. */
import { DEFAULT_POLICY } from "../src/lifecycle/default-policy.ts";
import type { Policy } from "../src/lifecycle/policy.ts";
import type { Repository } from "./store/store.ts";

export interface Policies {
  of(repository: Repository): Promise<Policy>;
  /** The default branch was pushed to. Resolves with true when the policy is another now. */
  mayHaveChanged(repository: Repository): Promise<boolean>;
}

/** One policy for all repositories: the default where none has a file of its own. */
export function onePolicy(policy: Policy = DEFAULT_POLICY): Policies {
  return { of: async () => policy, mayHaveChanged: async () => false };
}

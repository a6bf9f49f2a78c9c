/** What all pull requests of a repository are evaluated by. */
import type { Hold } from "../../src/lifecycle/evaluation/evaluation.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import type { PermissionAnswers } from "../github-cache/permissions.ts";
import type { Policies } from "../policies/policy.ts";
import type { Repository, Store } from "../store/model.ts";

export interface RepositoryRules {
  readonly repository: Repository & { readonly installationId: number };
  readonly policy: Policy;
  /** Of the repository; null: there is none. */
  readonly hold: Hold | null;
  /** What was asked about people, so far. */
  readonly answers: PermissionAnswers;
}

export interface RulesOptions {
  readonly store: Pick<Store, "repository" | "holds">;
  readonly policies: Pick<Policies, "of">;
}

/**
 * Null: the app is not installed there, or nothing is known of it. Throws where there is no policy to go by. What
 * changes the rules changes the version of each pull request after that: whoever reads a pull request first and the
 * rules then, and stores only what that version of it led to, goes by none that were out of date.
 */
export async function rulesOf(
  { store, policies }: RulesOptions,
  repositoryId: number,
): Promise<RepositoryRules | null> {
  const repository = await store.repository(repositoryId);
  const installationId = repository?.installationId ?? null;
  if (repository === null || installationId === null) {
    return null;
  }
  const policy = await policies.of(repository);
  const hold = await store.holds.of(repositoryId);
  return { repository: { ...repository, installationId }, policy, hold, answers: new Map() };
}

/** The rules, read once for all pull requests of one repository that were taken from the store together. */
export class PageRules {
  readonly #options: RulesOptions;
  readonly #pages = new WeakMap<object, Map<number, Promise<RepositoryRules | null>>>();

  constructor(options: RulesOptions) {
    this.#options = options;
  }

  /** `page`: stands for what was taken together, before this is asked. */
  of(page: object, repositoryId: number): Promise<RepositoryRules | null> {
    const read = this.#pages.get(page) ?? new Map();
    this.#pages.set(page, read);
    const rules = read.get(repositoryId) ?? rulesOf(this.#options, repositoryId);
    read.set(repositoryId, rules);
    return rules;
  }
}

/** What people may do, as far as it is known: asked for when an evaluation needs it, and kept for ten minutes. */

import type { Logger } from "pino";
import {
  askPermission,
  isUndisclosed,
  type PermissionLookup,
  UNDISCLOSED,
  withAnswer,
} from "../../src/github/permissions.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { actorKey } from "../../src/lifecycle/evaluation/permissions.ts";
import type { Permissions } from "../../src/lifecycle/facts/facts.ts";
import { SingleFlight } from "../../src/single-flight.ts";
import type { Repository, Store } from "../store/model.ts";

export interface PermissionCacheOptions {
  readonly store: Pick<Store, "cached" | "cache" | "dropCache">;
  readonly log: Pick<Logger, "warn">;
  readonly now: () => number;
  readonly keepMs: number;
}

/** By the names under which they are kept. */
export type PermissionAnswers = Map<string, unknown>;

/** Answers lookups from the cache, else from GitHub. */
export class PermissionCache {
  readonly #options: PermissionCacheOptions;
  readonly #asking = new SingleFlight<string, unknown>();
  /** Rises when something may have changed: what was asked before that is not kept, nor shared with who asks later. */
  #age = 0;

  constructor(options: PermissionCacheOptions) {
    this.#options = options;
  }

  /**
   * `permissions` with the answers to these lookups. What GitHub does not let the app ask stays unknown and is not asked
   * again for a while. Throws what GitHub's client throws otherwise: nothing is taken as a no. `answers`: what was
   * learnt already by whoever asks for many at a time; what is learnt is added.
   */
  async learn(
    permissions: Permissions,
    lookups: readonly PermissionLookup[],
    repository: Repository,
    client: () => Promise<GitHubClient>,
    signal: AbortSignal,
    answers: PermissionAnswers = new Map(),
  ): Promise<Permissions> {
    let known = permissions;
    for (const lookup of lookups) {
      const { key, scope } = placeOf(lookup, repository);
      let value =
        answers.get(key) ?? (await this.#options.store.cached(key, this.#options.now() - this.#options.keepMs));
      if (value === undefined) {
        const age = this.#age;
        value = await this.#asking.share(`${age} ${key}`, async () => {
          const answer = await this.#ask(lookup, repository, await client(), signal);
          if (age === this.#age) {
            await this.#options.store.cache([{ key, scope, value: answer }], this.#options.now());
          }
          return answer;
        });
      }
      answers.set(key, value);
      known = withAnswer(known, lookup, value);
    }
    return known;
  }

  async #ask(
    lookup: PermissionLookup,
    repository: Repository,
    client: GitHubClient,
    signal: AbortSignal,
  ): Promise<unknown> {
    try {
      return await askPermission(client, repository, lookup, signal);
    } catch (error) {
      if (!isUndisclosed(error)) {
        throw error;
      }
      const names = { repository: `${repository.owner}/${repository.name}`, lookup };
      this.#options.log.warn({ ...names, err: error }, "GitHub does not let the app ask this: it grants nothing");
      return UNDISCLOSED;
    }
  }

  /** People's permissions on a repository may have changed. */
  async forgetRepository(repositoryId: number): Promise<void> {
    this.#age += 1;
    await this.#options.store.dropCache(repositoryScope(repositoryId));
  }

  /** Teams of an organization may have changed. */
  async forgetOrganization(login: string): Promise<void> {
    this.#age += 1;
    await this.#options.store.dropCache(organizationScope(login));
  }
}

// Scopes are stored with what is kept: they stay as earlier versions wrote them.
function repositoryScope(id: number): string {
  return `permissions on repository ${id}`;
}

function organizationScope(login: string): string {
  return `teams of organization ${login.toLowerCase()}`;
}

function placeOf(lookup: PermissionLookup, repository: Repository): { key: string; scope: string } {
  switch (lookup.kind) {
    case "permission":
      return {
        key: `permission ${repository.id} ${actorKey(lookup.actor)}`,
        scope: repositoryScope(repository.id),
      };
    case "team":
      return {
        key: `team ${lookup.team.toLowerCase()} ${actorKey(lookup.actor)}`,
        scope: organizationScope(lookup.team.split("/", 1)[0] ?? ""),
      };
    case "identity":
      return { key: `identity ${lookup.login}`, scope: "identities" };
  }
}

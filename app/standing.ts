/** What is known of people's standing: asked for when an evaluation needs it, and kept for ten minutes. */

import type { GitHubClient } from "../src/github/port.ts";
import { readIdentity, readMembership, readPermission } from "../src/github/standing.ts";
import type { Actor, Lookup, Standing } from "../src/lifecycle/facts.ts";
import { actorKey } from "../src/lifecycle/standing.ts";
import type { Repository, Store } from "./store/store.ts";

export type StandingLookup = Exclude<Lookup, { kind: "files" }>;

export const NO_STANDING: Standing = { permissions: {}, teams: {}, identities: {} };

export interface StandingOptions {
  readonly store: Pick<Store, "cached" | "cache" | "dropCache">;
  readonly now: () => number;
  readonly keepMs: number;
}

/** Answers lookups from the cache, else from GitHub. */
export class StandingKeeper {
  readonly #options: StandingOptions;

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  /** `standing` with the answers to these lookups. Throws what GitHub's client throws: nothing is taken as a no. */
  async learn(
    standing: Standing,
    lookups: readonly StandingLookup[],
    repository: Repository,
    client: () => Promise<GitHubClient>,
    signal: AbortSignal,
  ): Promise<Standing> {
    let known = standing;
    for (const lookup of lookups) {
      const { key, scope } = placeOf(lookup, repository);
      let value = await this.#options.store.cached(key, this.#options.now() - this.#options.keepMs);
      if (value === undefined) {
        value = await ask(lookup, repository, await client(), signal);
        await this.#options.store.cache([{ key, scope, value }], this.#options.now());
      }
      known = add(known, lookup, value);
    }
    return known;
  }

  /** People's permissions on a repository may have changed. */
  async forgetRepository(repositoryId: number): Promise<void> {
    await this.#options.store.dropCache(repositoryScope(repositoryId));
  }

  /** Teams of an organization may have changed. */
  async forgetOrganization(login: string): Promise<void> {
    await this.#options.store.dropCache(organizationScope(login));
  }
}

function repositoryScope(id: number): string {
  return `standing of repository ${id}`;
}

function organizationScope(login: string): string {
  return `standing of organization ${login.toLowerCase()}`;
}

function placeOf(lookup: StandingLookup, repository: Repository): { key: string; scope: string } {
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

async function ask(
  lookup: StandingLookup,
  repository: Repository,
  client: GitHubClient,
  signal: AbortSignal,
): Promise<unknown> {
  switch (lookup.kind) {
    case "permission":
      return await readPermission(client, repository, lookup.actor, signal);
    case "team":
      return await readMembership(client, lookup.team, lookup.actor, signal);
    case "identity":
      return await readIdentity(client, lookup.login, signal);
  }
}

/** The values come from `ask`, by way of the app's own store. */
function add(standing: Standing, lookup: StandingLookup, value: unknown): Standing {
  switch (lookup.kind) {
    case "permission": {
      const permission = value as Standing["permissions"][string];
      return { ...standing, permissions: { ...standing.permissions, [actorKey(lookup.actor)]: permission } };
    }
    case "team": {
      const members = { ...standing.teams[lookup.team], [actorKey(lookup.actor)]: value === true };
      return { ...standing, teams: { ...standing.teams, [lookup.team]: members } };
    }
    case "identity": {
      const identity = value as Actor | null;
      return { ...standing, identities: { ...standing.identities, [lookup.login]: identity } };
    }
  }
}

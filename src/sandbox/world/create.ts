/** A world in which nothing is yet. */
import { Changes } from "./changes.ts";
import { Ids } from "./ids.ts";
import { followPush, tryAutoMerges } from "./pulls/pulls-follow.ts";
import type { World, WorldOptions } from "./world.ts";

export function createWorld(options: WorldOptions): World {
  return {
    ids: new Ids(options.seed ?? null, options.largeIds ?? true),
    changes: new Changes(options.report),
    now: options.now ?? Date.now,
    baseUrl: "http://127.0.0.1",
    accounts: new Map(),
    organizationMembers: new Map(),
    teams: new Map(),
    apps: new Map(),
    installations: new Map(),
    tokens: new Map(),
    repositories: new Map(),
    formerNames: new Map(),
    commits: new Map(),
    suites: new Map(),
    checkRuns: new Map(),
    statuses: [],
    deployments: new Map(),
    protectionRequests: new Map(),
    workflows: new Map(),
    runs: new Map(),
    jobs: new Map(),
    deliveries: new Map(),
    nodes: new Map(),
    follows: { push: followPush, commit: tryAutoMerges },
  };
}

/** The world: everything that the sandbox remembers. Read it freely; change it only through this folder's functions. */
import type { Change, Changes, NewChange } from "./changes.ts";
import { notFound } from "./errors.ts";
import type { Ids } from "./ids.ts";
import type {
  Account,
  Actor,
  App,
  CheckRun,
  CheckSuite,
  Comment,
  Commit,
  Delivery,
  Deployment,
  Environment,
  Installation,
  Label,
  ProtectionRequest,
  PullRequest,
  Repository,
  Review,
  Status,
  Team,
  Token,
  Workflow,
  WorkflowJob,
  WorkflowRun,
} from "./model/index.ts";

/** What a node id stands for. */
export type Node =
  | { readonly type: "Account"; readonly value: Account }
  | { readonly type: "Team"; readonly value: Team }
  | { readonly type: "App"; readonly value: App }
  | { readonly type: "Repository"; readonly value: Repository }
  | { readonly type: "Commit"; readonly value: Commit }
  | { readonly type: "Label"; readonly value: Label }
  | { readonly type: "PullRequest"; readonly value: PullRequest }
  | { readonly type: "Review"; readonly value: Review }
  | { readonly type: "Comment"; readonly value: Comment }
  | { readonly type: "CheckSuite"; readonly value: CheckSuite }
  | { readonly type: "CheckRun"; readonly value: CheckRun }
  | { readonly type: "Deployment"; readonly value: Deployment }
  | { readonly type: "Environment"; readonly value: Environment }
  | { readonly type: "Workflow"; readonly value: Workflow }
  | { readonly type: "WorkflowRun"; readonly value: WorkflowRun };

export interface World {
  readonly ids: Ids;
  readonly changes: Changes;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Where it is reached, without a slash at the end. Known once it listens. */
  baseUrl: string;
  readonly accounts: Map<number, Account>;
  /** Organization id -> account id -> role. */
  readonly organizationMembers: Map<number, Map<number, "member" | "admin">>;
  readonly teams: Map<number, Team>;
  readonly apps: Map<number, App>;
  readonly installations: Map<number, Installation>;
  readonly tokens: Map<string, Token>;
  readonly repositories: Map<number, Repository>;
  /** Former full names, in lower case -> repository id. */
  readonly formerNames: Map<string, number>;
  readonly commits: Map<string, Commit>;
  readonly suites: Map<number, CheckSuite>;
  readonly checkRuns: Map<number, CheckRun>;
  readonly statuses: Status[];
  readonly deployments: Map<number, Deployment>;
  readonly protectionRequests: Map<number, ProtectionRequest>;
  readonly workflows: Map<number, Workflow>;
  readonly runs: Map<number, WorkflowRun>;
  readonly jobs: Map<number, WorkflowJob>;
  readonly deliveries: Map<string, Delivery>;
  readonly nodes: Map<string, Node>;
  readonly follows: Follows;
}

/** What follows for pull requests when something else moves: given to the world that it is about. */
export interface Follows {
  /** A branch was pushed to, or deleted. */
  readonly push: (
    world: World,
    actor: Actor,
    repo: Repository,
    push: {
      readonly branch: string;
      readonly before: string | null;
      readonly sha: string | null;
      readonly forced: boolean;
    },
  ) => void;
  /** A check, a status or an approval of this commit is there that may have been waited for. */
  readonly commit: (world: World, repo: Repository, sha: string) => void;
}

export interface WorldOptions {
  /** Default: the machine's clock. */
  readonly now?: () => number;
  /** With a seed, ids and tokens are the same from run to run. */
  readonly seed?: string;
  /** Default: true. False: only deliveries have ids beyond 2^53, as on GitHub so far. */
  readonly largeIds?: boolean;
  /** Told when a listener of the change feed throws. */
  readonly report: (error: unknown, change: Change) => void;
}

export function emit(world: World, change: NewChange): void {
  world.changes.emit(change, world.now());
}

/** Remembers what a node id stands for. */
export function register(world: World, node: Node): void {
  world.nodes.set(node.value.nodeId, node);
}

/** @throws WorldError not_found */
export function required<T>(value: T | undefined | null, what?: string): T {
  if (value === undefined || value === null) throw notFound(what);
  return value;
}

export function account(world: World, id: number): Account {
  return required(world.accounts.get(id), `no account ${id}`);
}

export function accountByLogin(world: World, login: string): Account | null {
  const wanted = login.toLowerCase();
  for (const candidate of world.accounts.values()) if (candidate.login.toLowerCase() === wanted) return candidate;
  return null;
}

export function repository(world: World, id: number): Repository {
  return required(world.repositories.get(id), `no repository ${id}`);
}

export function fullName(world: World, repo: Repository): string {
  return `${account(world, repo.ownerId).login}/${repo.name}`;
}

/** By its name now, or by one that it had. */
export function repositoryByName(world: World, owner: string, name: string): Repository | null {
  const wanted = `${owner}/${name}`.toLowerCase();
  for (const repo of world.repositories.values()) if (fullName(world, repo).toLowerCase() === wanted) return repo;
  const former = world.formerNames.get(wanted);
  return former === undefined ? null : (world.repositories.get(former) ?? null);
}

export function pullOf(world: World, repositoryId: number, number: number): PullRequest {
  return required(repository(world, repositoryId).pulls.get(number));
}

export function commit(world: World, sha: string): Commit {
  return required(world.commits.get(sha), `no commit ${sha}`);
}

export function app(world: World, id: number): App {
  return required(world.apps.get(id), `no app ${id}`);
}

/** Who can do something: people, organizations and their teams, apps and their bots. */

export type AccountType = "User" | "Bot" | "Organization";

export interface Account {
  readonly type: AccountType;
  readonly id: number;
  readonly nodeId: string;
  /** Bots carry the `[bot]` suffix, as REST writes them. */
  login: string;
  name: string | null;
  email: string | null;
  readonly createdAt: number;
  /** The app that this bot belongs to. */
  readonly appId: number | null;
}

/** What a person may do in a repository, weakest first. */
export type RepositoryPermission = "none" | "read" | "triage" | "write" | "maintain" | "admin";

export interface Team {
  readonly id: number;
  readonly nodeId: string;
  readonly organizationId: number;
  slug: string;
  name: string;
  description: string | null;
  readonly createdAt: number;
  /** Account id -> role in the team. */
  readonly members: Map<number, "member" | "maintainer">;
}

export type AccessLevel = "read" | "write" | "admin";

/** Permission name as REST writes it (`pull_requests`, `checks`, …) -> level. */
export type Permissions = Readonly<Record<string, AccessLevel>>;

export interface App {
  readonly id: number;
  readonly nodeId: string;
  readonly clientId: string;
  readonly slug: string;
  readonly name: string;
  readonly ownerId: number;
  readonly botId: number;
  /** PEM. Null for the built-in Actions app, which never signs in. */
  readonly privateKey: string | null;
  readonly publicKey: string | null;
  webhook: { url: string; secret: string } | null;
  permissions: Permissions;
  /** Webhook events that it is subscribed to. */
  events: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface Installation {
  readonly id: number;
  readonly nodeId: string;
  readonly appId: number;
  readonly accountId: number;
  repositorySelection: "all" | "selected";
  /** Used when the selection is `selected`. */
  readonly repositoryIds: Set<number>;
  permissions: Permissions;
  events: readonly string[];
  readonly createdAt: number;
  updatedAt: number;
  suspendedAt: number | null;
}

/** On whose behalf something is done: the account that is named, and through which door it came. */
export interface Actor {
  readonly account: Account;
  /** The app whose token was used. */
  readonly app: App | null;
  /** `job`: a workflow job's own token, whose doings start no workflows (but for dispatches). */
  readonly via: "user" | "app" | "job";
}

/** A bearer token and what it opens. */
export type Token =
  | { readonly kind: "user"; readonly token: string; readonly accountId: number }
  | {
      readonly kind: "installation";
      readonly token: string;
      readonly installationId: number;
      readonly permissions: Permissions;
      /** Null: all repositories of the installation. */
      readonly repositoryIds: readonly number[] | null;
      readonly expiresAt: number;
    }
  | {
      readonly kind: "job";
      readonly token: string;
      readonly jobId: number;
      readonly repositoryId: number;
      readonly permissions: Permissions;
      readonly expiresAt: number;
    };

/** GitHub Apps, their installations, and every kind of token. */
import { generateKeyPairSync } from "node:crypto";
import { WorldError } from "../errors.ts";
import type {
  AccessLevel,
  Account,
  Actor,
  App,
  Installation,
  Permissions,
  Repository,
  Token,
  WorkflowJob,
} from "../model/index.ts";
import { emit, register, required, type World } from "../world.ts";
import { addAccount } from "./accounts.ts";

export interface NewApp {
  readonly slug: string;
  readonly name?: string;
  readonly owner: Account;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  readonly webhook?: { readonly url: string; readonly secret: string };
  /** PEM; default: made anew, which takes a moment. */
  readonly keys?: { readonly privateKey: string; readonly publicKey: string };
}

/** Makes the app, its bot `<slug>[bot]` and an RSA key pair. */
export function addApp(world: World, input: NewApp): App {
  const { privateKey, publicKey } = input.keys ?? makeKeys();
  return makeApp(world, input, world.ids.next("App"), { privateKey, publicKey });
}

export function makeKeys(): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
}

const actionsSlug = "github-actions";

/** The app behind GITHUB_TOKEN and the jobs' check runs; made when it is first needed. */
export function actionsApp(world: World): App {
  for (const candidate of world.apps.values()) if (candidate.slug === actionsSlug) return candidate;
  const owner = addAccount(world, "Organization", "github", { name: "GitHub" });
  // The id that this app has on github.com.
  return makeApp(world, { slug: actionsSlug, name: "GitHub Actions", owner, permissions: {}, events: [] }, 15368, {
    privateKey: null,
    publicKey: null,
  });
}

function makeApp(world: World, input: NewApp, id: number, keys: Pick<App, "privateKey" | "publicKey">): App {
  const bot = addAccount(world, "Bot", `${input.slug}[bot]`, { appId: id });
  const made: App = {
    id,
    nodeId: world.ids.node("App", id),
    clientId: `Iv23${world.ids.node("App", `client:${id}`).slice(7)}`,
    slug: input.slug,
    name: input.name ?? input.slug,
    ownerId: input.owner.id,
    botId: bot.id,
    ...keys,
    webhook: input.webhook === undefined ? null : { ...input.webhook },
    permissions: input.permissions,
    events: input.events,
    createdAt: world.now(),
    updatedAt: world.now(),
  };
  world.apps.set(id, made);
  register(world, { type: "App", value: made });
  return made;
}

export function install(
  world: World,
  actor: Actor,
  input: {
    readonly app: App;
    readonly account: Account;
    readonly repositories: "all" | readonly Repository[];
    readonly permissions?: Permissions;
  },
): Installation {
  const id = world.ids.next("Installation");
  const made: Installation = {
    id,
    nodeId: world.ids.node("Installation", id),
    appId: input.app.id,
    accountId: input.account.id,
    repositorySelection: input.repositories === "all" ? "all" : "selected",
    repositoryIds: new Set(input.repositories === "all" ? [] : input.repositories.map((repo) => repo.id)),
    permissions: input.permissions ?? input.app.permissions,
    events: input.app.events,
    createdAt: world.now(),
    updatedAt: world.now(),
    suspendedAt: null,
  };
  world.installations.set(id, made);
  emit(world, { kind: "installation", action: "created", actor, installation: made });
  return made;
}

export function uninstall(world: World, actor: Actor, installation: Installation): void {
  emit(world, { kind: "installation", action: "deleted", actor, installation });
  world.installations.delete(installation.id);
  for (const [key, token] of world.tokens) {
    if (token.kind === "installation" && token.installationId === installation.id) world.tokens.delete(key);
  }
}

export function setSuspended(world: World, actor: Actor, installation: Installation, suspended: boolean): void {
  installation.suspendedAt = suspended ? world.now() : null;
  installation.updatedAt = world.now();
  emit(world, { kind: "installation", action: suspended ? "suspend" : "unsuspend", actor, installation });
}

export function setInstallationPermissions(
  world: World,
  actor: Actor,
  installation: Installation,
  permissions: Permissions,
): void {
  installation.permissions = permissions;
  installation.updatedAt = world.now();
  emit(world, { kind: "installation", action: "new_permissions_accepted", actor, installation });
}

export function changeInstallationRepositories(
  world: World,
  actor: Actor,
  installation: Installation,
  action: "added" | "removed",
  repositories: readonly Repository[],
): void {
  for (const repo of repositories) {
    if (action === "added") installation.repositoryIds.add(repo.id);
    else installation.repositoryIds.delete(repo.id);
  }
  installation.updatedAt = world.now();
  emit(world, { kind: "installation_repositories", action, actor, installation, repositories });
}

export function covers(world: World, installation: Installation, repo: Repository): boolean {
  if (!world.installations.has(installation.id)) return false;
  if (installation.repositorySelection === "all") return repo.ownerId === installation.accountId;
  return installation.repositoryIds.has(repo.id);
}

/** The repositories that an installation sees, in the order of their ids. */
export function repositoriesOf(world: World, installation: Installation): Repository[] {
  return [...world.repositories.values()].filter((repo) => covers(world, installation, repo));
}

export function installationsFor(world: World, repo: Repository): Installation[] {
  return [...world.installations.values()].filter((candidate) => covers(world, candidate, repo));
}

const levels: readonly AccessLevel[] = ["read", "write", "admin"];

/** Whether permissions contain `name` at `level` or above. Everything may read metadata. */
export function permits(permissions: Permissions, name: string, level: AccessLevel): boolean {
  if (name === "metadata" && level === "read") return true;
  const has = permissions[name];
  return has !== undefined && levels.indexOf(has) >= levels.indexOf(level);
}

/**
 * An installation's token, for an hour.
 * @throws WorldError invalid: more permissions or other repositories than the installation has.
 */
export function mintInstallationToken(
  world: World,
  installation: Installation,
  wanted: { readonly permissions?: Permissions; readonly repositoryIds?: readonly number[] } = {},
): Extract<Token, { kind: "installation" }> {
  if (installation.suspendedAt !== null) throw new WorldError("forbidden", "This installation has been suspended");
  for (const [name, level] of Object.entries(wanted.permissions ?? {})) {
    if (!permits(installation.permissions, name, level)) {
      throw new WorldError("invalid", "The permissions requested are not granted to this installation.");
    }
  }
  for (const id of wanted.repositoryIds ?? []) {
    const repo = world.repositories.get(id);
    if (repo === undefined || !covers(world, installation, repo)) {
      throw new WorldError(
        "invalid",
        "There is at least one repository that does not exist or is not accessible to the parent installation.",
      );
    }
  }
  const token = {
    kind: "installation",
    token: `ghs_${world.ids.secret()}`,
    installationId: installation.id,
    permissions: wanted.permissions ?? installation.permissions,
    repositoryIds: wanted.repositoryIds ?? null,
    expiresAt: world.now() + 3_600_000,
  } as const;
  world.tokens.set(token.token, token);
  return token;
}

export function addUserToken(world: World, user: Account): string {
  const token = `ghp_${world.ids.secret()}`;
  world.tokens.set(token, { kind: "user", token, accountId: user.id });
  return token;
}

/** A job's GITHUB_TOKEN: gone when the job ends, or after a day. */
export function mintJobToken(world: World, job: WorkflowJob, permissions: Permissions): string {
  const token = `ghs_${world.ids.secret()}`;
  world.tokens.set(token, {
    kind: "job",
    token,
    jobId: job.id,
    repositoryId: job.repositoryId,
    permissions,
    expiresAt: world.now() + 24 * 3_600_000,
  });
  return token;
}

/** Null: unknown or expired. */
export function resolveToken(world: World, text: string): Token | null {
  const token = world.tokens.get(text);
  if (token === undefined) return null;
  if (token.kind !== "user" && token.expiresAt <= world.now()) return null;
  if (token.kind === "job" && required(world.jobs.get(token.jobId)).status === "completed") return null;
  return token;
}

/** Who may do what: names of the policy against people and apps, by kind and id. What is unknown grants nothing. */
import type { Actor, Lookup, Permissions } from "../facts/facts.ts";
import type { Names } from "../policy/policy.ts";

export interface Authority {
  /** "unknown": something must be looked up first, or GitHub refuses to say it (no lookups then); it grants nothing. */
  readonly truth: "yes" | "no" | "unknown";
  /** Completes "alice …": `may`, `has no write permission`, … */
  readonly reason: string;
  readonly lookups: readonly Lookup[];
}

const WRITE: ReadonlySet<string> = new Set(["write", "maintain", "admin"]);

/** Key of an actor in `Permissions`. */
export function actorKey(actor: Actor): string {
  return `${actor.kind}:${actor.id}`;
}

export function sameActor(a: Actor, b: Actor): boolean {
  return a.kind === b.kind && a.id === b.id && a.id !== 0;
}

/**
 * Whether somebody has authority: by being named where the policy names people, else by write permission.
 * Apps have no permission level on a repository, so without being named they have none.
 */
export function authorityOf(actor: Actor, names: Names | null, permissions: Permissions): Authority {
  return names === null ? writePermission(actor, permissions) : named(actor, names, permissions);
}

/** Whether the answer may be another one day, with the same names: apps are in no team, and have no permission level. */
export function canChange(actor: Actor, names: Names | null): boolean {
  return actor.kind === "user" && (names === null || names.some((name) => name.startsWith("@")));
}

/** Whether somebody may look after the repository as a whole: the permission maintain or admin. */
export function mayMaintain(actor: Actor, permissions: Permissions): Authority {
  const permission = own(permissions.levels, actorKey(actor));
  if (actor.kind === "bot" || actor.id === 0 || permission === undefined || permission === null) {
    return writePermission(actor, permissions);
  }
  return permission === "maintain" || permission === "admin"
    ? yes("maintains the repository")
    : no("does not maintain the repository");
}

function writePermission(actor: Actor, permissions: Permissions): Authority {
  if (actor.kind === "bot") {
    return no("is an app, and apps have no permission level: name it in `by`");
  }
  if (actor.id === 0) {
    return no("is not known");
  }
  const permission = own(permissions.levels, actorKey(actor));
  if (permission === undefined) {
    return { truth: "unknown", reason: "has a permission not known yet", lookups: [{ kind: "permission", actor }] };
  }
  if (permission === null) {
    return unsaid("has a permission that GitHub does not tell the app");
  }
  return WRITE.has(permission) ? yes("has write permission") : no("has no write permission");
}

function named(actor: Actor, names: Names, permissions: Permissions): Authority {
  const lookups: Lookup[] = [];
  const secret: string[] = [];
  if (actor.id === 0) {
    return no("is not known");
  }
  for (const name of names) {
    if (name.startsWith("@")) {
      const member = own(own(permissions.teams, name.slice(1)) ?? {}, actorKey(actor));
      if (member === true) {
        return yes(`is in ${name}`);
      }
      // Apps are in no team, so nobody needs to ask.
      if (member === undefined && actor.kind === "user") {
        lookups.push({ kind: "team", team: name.slice(1), actor });
      }
      if (member === null) {
        secret.push(name);
      }
      continue;
    }
    const identity = own(permissions.identities, name);
    if (identity === undefined) {
      lookups.push({ kind: "identity", login: name });
    } else if (identity !== null && sameActor(identity, actor)) {
      return yes(`is named as ${name}`);
    }
  }
  if (lookups.length > 0) {
    return { truth: "unknown", reason: `is not yet known to be ${orList(names)}`, lookups };
  }
  return secret.length > 0
    ? unsaid(`is not known to be ${orList(names)}, as GitHub does not tell the app who is in ${orList(secret)}`)
    : no(names.length === 0 ? "is not named, as nobody is" : `is not ${orList(names)}`);
}

/** `a`, `a or b`, `a, b or c`. */
export function orList(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} or ${last}`;
}

/** Who can give something: for reasons. */
export function whoMay(names: Names | null): string {
  return names === null ? "someone with write permission" : names.length === 0 ? "nobody" : orList(names);
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function yes(reason: string): Authority {
  return { truth: "yes", reason, lookups: [] };
}

function unsaid(reason: string): Authority {
  return { truth: "unknown", reason, lookups: [] };
}

function no(reason: string): Authority {
  return { truth: "no", reason, lookups: [] };
}

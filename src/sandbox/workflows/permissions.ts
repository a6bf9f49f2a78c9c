/** `permissions:` -> what a job's token may do. Pure. */
import type { PermissionsDefinition } from "./definition/definition.ts";

type Level = "read" | "write" | "none";
/** Workflow spelling (`pull-requests`) -> level. */
export type Granted = Readonly<Record<string, Level>>;

/** The permissions that a token can have, as a workflow file spells them. */
export const PERMISSIONS = [
  "actions",
  "attestations",
  "checks",
  "contents",
  "deployments",
  "discussions",
  "id-token",
  "issues",
  "models",
  "packages",
  "pages",
  "pull-requests",
  "repository-projects",
  "security-events",
  "statuses",
] as const;

/** GitHub's restricted default, for repositories made since 2023. */
const DEFAULT: Granted = { contents: "read", packages: "read" };

function resolve(definition: PermissionsDefinition): Granted {
  if (typeof definition !== "string") return definition;
  const level = definition === "read-all" ? "read" : "write";
  return Object.fromEntries(
    PERMISSIONS.map((name) => [name, name === "id-token" && level === "read" ? "none" : level]),
  );
}

const order: readonly Level[] = ["none", "read", "write"];
const lower = (a: Level, b: Level): Level => (order.indexOf(a) <= order.indexOf(b) ? a : b);

/**
 * The job's `permissions`, else the workflow's, else the default.
 * @param ceiling in a called workflow: what the caller has; nobody gets more.
 * @param untrusted a fork's pull request: nothing is written, and no OIDC.
 */
export function grant(
  workflow: PermissionsDefinition | null,
  job: PermissionsDefinition | null,
  ceiling: Granted | null,
  untrusted: boolean,
): Granted {
  const asked = job ?? workflow;
  const wanted = asked === null ? (ceiling ?? DEFAULT) : resolve(asked);
  return Object.fromEntries(
    Object.entries(wanted).map(([name, level]) => {
      const capped = ceiling === null ? level : lower(level, ceiling[name] ?? "none");
      if (!untrusted) return [name, capped];
      return [name, name === "id-token" ? "none" : lower(capped, "read")];
    }),
  );
}

/** As the REST API spells them, without what is no permission of a token. */
export function tokenPermissions(granted: Granted): Readonly<Record<string, "read" | "write">> {
  const permissions: Record<string, "read" | "write"> = { metadata: "read" };
  for (const [name, level] of Object.entries(granted)) {
    if (level !== "none" && name !== "id-token") permissions[name.replaceAll("-", "_")] = level;
  }
  return permissions;
}

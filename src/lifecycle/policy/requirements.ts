/** What a policy needs of GitHub, held against what the app was granted there: what is missing is said when it loads. */
import { ACTIONS, permissionsRequired } from "../actions/index.ts";
import { leavesOf } from "../conditions/index.ts";
import { type AccountState, missingAccounts } from "./named-accounts.ts";
import type { Action, ActionKind, Leaf, Names, Policy } from "./policy.ts";

/** What was learnt of the repository and of the app's installation there. */
export interface RepositorySetup {
  /** Null: not known. */
  readonly granted: {
    readonly permissions: Readonly<Record<string, string>>;
    readonly events: readonly string[];
  } | null;
  /** Of each environment in a `release`: whether our protection rule guards it; `hidden`: the app may not see that. */
  readonly environments: Readonly<Record<string, "ours" | "not_ours" | "missing" | "hidden">>;
  /** Of those whom the policy names; who is left out is taken to be there. */
  readonly names?: Readonly<Record<string, AccountState>>;
  readonly private: boolean;
  readonly branch: string;
  /** Approving reviews that the default branch asks for; null: not known. */
  readonly reviewsRequired: number | null;
}

export interface MissingRequirement {
  readonly kind: "permission" | "event" | "environment" | "reviews" | "names";
  /** One sentence: what is missing, for what, and what to do. */
  readonly text: string;
}

const LEVELS = ["none", "read", "write", "admin"];

/** What every policy needs besides its conditions and actions. */
const ALWAYS_NEEDED: Readonly<Record<string, "read" | "write">> = {
  checks: "write",
  contents: "read",
  issues: "read",
  metadata: "read",
  pull_requests: "write",
};
const ALWAYS_HEARD = ["pull_request", "push", "issue_comment", "label", "check_run"];

/** By condition: what has to be heard and read for it. */
export const CONDITION_NEEDS: Readonly<
  Partial<Record<Leaf["kind"], { readonly events?: readonly string[]; readonly permissions?: readonly string[] }>>
> = {
  approvals: { events: ["pull_request_review"] },
  changes_requested: { events: ["pull_request_review"] },
  checks: { events: ["status", "check_suite"], permissions: ["statuses"] },
  checks_pass: { events: ["status", "check_suite"], permissions: ["statuses"] },
  workflow: { events: ["workflow_run"], permissions: ["actions"] },
};

/** Actions that wait for an event of their own. */
export const ACTION_EVENTS: Readonly<Partial<Record<ActionKind, readonly string[]>>> = {
  start: ["workflow_run"],
  release: ["deployment_protection_rule"],
};

/** Environments that the policy's `release` actions open, each once. */
export function environmentsOf(policy: Policy): string[] {
  const names = actionsIn(policy).flatMap((action) => (action.kind === "release" ? [action.environment] : []));
  return [...new Set(names)];
}

/** Everything that is missing; empty: nothing that is known of. */
export function missingRequirements(policy: Policy, circumstances: RepositorySetup): MissingRequirement[] {
  const { granted } = circumstances;
  return [
    ...(granted === null
      ? []
      : [...permissionLacks(policy, granted.permissions), ...eventLacks(policy, granted.events)]),
    ...environmentLacks(policy, circumstances),
    ...reviewLacks(policy, circumstances),
    ...missingAccounts(policy, circumstances.names ?? {}).map((text): MissingRequirement => ({ kind: "names", text })),
  ];
}

/** Why an effect of this kind cannot be carried out with these permissions; null: nothing speaks against it. */
export function refusalOf(kind: string, permissions: Readonly<Record<string, string>>): string | null {
  const required = Object.entries(ACTIONS).find(([name]) => name === kind)?.[1].requiredPermissions ?? {};
  const missing = Object.entries(required).filter(([name, level]) => !grants(permissions, name, level));
  const said = missing.map(([name, level]) => `${name}: ${level}`).join(", ");
  return missing.length === 0
    ? null
    : `it needs the app's permission ${said}, which is not granted here: give it in the app's settings, and accept it in the installation's`;
}

function permissionLacks(policy: Policy, permissions: Readonly<Record<string, string>>): MissingRequirement[] {
  const needed = new Map<string, { level: "read" | "write"; user: string }[]>();
  const need = (name: string, level: "read" | "write", user: string): void => {
    needed.set(name, [...(needed.get(name) ?? []), { level, user }]);
  };
  for (const [name, level] of Object.entries(ALWAYS_NEEDED)) {
    need(name, level, "every policy");
  }
  for (const [name, { level, actions }] of permissionsRequired(policy)) {
    for (const action of actions) {
      need(name, level, action);
    }
  }
  for (const { kind } of leavesIn(policy)) {
    for (const name of CONDITION_NEEDS[kind]?.permissions ?? []) {
      need(name, "read", kind);
    }
  }
  if (namesIn(policy).some((name) => name.startsWith("@"))) {
    need("members", "read", "teams");
  }
  return [...needed].flatMap(([name, required]): MissingRequirement[] => {
    const open = required.filter(({ level }) => !grants(permissions, name, level));
    const level = open.some((each) => each.level === "write") ? "write" : "read";
    const users = [...new Set(open.map(({ user }) => user))].join(", ");
    const has = permissions[name] ?? "none";
    const text = `The app lacks the permission ${name}: ${level} (has: ${has}), needed by ${users}: ask for it in the app's settings, and accept it in the installation's`;
    return open.length === 0 ? [] : [{ kind: "permission", text }];
  });
}

function eventLacks(policy: Policy, events: readonly string[]): MissingRequirement[] {
  const needed = new Map<string, string[]>(ALWAYS_HEARD.map((event) => [event, ["every policy"]]));
  const need = (event: string, user: string): void => {
    needed.set(event, [...new Set([...(needed.get(event) ?? []), user])]);
  };
  for (const { kind } of leavesIn(policy)) {
    for (const event of CONDITION_NEEDS[kind]?.events ?? []) {
      need(event, kind);
    }
  }
  for (const { kind } of actionsIn(policy)) {
    for (const event of ACTION_EVENTS[kind] ?? []) {
      need(event, kind);
    }
  }
  return [...needed]
    .filter(([event]) => !events.includes(event))
    .map(([event, users]) => ({
      kind: "event",
      text: `The app does not hear of ${event}, needed by ${users.join(", ")}: subscribe to it in the app's settings`,
    }));
}

function environmentLacks(policy: Policy, circumstances: RepositorySetup): MissingRequirement[] {
  return environmentsOf(policy).flatMap((name): MissingRequirement[] => {
    const found = circumstances.environments[name];
    const plan = circumstances.private ? ". Private repositories have such rules with GitHub Enterprise only" : "";
    const lack = (text: string): MissingRequirement[] => [{ kind: "environment", text }];
    switch (found) {
      case "not_ours":
        return lack(
          `Nothing holds the jobs of the environment ${name}: enable this app as a deployment protection rule in its settings${plan}`,
        );
      case "missing":
        return lack(`There is no environment ${name}: make it, with this app as a deployment protection rule${plan}`);
      case "hidden": {
        const has = circumstances.granted?.permissions.actions ?? "none";
        const text = `The app may not read which rules the environment ${name} has, so nobody can say whether its jobs are held, and jobs that wait unheard are not found: it needs the permission actions: read (has: ${has}); ask for it in the app's settings, and accept it in the installation's`;
        return [{ kind: "permission", text }];
      }
      default:
        return [];
    }
  });
}

/** GitHub never counts an app's review for its own required reviews. */
function reviewLacks(policy: Policy, { reviewsRequired, branch }: RepositorySetup): MissingRequirement[] {
  if (reviewsRequired === null || reviewsRequired === 0) {
    return [];
  }
  const bots = leavesIn(policy)
    .flatMap((leaf) => (leaf.kind === "approvals" ? (leaf.by ?? []) : []))
    .filter((name) => name.endsWith("[bot]"));
  const reviews = reviewsRequired === 1 ? "an approving review" : `${reviewsRequired} approving reviews`;
  return bots.length === 0
    ? []
    : [
        {
          kind: "reviews",
          text: `The branch ${branch} asks for ${reviews} before a merge, and GitHub never counts those of ${[...new Set(bots)].join(", ")} for that: people have to approve, too, or the rule has to go`,
        },
      ];
}

function grants(permissions: Readonly<Record<string, string>>, name: string, level: string): boolean {
  // Every installation may read metadata.
  return LEVELS.indexOf(permissions[name] ?? (name === "metadata" ? "read" : "none")) >= LEVELS.indexOf(level);
}

function actionsIn(policy: Policy): Action[] {
  return policy.stages.flatMap((stage) => [...stage.onEnter, ...stage.onBack, ...stage.onOverdue]);
}

function leavesIn(policy: Policy): Leaf[] {
  return policy.stages.flatMap((stage) =>
    [stage.enter, stage.when, stage.back?.when ?? null].flatMap((tree) => (tree === null ? [] : leavesOf(tree))),
  );
}

function namesIn(policy: Policy): Names {
  const named = leavesIn(policy).flatMap((leaf) => ("by" in leaf ? (leaf.by ?? []) : []));
  return [...named, ...policy.operators, ...policy.onPush.exceptBy];
}

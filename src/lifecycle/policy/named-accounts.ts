/** Those whom a policy names, where, and what follows where they are nobody. */
import { leavesOf } from "../conditions/index.ts";
import type { Names, Policy } from "./policy.ts";

/**
 * `blind`: it cannot see the repository; `not_given`: a team that was not given the repository, whose members see it
 * otherwise; `hidden`: the app may not know.
 */
export type AccountState = "there" | "missing" | "blind" | "not_given" | "hidden";

interface Use {
  /** `approvals of approved`, `operators`. */
  readonly where: string;
  readonly names: Names;
  /** They are asked for reviews: GitHub asks no team that was not given the repository. */
  readonly asked: boolean;
}

/** No more are asked about. */
const MOST_NAMES = 60;

/** Each once, in the order in which the policy has them. */
export function namesOf(policy: Policy): string[] {
  return [...new Set(usesOf(policy).flatMap(({ names }) => names))].slice(0, MOST_NAMES);
}

/** `name`: as a policy names it, or `@org/` for any team of an organization; null: anybody. */
export function namesAny(policy: Policy, name: string | null): boolean {
  const wanted = name?.toLowerCase() ?? "";
  const many = wanted === "" || wanted.endsWith("/");
  return namesOf(policy).some((each) => {
    const known = each.toLowerCase();
    return many ? known.startsWith(wanted) : known === wanted;
  });
}

/** One sentence for each name that stands for nobody. Names of which nothing is known count as being there. */
export function missingAccounts(policy: Policy, seen: Readonly<Record<string, AccountState>>): string[] {
  const uses = usesOf(policy);
  const seenOf = (name: string): AccountState => (Object.hasOwn(seen, name) ? (seen[name] ?? "there") : "there");
  const counts = (name: string, { asked }: Use): boolean =>
    seenOf(name) === "there" || (seenOf(name) === "not_given" && !asked);
  return namesOf(policy).flatMap((name) => {
    const what = seenOf(name);
    const where = uses.filter((use) => use.names.includes(name) && !counts(name, use));
    if (what === "there" || where.length === 0) {
      return [];
    }
    const nobody = where.filter((use) => !use.names.some((each) => counts(each, use))).map((use) => use.where);
    const follows = nobody.length === 0 ? "it counts for nothing there" : `nobody is left for ${nobody.join(", ")}`;
    return [`${say(name, what)}: named in ${where.map((use) => use.where).join(", ")}; ${follows}`];
  });
}

function say(name: string, seen: Exclude<AccountState, "there">): string {
  const what = name.startsWith("@") ? "team" : name.endsWith("[bot]") ? "app" : "user";
  switch (seen) {
    case "missing":
      return what === "team" ? `There is no team ${name}, or the app may not see it` : `There is no ${what} ${name}`;
    case "blind":
      return `The ${what} ${name} cannot see this repository`;
    case "not_given":
      return `The ${what} ${name} was not given this repository, and GitHub asks no such team for a review`;
    case "hidden":
      return `GitHub does not tell the app who is in ${name} (it has to be installed there, with members: read)`;
  }
}

function usesOf(policy: Policy): Use[] {
  const ofStages = policy.stages.flatMap((stage): Use[] => {
    const trees = [stage.enter, stage.when, stage.back?.when ?? null];
    const leaves = trees.flatMap((tree) => (tree === null ? [] : leavesOf(tree)));
    const conditions = leaves.flatMap((leaf) =>
      "by" in leaf && leaf.by !== null ? [use(`${leaf.kind} of ${stage.name}`, leaf.by)] : [],
    );
    const owner = stage.owner === null ? [] : [use(`owner of ${stage.name}`, [stage.owner])];
    const actions = [...stage.onEnter, ...stage.onBack, ...stage.onOverdue];
    const reviewers = actions.flatMap((action) =>
      action.kind === "request_review" ? [...action.users, ...action.teams.map((team) => `@${team}`)] : [],
    );
    return [...conditions, ...owner, { ...use(`request_review of ${stage.name}`, reviewers), asked: true }];
  });
  return [...ofStages, use("operators", policy.operators), use("on_push.except", policy.onPush.exceptBy)];
}

function use(where: string, names: Names): Use {
  return { where, names, asked: false };
}

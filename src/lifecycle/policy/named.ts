/** Those whom a policy names, where, and what follows where they are nobody. */
import { leavesOf } from "../conditions/index.ts";
import type { Names, Policy } from "./policy.ts";

/** `blind`: it cannot see the repository; `hidden`: the app may not know. */
export type NameSeen = "there" | "missing" | "blind" | "hidden";

interface Use {
  /** `approvals of approved`, `operators`. */
  readonly where: string;
  readonly names: Names;
}

/** No more are asked about. */
const MOST_NAMES = 60;

/** Each once, in the order in which the policy has them. */
export function namesOf(policy: Policy): string[] {
  return [...new Set(usesOf(policy).flatMap(({ names }) => names))].slice(0, MOST_NAMES);
}

/** One sentence for each name that stands for nobody. Names of which nothing is known count as being there. */
export function namesLacking(policy: Policy, seen: Readonly<Record<string, NameSeen>>): string[] {
  const uses = usesOf(policy);
  const isThere = (name: string): boolean => (Object.hasOwn(seen, name) ? seen[name] : "there") === "there";
  return namesOf(policy).flatMap((name) => {
    const what = Object.hasOwn(seen, name) ? seen[name] : "there";
    if (what === undefined || what === "there") {
      return [];
    }
    const where = uses.filter(({ names }) => names.includes(name));
    const nobody = where.filter(({ names }) => !names.some(isThere)).map((use) => use.where);
    const follows = nobody.length === 0 ? "it counts for nothing there" : `nobody is left for ${nobody.join(", ")}`;
    return [`${say(name, what)}: named in ${where.map((use) => use.where).join(", ")}; ${follows}`];
  });
}

function say(name: string, seen: Exclude<NameSeen, "there">): string {
  const what = name.startsWith("@") ? "team" : name.endsWith("[bot]") ? "app" : "user";
  switch (seen) {
    case "missing":
      return what === "team" ? `There is no team ${name}, or the app may not see it` : `There is no ${what} ${name}`;
    case "blind":
      return `The ${what} ${name} cannot see this repository`;
    case "hidden":
      return `GitHub does not tell the app who is in ${name} (it has to be installed there, with members: read)`;
  }
}

function usesOf(policy: Policy): Use[] {
  const ofStages = policy.stages.flatMap((stage): Use[] => {
    const trees = [stage.enter, stage.when, stage.back?.when ?? null];
    const leaves = trees.flatMap((tree) => (tree === null ? [] : leavesOf(tree)));
    const conditions = leaves.flatMap((leaf) =>
      "by" in leaf && leaf.by !== null ? [{ where: `${leaf.kind} of ${stage.name}`, names: leaf.by }] : [],
    );
    const owner = stage.owner === null ? [] : [{ where: `owner of ${stage.name}`, names: [stage.owner] }];
    return [...conditions, ...owner];
  });
  const all = [
    ...ofStages,
    { where: "operators", names: policy.operators },
    { where: "on_push.except", names: policy.onPush.exceptBy },
  ];
  return all.filter(({ names }) => names.length > 0);
}

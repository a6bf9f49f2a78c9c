/** What the conditions about checks share. Not a condition itself. */
import type { CheckFact } from "../facts.ts";
import type { Context } from "./condition.ts";

const SUCCESS: ReadonlySet<string> = new Set(["success", "neutral", "skipped"]);

export type CheckState = "success" | "failure" | "pending";

export interface Check {
  readonly name: string;
  readonly appSlug: string;
  readonly state: CheckState;
  readonly conclusion: string | null;
}

/**
 * The checks of the head commit, each by name and app. One that runs again keeps its last conclusion until it
 * completes; one that has not completed since an excepted push keeps that of the commit before. Ours never count.
 */
export function checksOf(context: Context): Check[] {
  const found = new Map<string, Check>();
  for (const sha of context.commits) {
    for (const check of context.facts.checks) {
      if (check.sha !== sha || check.ours || check.appId === context.ourAppId) {
        continue;
      }
      const key = JSON.stringify([check.appId, check.name]);
      const before = found.get(key);
      if (before === undefined || before.state === "pending") {
        found.set(key, { name: check.name, appSlug: check.appSlug, ...conclude(check) });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function conclude(check: CheckFact): Pick<Check, "state" | "conclusion"> {
  const conclusion = check.status === "completed" ? check.conclusion : check.lastConclusion;
  const state = conclusion === null ? "pending" : SUCCESS.has(conclusion) ? "success" : "failure";
  return { state, conclusion };
}

/** `build failed`, `lint has not finished`. */
export function sayCheck(check: Check): string {
  switch (check.state) {
    case "success":
      return `${check.name} succeeded`;
    case "failure":
      return `${check.name} ended with ${check.conclusion ?? "no conclusion"}`;
    case "pending":
      return `${check.name} has not finished`;
  }
}

/** What the conditions about checks share. Not a condition itself. */

import { compareText } from "../../ids.ts";
import { type ConditionContext, type ConditionVerdict, fails, holds, unknown } from "../conditions/condition.ts";
import type { CheckFact } from "../facts/facts.ts";
import { suitesOf } from "../facts/suites.ts";

const SUCCESS: ReadonlySet<string> = new Set(["success", "neutral", "skipped"]);

export type CheckOutcome = "success" | "failure" | "pending";

export interface Check {
  readonly name: string;
  readonly appSlug: string;
  readonly state: CheckOutcome;
  readonly conclusion: string | null;
}

/**
 * The checks of the head commit, each by name and app. One that runs again keeps its last conclusion until it
 * completes; one that has not completed since an excepted push keeps that of the commit before. Ours never count.
 */
export function checksOf(context: ConditionContext): Check[] {
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
  return [...found.values()].sort((a, b) => compareText(a.name, b.name));
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

/** Five of them: `lint ended with failure, docs has not finished and 3 more`. */
export function sayChecks(checks: readonly Check[]): string {
  const more = checks.length > 5 ? ` and ${checks.length - 5} more` : "";
  return `${checks.slice(0, 5).map(sayCheck).join(", ")}${more}`;
}

/** What is asked of some checks. */
export interface CheckQuery {
  readonly checks: readonly Check[];
  /** Only checks of the app with this slug are meant; null: of any. */
  readonly app: string | null;
  /** Whether those that may still come are meant, too. */
  readonly whole: boolean;
  /** Names that do not matter. */
  readonly ignores?: (name: string) => boolean;
  /** What is said where there is none. */
  readonly none: string;
}

/** Whether all have succeeded. What has not reported yet, or may still come, is unknown. */
export function allSucceeded(asked: CheckQuery, said: string, context: ConditionContext): ConditionVerdict {
  const failed = asked.checks.filter((check) => check.state === "failure");
  return failed.length > 0
    ? fails(sayChecks(asked.checks.filter((check) => check.state !== "success")))
    : allEnded(asked, said, context);
}

/** Whether all have ended, however. */
export function allEnded(asked: CheckQuery, said: string, context: ConditionContext): ConditionVerdict {
  const open = asked.checks.filter((check) => check.state === "pending");
  if (asked.checks.length === 0 || open.length > 0) {
    return unknown(open.length > 0 ? sayChecks(open) : asked.none);
  }
  return (asked.whole ? moreMayCome(asked, context) : null) ?? holds(said);
}

/**
 * Whether further checks may come on the head commit; null: none. What is not known is asked for. A suite in which
 * nothing but checks that do not matter goes on does not matter either.
 */
function moreMayCome({ app, ignores = () => false }: CheckQuery, context: ConditionContext): ConditionVerdict | null {
  const { facts, commits, ask } = context;
  const [sha = ""] = commits;
  const pending = facts.checks.filter((check) => check.sha === sha && check.status !== "completed");
  const ignored = (suite: string): boolean => {
    const going = pending.filter((check) => check.suite === suite);
    return going.length > 0 && going.every((check) => ignores(check.name));
  };
  const { unfinished, unsure } = suitesOf(facts.suites, { sha, app, ignored });
  if (unsure) {
    ask({ kind: "suites", sha });
  }
  if (unfinished.length > 0) {
    const more = unfinished.length > 5 ? ` and ${unfinished.length - 5} more` : "";
    return unknown(`more checks may come: ${unfinished.slice(0, 5).join(", ")}${more} has not finished`);
  }
  return unsure ? unknown("it is not known yet whether more checks come") : null;
}

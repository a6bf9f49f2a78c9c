import { z } from "zod";
import { allEnded, allSucceeded, type CheckQuery, checksOf } from "../evidence/check-state.ts";
import { isPattern, literalName, nameMatcher } from "../evidence/name-patterns.ts";
import { checkPatterns, shortText, strictMapping } from "../policy/value-schemas.ts";
import { type ConditionDefinition, type ConditionVerdict, concernsNone, fails, holds, unknown } from "./condition.ts";

const result = z.enum(["success", "failure", "any"], { error: "expected success | failure | any" });

export const checks: ConditionDefinition<"checks"> = {
  kind: "checks",
  basis: "state",
  help: "Each of these checks has succeeded on the head commit; `result: failure`: one of them has failed; `any`: each has ended. `*` in a name: at least one, and all that it stands for, and no check suite is unfinished. Any workflow, a pull request's own as well, can write a check of any name as `github-actions`: `app` names another app whose alone counts.",
  examples: [
    "checks: [build]",
    'checks: ["build (*"]',
    "checks: { names: [build, lint], app: buildkite }",
    "checks: { names: build, result: failure }",
  ],
  schema: z.union(
    [
      checkPatterns.transform((value) => ({ kind: "checks" as const, names: value, app: null })),
      strictMapping({
        names: checkPatterns,
        app: shortText("an app's slug").optional(),
        result: result.optional(),
      }).transform((value) => ({
        kind: "checks" as const,
        names: value.names,
        app: value.app ?? null,
        ...(value.result === undefined || value.result === "success" ? {} : { result: value.result }),
      })),
    ],
    { error: "expected names of checks, or { names, app, result }" },
  ),
  title: (leaf) => `checks ${leaf.names.join(", ")}${leaf.result === undefined ? "" : ` ${leaf.result}`}`,
  concerns: concernsNone,
  evaluate(leaf, context) {
    const known = checksOf(context).filter((check) => leaf.app === null || check.appSlug === leaf.app);
    const from = leaf.app === null ? "" : ` from ${leaf.app}`;
    const verdicts = leaf.names.map((pattern) => {
      const name = isPattern(pattern) ? pattern : literalName(pattern);
      const matches = nameMatcher(pattern);
      const asked: CheckQuery = {
        // One name from several apps: all must have succeeded, so a second one can forge nothing.
        checks: known.filter((check) => matches(check.name)),
        app: leaf.app,
        whole: isPattern(pattern),
        none: `${name}${from} has not reported`,
      };
      return leaf.result === "any"
        ? allEnded(asked, `${name} ended`, context)
        : allSucceeded(asked, `${name} succeeded`, context);
    });
    return leaf.result === "failure" ? opposite(every(verdicts)) : every(verdicts);
  },
};

function every(verdicts: readonly ConditionVerdict[]): ConditionVerdict {
  const say = (those: readonly ConditionVerdict[]): string => those.map(({ reason }) => reason).join(", ");
  const lacking = verdicts.filter(({ truth }) => truth !== "yes");
  if (lacking.length === 0) {
    return holds(say(verdicts));
  }
  return lacking.some(({ truth }) => truth === "no") ? fails(say(lacking)) : unknown(say(lacking));
}

function opposite({ truth, reason }: ConditionVerdict): ConditionVerdict {
  return truth === "yes" ? fails(reason) : truth === "no" ? holds(reason) : unknown(reason);
}

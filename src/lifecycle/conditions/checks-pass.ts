import { z } from "zod";
import { allSucceeded, checksOf } from "../evidence/check-state.ts";
import { nameMatcher } from "../evidence/name-patterns.ts";
import { bare, checkPatterns, strictMapping } from "../policy/value-schemas.ts";
import { type ConditionDefinition, concernsNone } from "./condition.ts";

export const checksPass: ConditionDefinition<"checks_pass"> = {
  kind: "checks_pass",
  basis: "state",
  help: "Every check of the head commit but Stagewright's own has succeeded, there is at least one, and no check suite is unfinished; `ignore` leaves some out.",
  examples: ["checks_pass", 'checks_pass: { ignore: [coverage, "codecov/*"] }'],
  schema: z.union(
    [
      bare.transform(() => ({ kind: "checks_pass" as const, ignore: [] })),
      strictMapping({ ignore: checkPatterns.optional() }).transform((value) => ({
        kind: "checks_pass" as const,
        ignore: value.ignore ?? [],
      })),
    ],
    { error: "expected true, or { ignore }" },
  ),
  title: () => "all checks",
  concerns: concernsNone,
  evaluate(leaf, context) {
    const ignored = leaf.ignore.map(nameMatcher);
    const ignores = (name: string): boolean => ignored.some((matches) => matches(name));
    const checks = checksOf(context).filter((check) => !ignores(check.name));
    const said = checks.length === 1 ? "the one check succeeded" : `all ${checks.length} checks succeeded`;
    const none = "no check has reported on the head commit yet";
    return allSucceeded({ checks, app: null, whole: true, ignores, none }, said, context);
  },
};

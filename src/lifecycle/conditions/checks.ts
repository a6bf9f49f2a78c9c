import { z } from "zod";
import { mapping, oneOrMore, text } from "../values.ts";
import { checksOf, sayCheck } from "./check-state.ts";
import { type ConditionDefinition, fails, holds } from "./condition.ts";

const checkNames = oneOrMore(text("the name of a check"), "the name of a check");

export const checks: ConditionDefinition<"checks"> = {
  kind: "checks",
  basis: "state",
  help: "Each of these checks has succeeded on the head commit. Any workflow, a pull request's own as well, can write a check of any name as `github-actions`: `app` names another app whose alone counts.",
  examples: ["checks: [build]", "checks: { names: [build, lint], app: buildkite }"],
  schema: z.union(
    [
      checkNames.transform((value) => ({ kind: "checks" as const, names: value, app: null })),
      mapping({ names: checkNames, app: text("an app's slug").optional() }).transform((value) => ({
        kind: "checks" as const,
        names: value.names,
        app: value.app ?? null,
      })),
    ],
    { error: "expected names of checks, or { names, app }" },
  ),
  title: (leaf) => `checks ${leaf.names.join(", ")}`,
  judge(leaf, context) {
    const known = checksOf(context).filter((check) => leaf.app === null || check.appSlug === leaf.app);
    const from = leaf.app === null ? "" : ` from ${leaf.app}`;
    const missing = leaf.names.flatMap((name) => {
      const same = known.filter((check) => check.name === name);
      // One name from several apps: all must have succeeded, so a second one can forge nothing.
      const bad = same.find((check) => check.state !== "success");
      return bad !== undefined ? [sayCheck(bad)] : same.length === 0 ? [`${name}${from} has not reported`] : [];
    });
    return missing.length > 0 ? fails(missing.join(", ")) : holds(`${leaf.names.join(", ")} succeeded`);
  },
};

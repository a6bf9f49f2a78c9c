import { z } from "zod";
import { bare, mapping, oneOrMore, text } from "../values.ts";
import { checksOf, sayCheck } from "./check-state.ts";
import { type ConditionDefinition, fails, holds } from "./condition.ts";

const checkNames = oneOrMore(text("the name of a check"), "the name of a check");

export const checksPass: ConditionDefinition<"checks_pass"> = {
  kind: "checks_pass",
  basis: "state",
  help: "Every check of the head commit but Stagewright's own has succeeded, and there is at least one; `ignore` leaves some out.",
  examples: ["checks_pass", "checks_pass: { ignore: [coverage] }"],
  schema: z.union(
    [
      bare.transform(() => ({ kind: "checks_pass" as const, ignore: [] })),
      mapping({ ignore: checkNames.optional() }).transform((value) => ({
        kind: "checks_pass" as const,
        ignore: value.ignore ?? [],
      })),
    ],
    { error: "expected true, or { ignore }" },
  ),
  title: () => "all checks",
  judge(leaf, context) {
    const counted = checksOf(context).filter((check) => !leaf.ignore.includes(check.name));
    if (counted.length === 0) {
      return fails("no check has reported on the head commit yet");
    }
    const bad = counted.filter((check) => check.state !== "success");
    const more = bad.length > 5 ? ` and ${bad.length - 5} more` : "";
    return bad.length > 0
      ? fails(`${bad.slice(0, 5).map(sayCheck).join(", ")}${more}`)
      : holds(counted.length === 1 ? "the one check succeeded" : `all ${counted.length} checks succeeded`);
  },
};

import { evaluateRuns } from "../evidence/runs.ts";
import { shortText } from "../policy/value-schemas.ts";
import type { ConditionDefinition } from "./condition.ts";

export const planPassed: ConditionDefinition<"plan_passed"> = {
  kind: "plan_passed",
  basis: "act",
  help: "The newest run of this Stagewright plan for the head commit succeeded. Runs whose workflow file the pull request could choose do not count, see below.",
  examples: ["plan_passed: benchmark"],
  schema: shortText("a plan's name").transform((value) => ({ kind: "plan_passed" as const, plan: value })),
  title: (leaf) => `plan ${leaf.plan}`,
  concerns({ plan }) {
    return (act) => act.kind === "plan" && act.plan === plan;
  },
  evaluate(leaf, context) {
    return evaluateRuns({ leaf, what: `plan ${leaf.plan}`, wanted: "success" }, context.acts.plans(leaf.plan), context);
  },
};

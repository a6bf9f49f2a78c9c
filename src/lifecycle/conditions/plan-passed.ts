import { text } from "../values.ts";
import type { ConditionDefinition } from "./condition.ts";
import { judgeRuns } from "./runs.ts";

export const planPassed: ConditionDefinition<"plan_passed"> = {
  kind: "plan_passed",
  basis: "act",
  help: "The newest run of this Stagewright plan for the head commit succeeded.",
  examples: ["plan_passed: benchmark"],
  schema: text("a plan's name").transform((value) => ({ kind: "plan_passed" as const, plan: value })),
  title: (leaf) => `plan ${leaf.plan}`,
  judge(leaf, context) {
    const runs = context.history.filter((act) => act.kind === "plan");
    return judgeRuns(
      `plan ${leaf.plan}`,
      runs.filter((run) => run.plan === leaf.plan),
      "success",
      context,
    );
  },
};

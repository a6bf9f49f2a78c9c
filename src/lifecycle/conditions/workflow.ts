import { z } from "zod";
import { evaluateRuns } from "../evidence/runs.ts";
import { isNamed } from "../facts/act-index.ts";
import { shortText, strictMapping } from "../policy/value-schemas.ts";
import type { ConditionDefinition } from "./condition.ts";

const file = shortText("the name of a workflow file, such as qa.yml");
const result = z.enum(["success", "failure", "cancelled"], { error: "expected success | failure | cancelled" });

export const workflow: ConditionDefinition<"workflow"> = {
  kind: "workflow",
  basis: "act",
  help: "The newest finished run of this workflow for the head commit ended with `result` (default: success). Runs whose file the pull request could choose do not count, see below.",
  examples: ["workflow: qa.yml", "{ workflow: qa.yml, result: failure }"],
  schema: z.union(
    [
      file.transform((value) => ({ kind: "workflow" as const, workflow: value, result: "success" as const })),
      strictMapping({ workflow: file, result: result.optional() }).transform((value) => ({
        kind: "workflow" as const,
        workflow: value.workflow,
        result: value.result ?? "success",
      })),
    ],
    { error: "expected the name of a workflow file, or { workflow, result }" },
  ),
  title: (leaf) => `workflow ${leaf.workflow}${leaf.result === "success" ? "" : ` ${leaf.result}`}`,
  concerns(leaf) {
    return (act) => act.kind === "workflow" && isNamed(act.workflow, leaf.workflow);
  },
  evaluate(leaf, context) {
    return evaluateRuns(
      { leaf, what: leaf.workflow, wanted: leaf.result },
      context.acts.workflows(leaf.workflow),
      context,
    );
  },
};

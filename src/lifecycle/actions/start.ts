import { z } from "zod";
import { fill } from "../policy/templates.ts";
import { booleanValue, strictMapping, templates, wholeNumber } from "../policy/value-schemas.ts";
import { type ActionDefinition, isFork, occasionKey } from "./action.ts";

/** Inputs that every run gets without being asked for. */
export const GIVEN_INPUTS: readonly string[] = ["sha", "pull_request", "stagewright_key"];
/** GitHub takes 25. */
const MOST_INPUTS = 25 - GIVEN_INPUTS.length;
const error = "expected the name of a workflow file, such as qa.yml";
const workflowFile = z
  .string({ error })
  .max(200, { error })
  .regex(/^[A-Za-z0-9._-]+\.ya?ml$/, { error });

export const startAction: ActionDefinition<"start"> = {
  kind: "start",
  help: "Start a workflow of the default branch for the head commit and show its run as a check. It is given the inputs `sha`, `pull_request` and `stagewright_key`, which the workflow must declare. `limit`: how many such runs may go on at once; others queue. Heads of forks only with `forks: true`.",
  examples: ["start: qa.yml", 'start: { workflow: qa.yml, inputs: { pr: "{{number}}" }, limit: 1 }'],
  requiredPermissions: { actions: "write" },
  whenPassed: false,
  schema: z.union(
    [
      workflowFile.transform((value) => ({
        kind: "start" as const,
        workflow: value,
        inputs: {},
        limit: null,
        forks: false,
      })),
      strictMapping({
        workflow: workflowFile,
        inputs: templates("inputs", MOST_INPUTS)
          .superRefine((value, context) => {
            for (const name of Object.keys(value).filter((each) => GIVEN_INPUTS.includes(each))) {
              context.addIssue({ code: "custom", message: `leave out ${name}: every run is given it`, path: [name] });
            }
          })
          .optional(),
        limit: wholeNumber(1, 100).optional(),
        forks: booleanValue.optional(),
      }).transform((value) => ({
        kind: "start" as const,
        workflow: value.workflow,
        inputs: value.inputs ?? {},
        limit: value.limit ?? null,
        forks: value.forks ?? false,
      })),
    ],
    { error: "expected the name of a workflow file, or { workflow, inputs, limit, forks }" },
  ),
  plan(action, context) {
    const { facts, values } = context;
    if (isFork(facts) && !action.forks) {
      const reason = `${action.workflow} is not started: the head is in another repository, and the policy does not say \`forks: true\``;
      return { kind: "refused", action: "start", reason };
    }
    return {
      kind: "start",
      key: occasionKey(context, action.workflow),
      workflow: action.workflow,
      inputs: Object.fromEntries(Object.entries(action.inputs).map(([name, text]) => [name, fill(text, values)])),
      sha: facts.head.sha,
      limit: action.limit,
    };
  },
};

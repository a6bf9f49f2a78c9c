import { z } from "zod";
import { fill } from "../templates.ts";
import { flag, mapping, templates, whole } from "../values.ts";
import { type ActionDefinition, isFork, occasionKey } from "./action.ts";

/** Of GitHub's 25 inputs the commit, the pull request and the key are ours. */
const MOST_INPUTS = 22;
const error = "expected the name of a workflow file, such as qa.yml";
const workflowFile = z
  .string({ error })
  .max(200, { error })
  .regex(/^[A-Za-z0-9._-]+\.ya?ml$/, { error });

export const start: ActionDefinition<"start"> = {
  kind: "start",
  help: "Start a workflow of the default branch for the head commit and show its run as a check. `limit`: how many such runs may go on at once; others queue. Heads of forks only with `forks: true`.",
  examples: ["start: qa.yml", 'start: { workflow: qa.yml, inputs: { pr: "{{number}}" }, limit: 1 }'],
  needs: { actions: "write" },
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
      mapping({
        workflow: workflowFile,
        inputs: templates("inputs", MOST_INPUTS).optional(),
        limit: whole(1, 100).optional(),
        forks: flag.optional(),
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

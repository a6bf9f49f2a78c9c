/** Which workflows the app starts for a policy. */
import type { Policy } from "./policy.ts";

/** The names of their files, without folders. */
export function workflowsStarted(policy: Policy): ReadonlySet<string> {
  const actions = policy.stages.flatMap((stage) => [...stage.onEnter, ...stage.onBack, ...stage.onOverdue]);
  return new Set(actions.flatMap((action) => (action.kind === "start" ? [fileName(action.workflow)] : [])));
}

/** `qa.yml` of `.github/workflows/qa.yml`. */
export function fileName(workflow: string): string {
  return workflow.slice(workflow.lastIndexOf("/") + 1);
}

/** Why GitHub did not start a workflow, in words that say what to do. */
import type { RequestFailure } from "../../src/github/request-failure.ts";
import { GIVEN_INPUTS } from "../../src/lifecycle/actions/start.ts";

export function refusal(workflow: string, branch: string, { status, message }: RequestFailure): string {
  const said = message.replace(/(?<!\s)\s+- https?:\/\/\S+$/u, "");
  if (status === 404) {
    return `there is no ${workflow} in .github/workflows of ${branch}, or the app may not start it: it takes the permission actions: write`;
  }
  if (status === 403) {
    return `the app may not start workflows: it takes the permission actions: write (${said})`;
  }
  if (/unexpected inputs|not in the list|required input/iu.test(said)) {
    const inputs = GIVEN_INPUTS.map((name) => `\`${name}\``).join(", ");
    return `${workflow} does not take its inputs: declare ${inputs} and those of the policy under on.workflow_dispatch.inputs (${said})`;
  }
  if (/workflow_dispatch/u.test(said)) {
    return `${workflow} cannot be started: add \`workflow_dispatch\` with its inputs to its \`on\` (${said})`;
  }
  return `GitHub refused to start ${workflow}: ${said}`;
}

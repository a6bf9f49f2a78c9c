import { z } from "zod";
import { booleanValue, strictMapping } from "../policy/value-schemas.ts";
import { type ActionDefinition, isFork } from "./action.ts";

const error = "expected the name of an environment";
const environment = z.string({ error }).trim().min(1, { error }).max(255, { error });

export const releaseAction: ActionDefinition<"release"> = {
  kind: "release",
  help: "Let the jobs begin that wait for this environment, whose protection rule is Stagewright. Done for stages passed on the way, too. Heads of forks only with `forks: true`.",
  examples: ["release: qa", "release: { environment: qa, forks: true }"],
  requiredPermissions: { deployments: "write" },
  whenPassed: true,
  schema: z.union(
    [
      environment.transform((value) => ({ kind: "release" as const, environment: value, forks: false })),
      strictMapping({ environment, forks: booleanValue.optional() }).transform((value) => ({
        kind: "release" as const,
        environment: value.environment,
        forks: value.forks ?? false,
      })),
    ],
    { error: "expected the name of an environment, or { environment, forks }" },
  ),
  plan: (action, { facts }) =>
    isFork(facts) && !action.forks
      ? {
          kind: "refused",
          action: "release",
          reason: `${action.environment} is not released: the head is in another repository, and the policy does not say \`forks: true\``,
        }
      : { kind: "release", environment: action.environment, sha: facts.head.sha },
};

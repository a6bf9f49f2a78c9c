import { z } from "zod";
import { mapping } from "../values.ts";
import type { ActionDefinition } from "./action.ts";

const error = "expected the name of an environment";
const environment = z.string({ error }).trim().min(1, { error }).max(255, { error });

export const release: ActionDefinition<"release"> = {
  kind: "release",
  help: "Let the jobs begin that wait for this environment, whose protection rule is Stagewright. Done for stages passed on the way, too.",
  examples: ["release: qa", "release: { environment: qa }"],
  needs: { deployments: "write" },
  whenPassed: true,
  schema: z.union(
    [
      environment.transform((value) => ({ kind: "release" as const, environment: value })),
      mapping({ environment }).transform((value) => ({ kind: "release" as const, environment: value.environment })),
    ],
    { error: "expected the name of an environment, or { environment }" },
  ),
  plan: (action, { facts }) => ({ kind: "release", environment: action.environment, sha: facts.head.sha }),
};

import { z } from "zod";
import type { ActionDefinition } from "./action.ts";

export const autoMergeAction: ActionDefinition<"auto_merge"> = {
  kind: "auto_merge",
  help: "Let GitHub merge this commit as soon as its own rules allow (`merge`, `squash`, `rebase`), or put it into the merge queue (`queue`).",
  examples: ["auto_merge: squash"],
  requiredPermissions: { contents: "write" },
  whenPassed: false,
  schema: z
    .enum(["merge", "squash", "rebase", "queue"], { error: "expected merge | squash | rebase | queue" })
    .transform((value) => ({ kind: "auto_merge" as const, method: value })),
  plan: (action, { facts }) => ({ kind: "auto_merge", method: action.method, sha: facts.head.sha }),
};

import { names } from "../policy/value-schemas.ts";
import type { ActionDefinition } from "./action.ts";

export const assignAction: ActionDefinition<"assign"> = {
  kind: "assign",
  help: "Assign users.",
  examples: ["assign: alice", "assign: [alice, bob]"],
  requiredPermissions: {},
  whenPassed: false,
  schema: names
    .superRefine((value, context) => {
      if (value.length > 10 || value.some((name) => name.startsWith("@") || name.endsWith("[bot]"))) {
        context.addIssue({ code: "custom", message: "expected at most 10 users: GitHub assigns no teams and no apps" });
      }
    })
    .transform((value) => ({ kind: "assign" as const, users: value })),
  plan: (action) => ({ kind: "assign", users: action.users }),
};

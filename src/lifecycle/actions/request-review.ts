import { names } from "../policy/value-schemas.ts";
import type { ActionDefinition } from "./action.ts";

export const requestReviewAction: ActionDefinition<"request_review"> = {
  kind: "request_review",
  help: "Request reviews from users and teams (GitHub takes no apps). The author is left out.",
  examples: ["request_review: alice", 'request_review: [alice, "@org/testing"]'],
  requiredPermissions: {},
  whenPassed: false,
  schema: names
    .superRefine((value, context) => {
      if (value.some((name) => name.endsWith("[bot]"))) {
        context.addIssue({ code: "custom", message: "expected users and teams: GitHub takes no apps as reviewers" });
      }
    })
    .transform((value) => ({
      kind: "request_review" as const,
      users: value.filter((name) => !name.startsWith("@")),
      teams: value.filter((name) => name.startsWith("@")).map((name) => name.slice(1)),
    })),
  plan: (action, { facts }) => ({
    kind: "request_review",
    users: action.users.filter((user) => user.toLowerCase() !== facts.author.login.toLowerCase()),
    teams: action.teams,
  }),
};

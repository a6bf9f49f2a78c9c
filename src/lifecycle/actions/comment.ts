import { z } from "zod";
import { clip } from "../../report/escape.ts";
import { fillMarkdown } from "../policy/templates.ts";
import { strictMapping, template } from "../policy/value-schemas.ts";
import type { ActionDefinition } from "./action.ts";

/** GitHub takes 65,536 characters; the marker and a margin go off. */
const LONGEST_COMMENT = 65_000;
const body = template("a comment's text", 60_000);

export const commentAction: ActionDefinition<"comment"> = {
  kind: "comment",
  help: "Write a comment. Each stage has one, which is updated when it is entered again.",
  examples: ['comment: "Task {{ticket}}: over to {{owner}}"'],
  requiredPermissions: {},
  whenPassed: false,
  schema: z.union(
    [
      body.transform((value) => ({ kind: "comment" as const, body: value })),
      strictMapping({ body }).transform((value) => ({ kind: "comment" as const, body: value.body })),
    ],
    { error: "expected a comment's text, or { body }" },
  ),
  plan: (action, { stage, occasion, values }) => ({
    kind: "comment",
    marker: occasion === "overdue" ? `${stage.name}/overdue` : stage.name,
    body: clip(fillMarkdown(action.body, values), LONGEST_COMMENT),
  }),
};

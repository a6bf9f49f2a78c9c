import { z } from "zod";
import { fill } from "../policy/templates.ts";
import { strictMapping, templates } from "../policy/value-schemas.ts";
import { type ActionDefinition, occasionKey } from "./action.ts";

/** GitHub's payload has at most ten members; one is our key. */
const MOST_MEMBERS = 9;
const error = "expected an event type of at most 100 characters";
const eventType = z.string({ error }).trim().min(1, { error }).max(100, { error });

export const repositoryDispatchAction: ActionDefinition<"repository_dispatch"> = {
  kind: "repository_dispatch",
  help: "Send a repository_dispatch event, at least once: `client_payload.stagewright_key` is the same when it is sent again.",
  examples: ['repository_dispatch: { event_type: qa-ready, payload: { pr: "{{number}}", sha: "{{sha}}" } }'],
  requiredPermissions: { contents: "write" },
  whenPassed: false,
  schema: z.union(
    [
      eventType.transform((value) => ({ kind: "repository_dispatch" as const, eventType: value, payload: {} })),
      strictMapping({ event_type: eventType, payload: templates("a payload", MOST_MEMBERS).optional() }).transform(
        (value) => ({
          kind: "repository_dispatch" as const,
          eventType: value.event_type,
          payload: value.payload ?? {},
        }),
      ),
    ],
    { error: "expected an event type, or { event_type, payload }" },
  ),
  plan: (action, context) => ({
    kind: "repository_dispatch",
    key: occasionKey(context, action.eventType),
    eventType: action.eventType,
    payload: Object.fromEntries(
      Object.entries(action.payload).map(([name, text]) => [name, fill(text, context.values)]),
    ),
  }),
};

import { z } from "zod";
import { labelName, oneOrMore, strictMapping } from "../policy/value-schemas.ts";
import type { ActionDefinition } from "./action.ts";

const labels = oneOrMore(labelName, "a label", 20);

export const labelAction: ActionDefinition<"label"> = {
  kind: "label",
  help: "Add or remove labels.",
  examples: ["label: needs-release-note", "label: { add: [in-qa], remove: [needs-work] }"],
  requiredPermissions: {},
  whenPassed: false,
  schema: z.union(
    [
      strictMapping({ add: labels.optional(), remove: labels.optional() }).transform((value) => ({
        kind: "label" as const,
        add: value.add ?? [],
        remove: value.remove ?? [],
      })),
      labels.transform((value) => ({ kind: "label" as const, add: value, remove: [] })),
    ],
    { error: "expected labels, or { add, remove }" },
  ),
  plan: (action) => ({ kind: "label", add: action.add, remove: action.remove }),
};

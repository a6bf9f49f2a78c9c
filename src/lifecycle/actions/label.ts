import { z } from "zod";
import { STAGE_LABEL_PREFIX } from "../policy.ts";
import type { ActionDefinition } from "./action.ts";

const error = "expected a label of at most 50 characters";
const name = z
  .string({ error })
  .trim()
  .min(1, { error })
  .max(50, { error })
  .refine((value) => !value.toLowerCase().startsWith(STAGE_LABEL_PREFIX), {
    error: "expected another label: those that begin with stage/ are Stagewright's own",
  });
const labels = z.union([name.transform((one) => [one]), z.array(name).min(1).max(20)]);

export const label: ActionDefinition<"label"> = {
  kind: "label",
  help: "Add or remove labels.",
  examples: ["label: needs-release-note", "label: { add: [in-qa], remove: [needs-work] }"],
  needs: {},
  whenPassed: false,
  schema: z.union([
    labels.transform((value) => ({ kind: "label" as const, add: value, remove: [] })),
    z
      .strictObject({ add: labels.optional(), remove: labels.optional() })
      .transform((value) => ({ kind: "label" as const, add: value.add ?? [], remove: value.remove ?? [] })),
  ]),
  plan: (action) => ({ kind: "label", add: action.add, remove: action.remove }),
};

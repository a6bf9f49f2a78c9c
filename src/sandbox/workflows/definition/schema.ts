/** The form of a workflow file: every key that the sandbox carries out, and no other. */
import { z } from "zod";
import type { Value } from "../../runner/expressions.ts";
import { PERMISSIONS } from "../permissions.ts";

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const value: z.ZodType<Value> = z.lazy(() => z.union([scalar, z.array(value), z.record(z.string(), value)]));
const variables = z.record(z.string(), scalar);
const list = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

export const trigger = z.strictObject({
  types: list.optional(),
  branches: list.optional(),
  "branches-ignore": list.optional(),
  tags: list.optional(),
  "tags-ignore": list.optional(),
  paths: list.optional(),
  "paths-ignore": list.optional(),
  workflows: list.optional(),
});
const description = z.string().optional();
const called = z.strictObject({
  inputs: z
    .record(
      z.string(),
      z.strictObject({
        description,
        type: z.enum(["string", "number", "boolean"]),
        required: z.boolean().optional(),
        default: scalar.optional(),
      }),
    )
    .nullish(),
  outputs: z.record(z.string(), z.strictObject({ description, value: scalar })).nullish(),
  secrets: z.record(z.string(), z.strictObject({ description, required: z.boolean().optional() }).nullable()).nullish(),
});
/** The form of a dispatch's inputs is checked where it is dispatched; `inputs` arrive as text. */
const dispatched = z.strictObject({
  inputs: z
    .record(
      z.string(),
      z.strictObject({
        description,
        type: z.enum(["string", "number", "boolean", "choice", "environment"]).optional(),
        required: z.boolean().optional(),
        default: scalar.optional(),
        options: z.array(scalar).optional(),
      }),
    )
    .nullish(),
});
export const filtered = trigger.nullable();
const events = z.strictObject({
  push: filtered.optional(),
  pull_request: filtered.optional(),
  pull_request_target: filtered.optional(),
  pull_request_review: filtered.optional(),
  issue_comment: filtered.optional(),
  merge_group: filtered.optional(),
  workflow_run: filtered.optional(),
  repository_dispatch: filtered.optional(),
  workflow_dispatch: dispatched.nullable().optional(),
  workflow_call: called.nullable().optional(),
});
const named = (names: readonly string[]): Record<string, null> => Object.fromEntries(names.map((name) => [name, null]));
const on = z
  .union([z.string().transform((one) => named([one])), z.array(z.string()).transform(named), z.looseObject({})])
  .pipe(events);

const permissions = z.union([
  z.enum(["read-all", "write-all"]),
  z.partialRecord(z.enum(PERMISSIONS), z.enum(["read", "write", "none"])),
]);
export const concurrency = z.union([
  z.string().transform((group) => ({ group, "cancel-in-progress": false })),
  z.strictObject({ group: scalar, "cancel-in-progress": z.union([z.boolean(), z.string()]).optional() }),
]);
export const defaults = z.strictObject({
  run: z.strictObject({ shell: z.string().optional(), "working-directory": z.string().optional() }).optional(),
});
export const step = z.strictObject({
  id: z.string().optional(),
  name: z.string().optional(),
  if: scalar.optional(),
  uses: z.string().optional(),
  with: variables.optional(),
  run: z.string().optional(),
  shell: z.string().optional(),
  "working-directory": z.string().optional(),
  env: variables.optional(),
  "continue-on-error": z.union([z.boolean(), z.string()]).optional(),
  "timeout-minutes": z.union([z.number(), z.string()]).optional(),
});
export const job = z.strictObject({
  name: z.string().optional(),
  needs: list.optional(),
  if: scalar.optional(),
  permissions: permissions.optional(),
  concurrency: concurrency.optional(),
  environment: z.union([z.string(), z.strictObject({ name: z.string() })]).optional(),
  env: variables.optional(),
  defaults: defaults.optional(),
  outputs: variables.optional(),
  strategy: z
    .strictObject({
      matrix: z.union([z.string(), z.record(z.string(), value)]).optional(),
      "fail-fast": z.union([z.boolean(), z.string()]).optional(),
      "max-parallel": z.union([z.number(), z.string()]).optional(),
    })
    .optional(),
  "continue-on-error": z.union([z.boolean(), z.string()]).optional(),
  "timeout-minutes": z.union([z.number(), z.string()]).optional(),
  "runs-on": z.union([z.string(), z.array(z.string())]).optional(),
  steps: z.array(step).min(1).optional(),
  uses: z.string().optional(),
  with: variables.optional(),
  secrets: z.union([z.literal("inherit"), variables]).optional(),
});
export const workflowSchema = z.strictObject({
  name: z.string().optional(),
  "run-name": z.string().optional(),
  on,
  permissions: permissions.optional(),
  env: variables.optional(),
  defaults: defaults.optional(),
  concurrency: concurrency.optional(),
  jobs: z.record(z.string().regex(/^[A-Za-z_][\w-]*$/), job).refine((jobs) => Object.keys(jobs).length > 0, "no jobs"),
});

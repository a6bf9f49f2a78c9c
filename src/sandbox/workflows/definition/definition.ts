/** What a workflow file may say here, every default filled in. `read.ts` makes it from the YAML. */
import type { Value } from "../../runner/expressions.ts";
import type { StepDefinition } from "../../runner/types.ts";

/** Filters of one trigger; null: not given. */
export interface TriggerFilter {
  readonly types: readonly string[] | null;
  readonly branches: readonly string[] | null;
  readonly branchesIgnore: readonly string[] | null;
  readonly tags: readonly string[] | null;
  readonly tagsIgnore: readonly string[] | null;
  readonly paths: readonly string[] | null;
  readonly pathsIgnore: readonly string[] | null;
  /** `workflow_run`: names of the workflows. */
  readonly workflows: readonly string[] | null;
}

export interface CallInput {
  readonly type: "string" | "number" | "boolean";
  readonly required: boolean;
  readonly default: Value | undefined;
}

/** What `on.workflow_call` declares. */
export interface CallInterface {
  readonly inputs: Readonly<Record<string, CallInput>>;
  /** Output name -> template over `jobs`. */
  readonly outputs: Readonly<Record<string, Value>>;
  readonly secrets: Readonly<Record<string, { readonly required: boolean }>>;
}

/** As written: `read-all`, `write-all`, or permission (`id-token`) -> level. */
export type PermissionsDefinition = "read-all" | "write-all" | Readonly<Record<string, "read" | "write" | "none">>;

export interface ConcurrencyDefinition {
  readonly group: Value;
  readonly cancelInProgress: Value;
}

export interface RunDefaults {
  readonly shell: string | null;
  readonly workingDirectory: string | null;
}

export interface JobDefinition {
  readonly key: string;
  readonly name: string | null;
  readonly needs: readonly string[];
  readonly if: Value;
  readonly permissions: PermissionsDefinition | null;
  readonly concurrency: ConcurrencyDefinition | null;
  /** A template for the environment's name. */
  readonly environment: Value;
  readonly env: Readonly<Record<string, Value>>;
  readonly defaults: RunDefaults;
  readonly outputs: Readonly<Record<string, Value>>;
  readonly strategy: { readonly matrix: Value; readonly failFast: Value; readonly maxParallel: Value } | null;
  readonly continueOnError: Value;
  readonly timeoutMinutes: Value;
  readonly work:
    | { readonly kind: "steps"; readonly runsOn: Value; readonly steps: readonly StepDefinition[] }
    | {
        readonly kind: "call";
        readonly uses: string;
        readonly with: Readonly<Record<string, Value>>;
        readonly secrets: "inherit" | Readonly<Record<string, Value>>;
      };
}

export interface WorkflowDefinition {
  readonly name: string | null;
  readonly runName: string | null;
  /** Event name -> its filter. */
  readonly on: Readonly<Record<string, TriggerFilter>>;
  readonly call: CallInterface | null;
  /** What `on.workflow_dispatch` declares. */
  readonly dispatchInputs: Readonly<Record<string, CallInput>>;
  readonly permissions: PermissionsDefinition | null;
  readonly env: Readonly<Record<string, Value>>;
  readonly defaults: RunDefaults;
  readonly concurrency: ConcurrencyDefinition | null;
  readonly jobs: readonly JobDefinition[];
}

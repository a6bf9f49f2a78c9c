/** What the parts of one attempt of a run share: its surroundings, its end, and what earlier attempts left. */
import type { CacheService } from "../cache-service.ts";
import type { OidcIssuer } from "../oidc.ts";
import type { Value } from "../runner/expressions.ts";
import type { CancelTimes } from "../runner/process.ts";
import type { Repository, WorkflowJob, WorkflowRun } from "../world/model/index.ts";
import type { World } from "../world/world.ts";
import type { ConcurrencyGroups } from "./concurrency.ts";
import type { GitHubContext, ServerUrls } from "./contexts.ts";
import type { CallInput, WorkflowDefinition } from "./definition/definition.ts";
import type { Granted } from "./permissions.ts";
import type { RunnerPool } from "./pool.ts";

/** What the sandbox gives its workflows. */
export interface WorkflowSurroundings {
  readonly world: World;
  readonly pool: RunnerPool;
  /** Null: no job gets OIDC. */
  readonly issuer: OidcIssuer | null;
  /** Not there: jobs have no cache. */
  readonly cache?: Pick<CacheService, "url" | "token">;
  readonly urls: () => ServerUrls;
  /** Repository full name -> secrets and variables of its workflows. */
  readonly secrets: (repository: string) => Readonly<Record<string, string>>;
  readonly variables: (repository: string) => Readonly<Record<string, string>>;
  /** `owner/repo[/path]@ref` -> directory of the action; null: unknown. */
  readonly resolveAction: (uses: string) => Promise<string | null>;
  /** `owner/repo/.github/workflows/file.yml@ref` -> its text; null: unknown. */
  readonly resolveWorkflow: (uses: string) => Promise<string | null>;
  /** Where the jobs' folders are made. */
  readonly directory: string;
  readonly cancelTimes: CancelTimes;
  /** How long a cancelled job may go on with its always() steps and post scripts. */
  readonly cancelTimeoutMs: number;
}

export type JobConclusion = "success" | "failure" | "cancelled" | "skipped";

/** What other jobs and the run see of a job (of all its matrix jobs together). */
export interface JobOutcome {
  readonly result: JobConclusion;
  readonly outputs: Readonly<Record<string, string>>;
  /** It ran in this attempt: what needs it runs again too. */
  readonly fresh: boolean;
}

/** Place of a job (`caller / build (2)`) -> how it ended when it last ran. */
export type Memory = Map<
  string,
  { readonly name: string; readonly result: JobConclusion; readonly outputs: Readonly<Record<string, string>> }
>;

export interface Attempt {
  readonly surroundings: WorkflowSurroundings;
  readonly run: WorkflowRun;
  readonly repository: Repository;
  readonly github: GitHubContext;
  /** Code of a fork: read-only token, no secrets, no OIDC. */
  readonly untrusted: boolean;
  readonly cancel: AbortSignal;
  /** Nothing goes on any more, always() or not. */
  readonly force: AbortSignal;
  readonly concurrency: ConcurrencyGroups;
  /** Of earlier attempts, and written to by this one. */
  readonly memory: Memory;
  /** Whether this attempt is to run the job at this place again. */
  readonly wanted: (place: string) => boolean;
  /** Resolves once nothing holds the job any more. */
  readonly gate: (job: WorkflowJob, signal: AbortSignal) => Promise<"approved" | "rejected" | null>;
}

/** A workflow file in its place: the run's own, or one that a job calls. */
export interface Level {
  readonly definition: WorkflowDefinition;
  /** `""`, or `caller / `. */
  readonly prefix: string;
  /** owner/name/path@ref */
  readonly workflowRef: string;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** What the caller has; null at the top. */
  readonly ceiling: Granted | null;
  readonly depth: number;
}

/** Inputs as typed values: what is given, else the default. Throws an Error with the reason. */
export function typedInputs(
  declared: Readonly<Record<string, CallInput>>,
  given: Readonly<Record<string, Value>>,
): Readonly<Record<string, Value>> {
  for (const name of Object.keys(given)) {
    if (declared[name] === undefined) throw new Error(`the called workflow has no input "${name}"`);
  }
  return Object.fromEntries(
    Object.entries(declared).map(([name, input]) => {
      const value = given[name] ?? input.default;
      if (value === undefined) {
        if (input.required) throw new Error(`the called workflow requires the input "${name}"`);
        return [name, input.type === "boolean" ? false : input.type === "number" ? 0 : ""];
      }
      if (input.type === "number" && !Number.isFinite(Number(value)))
        throw new Error(`the input "${name}" must be a number`);
      if (input.type === "number") return [name, Number(value)];
      if (input.type === "boolean") return [name, value === true || value === "true"];
      return [name, String(value)];
    }),
  );
}

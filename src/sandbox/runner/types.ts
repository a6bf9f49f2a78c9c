/**
 * What a runner is asked to do (a job, with everything evaluated that only the workflow knows) and what it tells.
 * Times are milliseconds since the epoch.
 */
import type { ActionMetadata } from "./action-metadata.ts";
import type { Value } from "./expressions.ts";
import type { CancelTimes } from "./process.ts";
import type { StepAnnotation } from "./workflow-commands.ts";

/** A step as the workflow file has it; every text may hold expressions. */
export interface StepDefinition {
  readonly id: string | null;
  readonly name: string | null;
  readonly if: Value;
  readonly env: Readonly<Record<string, Value>>;
  readonly continueOnError: boolean | string;
  readonly timeoutMinutes: number | string | null;
  readonly work:
    | { readonly kind: "uses"; readonly uses: string; readonly with: Readonly<Record<string, Value>> }
    | {
        readonly kind: "run";
        readonly script: string;
        readonly shell: string | null;
        readonly workingDirectory: string | null;
      };
}

/** What `actions/checkout` asks for. */
export interface CheckoutRequest {
  /** owner/name */
  readonly repository: string;
  /** A branch, tag, full ref or commit; null: the commit of the run. */
  readonly ref: string | null;
  /** Exists, and is empty or to be overwritten. */
  readonly directory: string;
}

/** What the runner needs of the world outside; each can be a few lines in a test. */
export interface RunnerServices {
  /** Puts the files of a commit into a directory and returns the commit. Throws with the reason. */
  checkout(request: CheckoutRequest): Promise<string>;
  /** Directory of the action `owner/repo[/path]@ref`; null when the sandbox has no such action. */
  resolveAction(uses: string): Promise<string | null>;
}

export interface JobRequest {
  /** The job's id in the workflow: `GITHUB_JOB`. */
  readonly id: string;
  readonly runner: { readonly name: string; readonly labels: readonly string[] };
  readonly steps: readonly StepDefinition[];
  /** The `github` context, `event` included; the runner adds what only it knows (`workspace`, `event_path`, …). */
  readonly github: Readonly<Record<string, Value>>;
  /** The others that are known before the job starts: `strategy`, `matrix`, `needs`, `inputs`, `vars`, `secrets`. */
  readonly contexts: Readonly<Record<string, Value>>;
  /** Templates of the workflow's and the job's `env`, the inner later: they may use the contexts. */
  readonly env: readonly Readonly<Record<string, Value>>[];
  readonly defaults: { readonly shell: string | null; readonly workingDirectory: string | null };
  /** Output name -> template over `steps`. */
  readonly outputs: Readonly<Record<string, Value>>;
  readonly timeoutMinutes: number;
  readonly token: string;
  readonly oidc: { readonly url: string; readonly token: string } | null;
  /** Where the job finds GitHub's cache; not there: it has none. */
  readonly cache?: { readonly url: string; readonly token: string };
  /** Values that never appear in the log, the token and the OIDC token besides. */
  readonly secrets: readonly string[];
  /** Directory in which the job's folders are made and, when it is over, removed. */
  readonly directory: string;
  readonly cancelTimes: CancelTimes;
  /** How long everything after a cancellation may take: 5 min at GitHub. */
  readonly cancelTimeoutMs: number;
  /** Aborted: nothing goes on any more, whatever its condition. Null: only by the time above. */
  readonly force: AbortSignal | null;
}

export type Outcome = "success" | "failure" | "cancelled" | "skipped";

export interface StepRecord {
  /** Counts from 1, as GitHub numbers them. */
  readonly number: number;
  readonly name: string;
  readonly status: "queued" | "in_progress" | "completed";
  /** What it came to; null until completed. */
  readonly outcome: Outcome | null;
  /** The same after `continue-on-error`. */
  readonly conclusion: Outcome | null;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
}

/** An action's script that waits for the end of the job. */
export interface PostStep {
  readonly name: string;
  readonly actionName: string;
  readonly action: ActionMetadata;
  readonly script: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** From GITHUB_STATE of its `main`: becomes `STATE_<name>`. */
  readonly savedState: ReadonlyMap<string, string>;
  readonly repository: { readonly name: string; readonly ref: string } | null;
}

/** Told while the job runs. Must not throw. */
export interface JobObserver {
  /** Masked already. */
  line(line: string, step: number): void;
  steps(steps: readonly StepRecord[]): void;
  annotation(annotation: StepAnnotation, step: number): void;
  /** Markdown of one step. */
  summary(markdown: string, step: number): void;
}

export interface JobResult {
  readonly conclusion: "success" | "failure" | "cancelled";
  readonly outputs: Readonly<Record<string, string>>;
  readonly steps: readonly StepRecord[];
  /** Processes that the job left running, ended by the runner after it said so in the log. */
  readonly orphans: readonly string[];
}

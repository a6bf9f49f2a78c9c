/** Workflows, their runs and jobs. What a workflow file means is not known here: the interpreter says it. */
import type { CheckStatus, Conclusion } from "./checks.ts";

export interface Workflow {
  readonly id: number;
  readonly nodeId: string;
  readonly repositoryId: number;
  /** `.github/workflows/qa.yml` */
  readonly path: string;
  /** The file's `name:`, else its path. */
  name: string;
  readonly createdAt: number;
}

export interface WorkflowRun {
  readonly id: number;
  readonly nodeId: string;
  readonly repositoryId: number;
  readonly workflowId: number;
  readonly path: string;
  readonly name: string;
  /** `run-name` is known only once the file is read. */
  displayTitle: string;
  readonly runNumber: number;
  /** 1 for the first; a re-run raises it. */
  attempt: number;
  readonly event: string;
  /** GITHUB_REF: `refs/heads/main`, `refs/pull/7/merge`. */
  readonly ref: string;
  readonly headBranch: string | null;
  /** The head commit that it is shown at (pull requests: the head, not the merge commit). */
  readonly headSha: string;
  /** GITHUB_SHA (pull requests: the merge commit). The workflow file and the checkout are taken from here. */
  readonly sha: string;
  status: CheckStatus;
  conclusion: Conclusion | null;
  readonly actorId: number;
  triggeringActorId: number;
  readonly pullNumbers: readonly number[];
  readonly inputs: Readonly<Record<string, string>>;
  /** What `github.event` holds. */
  readonly payload: unknown;
  readonly checkSuiteId: number;
  readonly createdAt: number;
  updatedAt: number;
  startedAt: number;
}

export interface JobStep {
  readonly number: number;
  readonly name: string;
  readonly status: "queued" | "in_progress" | "completed";
  readonly conclusion: "success" | "failure" | "skipped" | "cancelled" | null;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
}

export interface WorkflowJob {
  readonly id: number;
  readonly nodeId: string;
  readonly repositoryId: number;
  readonly runId: number;
  readonly attempt: number;
  /** The key under `jobs:`. */
  readonly key: string;
  /** What is shown: `bench (2)`. */
  readonly name: string;
  readonly labels: readonly string[];
  readonly environment: string | null;
  status: "queued" | "in_progress" | "completed" | "waiting";
  conclusion: Conclusion | null;
  steps: readonly JobStep[];
  runner: { readonly id: number; readonly name: string; readonly groupId: number; readonly groupName: string } | null;
  readonly createdAt: number;
  startedAt: number | null;
  completedAt: number | null;
  readonly checkRunId: number;
  /** What the job printed, in pieces as they came. */
  readonly log: string[];
  /** Markdown, in pieces: one a step. */
  readonly summaries: string[];
}

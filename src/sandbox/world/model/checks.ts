/** What is said about a commit: check suites and runs, statuses, deployments. */

export type CheckStatus = "queued" | "in_progress" | "completed" | "waiting" | "requested" | "pending";

export const conclusions = [
  "success",
  "failure",
  "neutral",
  "cancelled",
  "skipped",
  "timed_out",
  "action_required",
  "stale",
  "startup_failure",
] as const;
export type Conclusion = (typeof conclusions)[number];

export interface CheckSuite {
  readonly id: number;
  readonly nodeId: string;
  readonly repositoryId: number;
  readonly appId: number;
  readonly headSha: string;
  readonly headBranch: string | null;
  readonly before: string | null;
  readonly after: string | null;
  status: CheckStatus;
  conclusion: Conclusion | null;
  readonly workflowRunId: number | null;
  readonly createdAt: number;
  updatedAt: number;
}

export interface Annotation {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly startColumn: number | null;
  readonly endColumn: number | null;
  readonly level: "notice" | "warning" | "failure";
  readonly message: string;
  readonly title: string | null;
  readonly rawDetails: string | null;
}

export interface CheckAction {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
}

export interface CheckRun {
  readonly id: number;
  readonly nodeId: string;
  readonly repositoryId: number;
  readonly suiteId: number;
  readonly appId: number;
  readonly headSha: string;
  name: string;
  externalId: string;
  detailsUrl: string | null;
  status: CheckStatus;
  conclusion: Conclusion | null;
  startedAt: number | null;
  completedAt: number | null;
  output: { title: string | null; summary: string | null; text: string | null };
  /** Appended to by every update. */
  readonly annotations: Annotation[];
  actions: readonly CheckAction[];
  /** The workflow job that it mirrors. */
  readonly jobId: number | null;
  readonly createdAt: number;
}

export interface Status {
  readonly id: number;
  readonly nodeId: string;
  readonly repositoryId: number;
  readonly sha: string;
  readonly context: string;
  readonly state: "error" | "failure" | "pending" | "success";
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly creatorId: number;
  readonly createdAt: number;
}

export type DeploymentState =
  | "waiting"
  | "queued"
  | "pending"
  | "in_progress"
  | "success"
  | "failure"
  | "error"
  | "inactive";

export interface Deployment {
  readonly id: number;
  readonly nodeId: string;
  readonly repositoryId: number;
  readonly sha: string;
  readonly ref: string;
  readonly environment: string;
  readonly creatorId: number;
  readonly description: string | null;
  readonly createdAt: number;
  updatedAt: number;
  readonly statuses: {
    readonly id: number;
    readonly nodeId: string;
    readonly state: DeploymentState;
    readonly description: string;
    readonly creatorId: number;
    readonly at: number;
  }[];
  readonly runId: number | null;
  readonly jobId: number | null;
}

/** One app's say on one deployment. The job waits while any is pending. */
export interface ProtectionRequest {
  readonly id: number;
  readonly repositoryId: number;
  readonly deploymentId: number;
  readonly environment: string;
  readonly runId: number;
  readonly attempt: number;
  readonly jobId: number;
  readonly appId: number;
  state: "pending" | "approved" | "rejected";
  readonly comments: { readonly at: number; readonly text: string }[];
}

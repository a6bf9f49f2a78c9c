/**
 * The change feed: everything that happened, typed. Webhooks are built from it, and whoever plays GitHub Actions
 * listens to it. Changes hold the live objects: a recorder that needs a thing as it was copies it at once.
 */
import type {
  Account,
  Actor,
  CheckRun,
  CheckSuite,
  Comment,
  Deployment,
  Installation,
  Label,
  MergeGroup,
  ProtectionRequest,
  PullRequest,
  Repository,
  RepositoryPermission,
  Review,
  Reviewer,
  Status,
  Team,
  Workflow,
  WorkflowJob,
  WorkflowRun,
} from "./model/index.ts";

export type PullRequestAction =
  | { readonly action: "opened" | "closed" | "reopened" | "ready_for_review" | "converted_to_draft" }
  | { readonly action: "synchronize"; readonly before: string; readonly after: string; readonly forced: boolean }
  | { readonly action: "labeled" | "unlabeled"; readonly label: Label }
  | {
      readonly action: "edited";
      readonly from: {
        readonly title?: string;
        readonly body?: string | null;
        readonly base?: { readonly ref: string; readonly sha: string };
      };
    }
  | { readonly action: "review_requested" | "review_request_removed"; readonly reviewer: Reviewer }
  | { readonly action: "assigned" | "unassigned"; readonly assigneeId: number }
  | { readonly action: "auto_merge_enabled" | "auto_merge_disabled"; readonly reason: string | null }
  | { readonly action: "enqueued" }
  | { readonly action: "dequeued"; readonly reason: DequeueReason };

/** Why a pull request left the merge queue; GitHub knows more. */
export type DequeueReason = "MANUAL" | "MERGE" | "MERGE_CONFLICT" | "CI_FAILURE" | "CI_TIMEOUT" | "QUEUE_CLEARED";

type InRepository = { readonly repository: Repository };

export type Change = { readonly id: number; readonly at: number; readonly actor: Actor } & (
  | {
      readonly kind: "installation";
      readonly action: "created" | "deleted" | "suspend" | "unsuspend" | "new_permissions_accepted";
      readonly installation: Installation;
    }
  | {
      readonly kind: "installation_repositories";
      readonly action: "added" | "removed";
      readonly installation: Installation;
      readonly repositories: readonly Repository[];
    }
  | ({ readonly kind: "pull_request"; readonly pull: PullRequest } & PullRequestAction & InRepository)
  | ({
      readonly kind: "pull_request_review";
      readonly action: "submitted" | "edited" | "dismissed";
      readonly pull: PullRequest;
      readonly review: Review;
      readonly bodyBefore: string | null;
    } & InRepository)
  | ({
      readonly kind: "issue_comment";
      readonly action: "created" | "edited" | "deleted";
      readonly pull: PullRequest;
      readonly comment: Comment;
      readonly bodyBefore: string | null;
    } & InRepository)
  | ({
      readonly kind: "check_run";
      readonly action: "created" | "completed" | "rerequested" | "requested_action";
      readonly run: CheckRun;
      readonly suite: CheckSuite;
      /** The button that was pressed. */
      readonly identifier: string | null;
    } & InRepository)
  | ({
      readonly kind: "check_suite";
      readonly action: "requested" | "rerequested" | "completed";
      readonly suite: CheckSuite;
    } & InRepository)
  | ({ readonly kind: "status"; readonly status: Status } & InRepository)
  | ({
      readonly kind: "push";
      readonly ref: string;
      /** Forty zeros: the ref is new (before) or gone (after). */
      readonly before: string;
      readonly after: string;
      readonly forced: boolean;
      /** New commits, oldest first. */
      readonly commits: readonly string[];
    } & InRepository)
  | ({ readonly kind: "create" | "delete"; readonly refType: "branch" | "tag"; readonly ref: string } & InRepository)
  | ({
      readonly kind: "label";
      readonly action: "created" | "edited" | "deleted";
      readonly label: Label;
      readonly from: { readonly name?: string; readonly color?: string; readonly description?: string | null };
    } & InRepository)
  | ({
      readonly kind: "workflow_run";
      readonly action: "requested" | "in_progress" | "completed";
      readonly run: WorkflowRun;
      readonly workflow: Workflow;
    } & InRepository)
  | ({
      readonly kind: "workflow_job";
      readonly action: "queued" | "waiting" | "in_progress" | "completed";
      readonly job: WorkflowJob;
      readonly run: WorkflowRun;
    } & InRepository)
  | ({ readonly kind: "deployment"; readonly action: "created"; readonly deployment: Deployment } & InRepository)
  | ({ readonly kind: "deployment_status"; readonly action: "created"; readonly deployment: Deployment } & InRepository)
  | ({
      readonly kind: "deployment_protection_rule";
      readonly action: "requested";
      readonly request: ProtectionRequest;
      readonly deployment: Deployment;
      readonly run: WorkflowRun;
    } & InRepository)
  | ({
      readonly kind: "workflow_dispatch";
      readonly workflow: Workflow;
      readonly run: WorkflowRun;
      readonly inputs: Readonly<Record<string, string>>;
    } & InRepository)
  | ({
      readonly kind: "repository_dispatch";
      readonly eventType: string;
      readonly clientPayload: Readonly<Record<string, unknown>>;
    } & InRepository)
  | ({
      readonly kind: "merge_group";
      readonly action: "checks_requested" | "destroyed";
      readonly group: MergeGroup;
      readonly reason: string | null;
    } & InRepository)
  | {
      readonly kind: "team";
      readonly action: "created" | "deleted";
      readonly team: Team;
      readonly organization: Account;
    }
  /** What a team may do in a repository. */
  | ({
      readonly kind: "team";
      readonly action: "added_to_repository" | "removed_from_repository" | "edited";
      /** Before; null: nothing. */
      readonly from: RepositoryPermission | null;
      readonly team: Team;
      readonly organization: Account;
    } & InRepository)
  | ({ readonly kind: "team_add"; readonly team: Team; readonly organization: Account } & InRepository)
  | {
      readonly kind: "membership";
      readonly action: "added" | "removed";
      readonly team: Team;
      readonly organization: Account;
      readonly member: Account;
    }
  /** He is in none of its teams any more, of which no other event tells. */
  | {
      readonly kind: "organization";
      readonly action: "member_removed";
      readonly organization: Account;
      readonly member: Account;
      /** Before. */
      readonly role: "member" | "admin";
    }
  | ({
      readonly kind: "member";
      readonly action: "added" | "edited" | "removed";
      readonly member: Account;
      readonly from: RepositoryPermission | null;
      readonly to: RepositoryPermission | null;
    } & InRepository)
  | ({
      readonly kind: "repository";
      readonly action: "created" | "renamed" | "transferred";
      readonly fromName: string;
      readonly fromOwner: Account;
    } & InRepository)
  // What follows sends no webhook: wishes that whoever runs the workflows has to fulfil.
  /** New jobs are wanted: of all jobs, of those that failed, or of one and what depends on it. */
  | ({
      readonly kind: "rerun_wanted";
      readonly run: WorkflowRun;
      readonly only: "all" | "failed" | { readonly jobId: number };
    } & InRepository)
  | ({ readonly kind: "cancel_wanted"; readonly run: WorkflowRun; readonly force: boolean } & InRepository)
  /** Nothing holds the job any more (approved), or it must not start (rejected). */
  | ({
      readonly kind: "gate_decided";
      readonly job: WorkflowJob;
      readonly run: WorkflowRun;
      readonly verdict: "approved" | "rejected";
    } & InRepository)
);

type Without<T> = T extends unknown ? Omit<T, "id" | "at"> : never;
/** A change before it is numbered and dated. */
export type NewChange = Without<Change>;

export class Changes {
  readonly #recorders = new Set<(change: Change) => void>();
  readonly #listeners = new Set<(change: Change) => void | Promise<void>>();
  readonly #report: (error: unknown, change: Change) => void;
  #waiting: Change[] = [];
  #count = 0;

  /** @param report told when a listener throws: a listener's fault never undoes what happened. */
  constructor(report: (error: unknown, change: Change) => void) {
    this.#report = report;
  }

  /** Called at once, in the middle of the mutation, with the objects as they are then. It must not mutate. */
  record(recorder: (change: Change) => void): () => void {
    this.#recorders.add(recorder);
    return () => this.#recorders.delete(recorder);
  }

  /** Called soon after the mutation has returned, one change after another. It may mutate. */
  subscribe(listener: (change: Change) => void | Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(change: NewChange, at: number): void {
    this.#count += 1;
    const numbered: Change = { ...change, id: this.#count, at };
    for (const recorder of this.#recorders) this.#guard(recorder, numbered);
    this.#waiting.push(numbered);
    if (this.#waiting.length === 1) queueMicrotask(() => this.#drain());
  }

  #drain(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    for (const change of batch) {
      for (const listener of this.#listeners) this.#guard(listener, change);
    }
  }

  #guard(listener: (change: Change) => void | Promise<void>, change: Change): void {
    try {
      Promise.resolve(listener(change)).catch((error: unknown) => this.#report(error, change));
    } catch (error) {
      this.#report(error, change);
    }
  }
}

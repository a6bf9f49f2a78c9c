/**
 * The registry of GraphQL types that others lead to: how a value becomes one. Their fields are defined apart, in
 * `types/`, so that a commit may lead to a pull request and a pull request to a commit.
 */
import type {
  CheckRun,
  CheckSuite,
  Comment,
  Commit,
  Directory,
  Environment,
  Label,
  PullRequest,
  Repository,
  Review,
  Workflow,
  WorkflowRun,
} from "../world/index.ts";
import { entity } from "./define.ts";

export interface CommitValue {
  readonly repo: Repository;
  readonly commit: Commit;
}

export interface TreeValue {
  readonly repo: Repository;
  readonly directory: Directory;
  readonly path: string;
}

export interface PullCommitValue {
  readonly pull: PullRequest;
  readonly commit: Commit;
}

export const CheckRunType = entity<CheckRun>("CheckRun");
export const CheckSuiteType = entity<CheckSuite>("CheckSuite");
export const CommentType = entity<Comment>("IssueComment");
export const CommitType = entity<CommitValue>("Commit");
export const EnvironmentType = entity<Environment>("Environment");
export const LabelType = entity<Label>("Label");
export const MergeQueueEntryType = entity<PullRequest>("MergeQueueEntry");
export const PullRequestCommitType = entity<PullCommitValue>("PullRequestCommit");
export const PullRequestType = entity<PullRequest>("PullRequest");
export const RepositoryType = entity<Repository>("Repository");
export const ReviewType = entity<Review>("PullRequestReview");
export const TreeType = entity<TreeValue>("Tree");
export const WorkflowRunType = entity<WorkflowRun>("WorkflowRun");
export const WorkflowType = entity<Workflow>("Workflow");

/** Mutations of pull requests: labels, drafts, merges, reviews, comments. */

import type {
  AddCommentInput,
  AddLabelsToLabelableInput,
  AddPullRequestReviewInput,
  AddReactionInput,
  ClosePullRequestInput,
  ConvertPullRequestToDraftInput,
  CreateLabelInput,
  DeleteIssueCommentInput,
  DeleteLabelInput,
  DequeuePullRequestInput,
  DisablePullRequestAutoMergeInput,
  DismissPullRequestReviewInput,
  EnablePullRequestAutoMergeInput,
  EnqueuePullRequestInput,
  MarkPullRequestReadyForReviewInput,
  MergePullRequestInput,
  RemoveLabelsFromLabelableInput,
  ReopenPullRequestInput,
  RequestReviewsInput,
  UpdateIssueCommentInput,
  UpdateLabelInput,
  UpdatePullRequestInput,
} from "@octokit/graphql-schema";
import * as w from "../../world/index.ts";
import { actor, type Context, failure, need } from "../define.ts";
import { CommentType, LabelType, PullRequestType, ReviewType } from "../entities.ts";
import { actorEntity } from "../types/people.ts";
import { commentBy, given, type Input, labelBy, pullBy, repoOf, repositoryBy, reviewBy } from "./common.ts";

/** The pull request of an id, once the caller may do this to it. */
function mayWrite(
  context: Context,
  id: string,
  person: w.RepositoryPermission,
  ...permissions: string[]
): w.PullRequest {
  const pull = pullBy(context, id);
  need(context, repoOf(context, pull), "write", person, ...permissions);
  return pull;
}

const methods = { MERGE: "merge", SQUASH: "squash", REBASE: "rebase" } as const;

function answer(context: Context, input: { readonly clientMutationId?: string | null }, rest: object) {
  return {
    clientMutationId: input.clientMutationId ?? null,
    actor: () => actorEntity(actor(context).account),
    ...rest,
  };
}

function labelsOf(context: Context, pull: w.PullRequest, ids: readonly string[]): w.Label[] {
  return ids.map((id) => {
    const label = labelBy(context, id);
    if (label.repositoryId !== pull.repositoryId)
      throw failure("UNPROCESSABLE", `The label ${label.name} belongs to another repository.`);
    return label;
  });
}

/** Logins are not accepted here: node ids only. */
function reviewers(context: Context, input: RequestReviewsInput): w.Reviewer[] {
  const users = (input.userIds ?? []).map((id): w.Reviewer => {
    const node = context.world.nodes.get(id);
    if (node?.type !== "Account")
      throw failure("NOT_FOUND", `Could not resolve to a node with the global id of '${id}'`);
    return { kind: "user", accountId: node.value.id };
  });
  const teams = (input.teamIds ?? []).map((id): w.Reviewer => {
    const node = context.world.nodes.get(id);
    if (node?.type !== "Team") throw failure("NOT_FOUND", `Could not resolve to a node with the global id of '${id}'`);
    return { kind: "team", teamId: node.value.id };
  });
  return [...users, ...teams];
}

const events = { APPROVE: "APPROVED", REQUEST_CHANGES: "CHANGES_REQUESTED", COMMENT: "COMMENTED" } as const;

/** Deleting and editing others' comments takes write permission; apps reach only their own. */
function mayEdit(context: Context, comment: w.Comment): void {
  const by = actor(context);
  if (comment.authorId === by.account.id) return;
  const repo = repoOf(context, comment);
  if (by.via === "user" && w.atLeast(w.permissionOf(context.world, repo, by.account), "write")) return;
  throw failure("FORBIDDEN", "Resource not accessible by integration");
}

const reactions = {
  THUMBS_UP: "+1",
  THUMBS_DOWN: "-1",
  LAUGH: "laugh",
  CONFUSED: "confused",
  HEART: "heart",
  HOORAY: "hooray",
  ROCKET: "rocket",
  EYES: "eyes",
} as const;

export const pullMutations = {
  addLabelsToLabelable: (_root: null, { input }: Input<AddLabelsToLabelableInput>, context: Context) => {
    const pull = mayWrite(context, input.labelableId, "triage", "pull_requests", "issues");
    w.addLabels(context.world, actor(context), pull, labelsOf(context, pull, input.labelIds));
    return answer(context, input, { labelable: PullRequestType(pull) });
  },
  removeLabelsFromLabelable: (_root: null, { input }: Input<RemoveLabelsFromLabelableInput>, context: Context) => {
    const pull = mayWrite(context, input.labelableId, "triage", "pull_requests", "issues");
    w.removeLabels(context.world, actor(context), pull, labelsOf(context, pull, input.labelIds));
    return answer(context, input, { labelable: PullRequestType(pull) });
  },
  createLabel: (_root: null, { input }: Input<CreateLabelInput>, context: Context) => {
    const repo = repositoryBy(context, input.repositoryId);
    need(context, repo, "write", "write", "issues", "pull_requests");
    const { name, color, description } = input;
    const label = w.createLabel(context.world, actor(context), repo, { name, ...given({ color, description }) });
    return answer(context, input, { label: LabelType(label) });
  },
  updateLabel: (_root: null, { input }: Input<UpdateLabelInput>, context: Context) => {
    const label = labelBy(context, input.id);
    need(context, repoOf(context, label), "write", "write", "issues", "pull_requests");
    const { name, color, description } = input;
    w.editLabel(context.world, actor(context), repoOf(context, label), label, given({ name, color, description }));
    return answer(context, input, { label: LabelType(label) });
  },
  deleteLabel: (_root: null, { input }: Input<DeleteLabelInput>, context: Context) => {
    const label = labelBy(context, input.id);
    need(context, repoOf(context, label), "write", "write", "issues", "pull_requests");
    w.deleteLabel(context.world, actor(context), repoOf(context, label), label);
    return answer(context, input, {});
  },
  addComment: (_root: null, { input }: Input<AddCommentInput>, context: Context) => {
    const pull = mayWrite(context, input.subjectId, "read", "pull_requests", "issues");
    const made = w.addComment(context.world, actor(context), pull, input.body);
    return answer(context, input, {
      subject: PullRequestType(pull),
      commentEdge: { cursor: "", node: CommentType(made) },
    });
  },
  updateIssueComment: (_root: null, { input }: Input<UpdateIssueCommentInput>, context: Context) => {
    const comment = commentBy(context, input.id);
    need(context, repoOf(context, comment), "write", "read", "pull_requests", "issues");
    mayEdit(context, comment);
    w.editComment(context.world, actor(context), comment, input.body);
    return answer(context, input, { issueComment: CommentType(comment) });
  },
  deleteIssueComment: (_root: null, { input }: Input<DeleteIssueCommentInput>, context: Context) => {
    const comment = commentBy(context, input.id);
    need(context, repoOf(context, comment), "write", "read", "pull_requests", "issues");
    mayEdit(context, comment);
    w.deleteComment(context.world, actor(context), comment);
    return answer(context, input, {});
  },
  addReaction: (_root: null, { input }: Input<AddReactionInput>, context: Context) => {
    const comment = commentBy(context, input.subjectId);
    need(context, repoOf(context, comment), "write", "read", "pull_requests", "issues");
    w.react(context.world, actor(context), comment, reactions[input.content]);
    return answer(context, input, { subject: CommentType(comment) });
  },
  updatePullRequest: (_root: null, { input }: Input<UpdatePullRequestInput>, context: Context) => {
    const pull = mayWrite(context, input.pullRequestId, "triage", "pull_requests");
    const { title, body, baseRefName: base } = input;
    w.editPull(context.world, actor(context), pull, given({ title, body, base }));
    if (input.state === "CLOSED") w.closePull(context.world, actor(context), pull);
    if (input.state === "OPEN") w.reopenPull(context.world, actor(context), pull);
    return answer(context, input, { pullRequest: PullRequestType(pull) });
  },
  closePullRequest: (_root: null, { input }: Input<ClosePullRequestInput>, context: Context) => {
    const pull = mayWrite(context, input.pullRequestId, "triage", "pull_requests");
    w.closePull(context.world, actor(context), pull);
    return answer(context, input, { pullRequest: PullRequestType(pull) });
  },
  reopenPullRequest: (_root: null, { input }: Input<ReopenPullRequestInput>, context: Context) => {
    const pull = mayWrite(context, input.pullRequestId, "triage", "pull_requests");
    w.reopenPull(context.world, actor(context), pull);
    return answer(context, input, { pullRequest: PullRequestType(pull) });
  },
  convertPullRequestToDraft: (_root: null, { input }: Input<ConvertPullRequestToDraftInput>, context: Context) => {
    const pull = mayWrite(context, input.pullRequestId, "write", "pull_requests");
    w.setDraft(context.world, actor(context), pull, true);
    return answer(context, input, { pullRequest: PullRequestType(pull) });
  },
  markPullRequestReadyForReview: (
    _root: null,
    { input }: Input<MarkPullRequestReadyForReviewInput>,
    context: Context,
  ) => {
    const pull = mayWrite(context, input.pullRequestId, "write", "pull_requests");
    w.setDraft(context.world, actor(context), pull, false);
    return answer(context, input, { pullRequest: PullRequestType(pull) });
  },
  enablePullRequestAutoMerge: (_root: null, { input }: Input<EnablePullRequestAutoMergeInput>, context: Context) => {
    const pull = mayWrite(context, input.pullRequestId, "write", "pull_requests", "contents");
    if (input.expectedHeadOid && input.expectedHeadOid !== pull.head.sha)
      throw failure("UNPROCESSABLE", "Head sha didn't match expected head oid");
    const { commitHeadline: title, commitBody: message } = input;
    w.enableAutoMerge(context.world, actor(context), pull, {
      method: methods[input.mergeMethod ?? "MERGE"],
      ...given({ title, message }),
    });
    return answer(context, input, { pullRequest: PullRequestType(pull) });
  },
  disablePullRequestAutoMerge: (_root: null, { input }: Input<DisablePullRequestAutoMergeInput>, context: Context) => {
    const pull = mayWrite(context, input.pullRequestId, "write", "pull_requests", "contents");
    w.disableAutoMerge(context.world, actor(context), pull);
    return answer(context, input, { pullRequest: PullRequestType(pull) });
  },
  enqueuePullRequest: (_root: null, { input }: Input<EnqueuePullRequestInput>, context: Context) => {
    const pull = mayWrite(context, input.pullRequestId, "write", "pull_requests", "contents");
    w.enqueuePull(context.world, actor(context), pull, input.expectedHeadOid ?? undefined);
    return { clientMutationId: input.clientMutationId ?? null };
  },
  dequeuePullRequest: (_root: null, { input }: Input<DequeuePullRequestInput>, context: Context) => {
    w.dequeuePull(context.world, actor(context), mayWrite(context, input.id, "write", "pull_requests", "contents"));
    return { clientMutationId: input.clientMutationId ?? null };
  },
  mergePullRequest: (_root: null, { input }: Input<MergePullRequestInput>, context: Context) => {
    const pull = mayWrite(context, input.pullRequestId, "write", "contents");
    const { commitHeadline: title, commitBody: message, expectedHeadOid: sha } = input;
    if (repoOf(context, pull).merging.queues.has(pull.base.ref))
      throw failure("UNPROCESSABLE", "Changes must be made through the merge queue");
    w.mergePull(context.world, actor(context), pull, {
      method: methods[input.mergeMethod ?? "MERGE"],
      ...given({ title, message, sha }),
    });
    return answer(context, input, { pullRequest: PullRequestType(pull) });
  },
  requestReviews: (_root: null, { input }: Input<RequestReviewsInput>, context: Context) => {
    const pull = mayWrite(context, input.pullRequestId, "triage", "pull_requests");
    const wanted = reviewers(context, input);
    if (input.union === false)
      w.removeReviewers(
        context.world,
        actor(context),
        pull,
        pull.requestedReviewers.filter((known) => !wanted.includes(known)),
      );
    w.requestReviewers(context.world, actor(context), pull, wanted);
    return answer(context, input, { pullRequest: PullRequestType(pull) });
  },
  addPullRequestReview: (_root: null, { input }: Input<AddPullRequestReviewInput>, context: Context) => {
    const pull = mayWrite(context, input.pullRequestId, "read", "pull_requests");
    const { event, body, commitOID: commitSha } = input;
    if (!event || event === "DISMISS")
      throw failure("NOT_IMPLEMENTED", "not implemented in the sandbox: pending reviews");
    if (input.comments?.length || input.threads?.length)
      throw failure("NOT_IMPLEMENTED", "not implemented in the sandbox: review comments on lines");
    const review = w.submitReview(context.world, actor(context), pull, {
      state: events[event],
      ...given({ body, commitSha }),
    });
    return answer(context, input, {
      pullRequestReview: ReviewType(review),
      reviewEdge: { cursor: "", node: ReviewType(review) },
    });
  },
  dismissPullRequestReview: (_root: null, { input }: Input<DismissPullRequestReviewInput>, context: Context) => {
    const review = reviewBy(context, input.pullRequestReviewId);
    need(context, repoOf(context, review), "write", "write", "pull_requests");
    w.dismissReview(
      context.world,
      actor(context),
      w.pullOf(context.world, review.repositoryId, review.pullNumber),
      review,
      input.message,
    );
    return answer(context, input, { pullRequestReview: ReviewType(review) });
  },
};

/** Payloads about pull requests and what is said on them. */

import { team, userById } from "../shapes/people.ts";
import { comment, issue, pull, pullSimple, review } from "../shapes/pulls.ts";
import { label } from "../shapes/repositories.ts";
import { type Change, required, type World } from "../world/index.ts";

type Of<K extends Change["kind"]> = Extract<Change, { kind: K }>;

export function pullRequest(world: World, change: Of<"pull_request">) {
  const common = { action: change.action, number: change.pull.number, pull_request: pull(world, change.pull) };
  switch (change.action) {
    case "labeled":
    case "unlabeled":
      return { ...common, label: label(world, change.label) };
    case "synchronize":
      return { ...common, before: change.before, after: change.after };
    case "edited": {
      const { title, body, base } = change.from;
      return {
        ...common,
        changes: {
          ...(title === undefined ? {} : { title: { from: title } }),
          ...(body === undefined ? {} : { body: { from: body } }),
          ...(base === undefined ? {} : { base: { ref: { from: base.ref }, sha: { from: base.sha } } }),
        },
      };
    }
    case "review_requested":
    case "review_request_removed":
      return change.reviewer.kind === "user"
        ? { ...common, requested_reviewer: userById(world, change.reviewer.accountId) }
        : { ...common, requested_team: team(world, required(world.teams.get(change.reviewer.teamId))) };
    case "assigned":
    case "unassigned":
      return { ...common, assignee: userById(world, change.assigneeId) };
    case "auto_merge_enabled":
    case "auto_merge_disabled":
    case "dequeued":
      return { ...common, reason: change.reason };
    case "opened":
    case "closed":
    case "enqueued":
    case "reopened":
    case "ready_for_review":
    case "converted_to_draft":
      return common;
  }
}

export function pullRequestReview(world: World, change: Of<"pull_request_review">) {
  const shown = review(world, change.review);
  return {
    action: change.action,
    // Webhooks write the state in small letters, and an empty body as null.
    review: { ...shown, state: shown.state.toLowerCase(), body: shown.body === "" ? null : shown.body },
    pull_request: pullSimple(world, change.pull),
    ...(change.bodyBefore === null ? {} : { changes: { body: { from: change.bodyBefore } } }),
  };
}

export function issueComment(world: World, change: Of<"issue_comment">) {
  return {
    action: change.action,
    issue: issue(world, change.pull),
    comment: comment(world, change.comment),
    ...(change.bodyBefore === null ? {} : { changes: { body: { from: change.bodyBefore } } }),
  };
}

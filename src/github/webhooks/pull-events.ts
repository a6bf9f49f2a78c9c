import { act } from "../../lifecycle/facts/change.ts";
import type { Act } from "../../lifecycle/facts/facts.ts";
import { STAGE_LABEL_PREFIX } from "../../lifecycle/policy/policy.ts";
import type { WebhookEvent } from "./events.ts";
import * as payloads from "./payloads.ts";
import { actorOf, labelsSeen, observed } from "./values.ts";

export function readPullRequest(payload: unknown): WebhookEvent[] {
  const event = payloads.pullRequestEvent.parse(payload);
  const { pull_request: pull, action } = event;
  const at = pull.updated_at;
  const by = actorOf(event.sender);
  const acts: Act[] = [];
  switch (action) {
    case "opened":
      acts.push(act({ kind: "opened", at: pull.created_at, by: actorOf(pull.user) }));
      break;
    case "labeled":
    case "unlabeled":
      // A label that was deleted from the repository has no name any more.
      if (event.label != null) {
        acts.push(act({ kind: action, at, by, label: event.label.name }));
      }
      break;
    case "synchronize":
      acts.push(
        act({
          kind: "pushed",
          at,
          by,
          before: event.before ?? "",
          sha: event.after ?? pull.head.sha,
          forced: false,
        }),
      );
      break;
    case "converted_to_draft":
      acts.push(act({ kind: "drafted", at, by }));
      break;
    case "ready_for_review":
      acts.push(act({ kind: "readied", at, by }));
      break;
    case "closed":
      acts.push(act({ kind: "closed", at: pull.closed_at ?? at, by, merged: pull.merged_at != null }));
      break;
    case "reopened":
      acts.push(act({ kind: "reopened", at, by }));
      break;
    case "edited":
      if (event.changes?.base != null) {
        acts.push(act({ kind: "base_changed", at, by, from: event.changes.base.ref.from, to: pull.base.ref }));
      }
      break;
    default:
      break;
  }
  const stageLabels =
    (action === "labeled" || action === "unlabeled") &&
    (event.label == null || event.label.name.toLowerCase().startsWith(STAGE_LABEL_PREFIX));
  const news: WebhookEvent = { kind: "pull", change: observed(event, acts), stageLabels, labels: labelsSeen(pull) };
  const reason = event.reason ?? "UNKNOWN_REMOVAL_REASON";
  return action === "dequeued" && !MERGED.has(reason)
    ? [news, { kind: "dequeued", number: pull.number, reason, by }]
    : [news];
}

/** Reasons for which a pull request leaves the merge queue for good. */
const MERGED: ReadonlySet<string> = new Set(["MERGE", "ALREADY_MERGED"]);

export function readReview(payload: unknown): WebhookEvent[] {
  const event = payloads.reviewEvent.parse(payload);
  const { review, pull_request: pull } = event;
  const state = review.state.toLowerCase();
  const acts: Act[] = [];
  if (event.action === "dismissed") {
    acts.push(act({ kind: "review_dismissed", at: pull.updated_at, by: actorOf(event.sender), reviewId: review.id }));
  } else if (
    event.action === "submitted" &&
    (state === "approved" || state === "changes_requested" || state === "commented")
  ) {
    acts.push(
      act({
        kind: "review",
        at: review.submitted_at ?? pull.updated_at,
        by: actorOf(review.user),
        reviewId: review.id,
        state,
        sha: review.commit_id ?? pull.head.sha,
      }),
    );
  }
  return [{ kind: "pull", change: observed(event, acts), stageLabels: false, labels: labelsSeen(pull) }];
}

export function readComment(payload: unknown): WebhookEvent[] {
  const event = payloads.commentEvent.parse(payload);
  const edited = event.action === "edited";
  if ((event.action !== "created" && !edited) || event.issue.pull_request === undefined) {
    return [];
  }
  const { comment } = event;
  return [
    {
      kind: "comment",
      number: event.issue.number,
      comment: {
        id: comment.id,
        nodeId: comment.node_id,
        at: comment.created_at,
        by: actorOf(edited ? event.sender : comment.user),
        body: comment.body ?? "",
        before: edited ? (event.changes?.body?.from ?? "") : null,
      },
    },
  ];
}

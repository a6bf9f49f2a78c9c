/** A pull request's history, item by item, as `GET …/issues/{number}/timeline` shows it. */
import {
  account,
  commit,
  type PullRequest,
  repository as repositoryOf,
  required,
  type TimelineEvent,
  type World,
} from "../world/index.ts";
import { gitCommit } from "./commits.ts";
import { appById, team, userById } from "./people.ts";
import { comment, review } from "./pulls.ts";
import { iso, repoApi } from "./urls.ts";

/** Comments, reviews and commits stand there in their own form, all else as an event of the issue. */
export function timelineItem(world: World, pull: PullRequest, shown: TimelineEvent) {
  const repo = repositoryOf(world, pull.repositoryId);
  switch (shown.event) {
    case "commented": {
      const own = comment(world, required(pull.comments.find((one) => one.id === shown.commentId)));
      return { ...own, event: shown.event, actor: own.user };
    }
    case "reviewed": {
      const own = review(world, required(pull.reviews.find((one) => one.id === shown.reviewId)));
      return { ...own, event: shown.event, state: own.state.toLowerCase() };
    }
    case "committed":
      return { ...gitCommit(world, repo, commit(world, shown.sha)), event: shown.event };
    default:
      return { ...issueEvent(world, pull, shown), ...ownFields(world, shown) };
  }
}

type IssueEvent = Exclude<TimelineEvent, { event: "commented" | "reviewed" | "committed" }>;

function issueEvent(world: World, pull: PullRequest, shown: IssueEvent) {
  const repo = repositoryOf(world, pull.repositoryId);
  const { appId } = account(world, shown.actorId);
  const sha = shaOf(shown);
  return {
    id: shown.id,
    node_id: shown.nodeId,
    url: repoApi(world, repo, `/issues/events/${shown.id}`),
    actor: userById(world, shown.actorId),
    event: shown.event,
    commit_id: sha,
    commit_url: sha === null ? null : repoApi(world, repo, `/commits/${sha}`),
    created_at: iso(shown.at),
    performed_via_github_app: appId === null ? null : appById(world, appId),
  };
}

function shaOf(shown: IssueEvent): string | null {
  if (shown.event === "merged") return shown.sha;
  return shown.event === "head_ref_force_pushed" ? shown.after : null;
}

function ownFields(world: World, shown: IssueEvent) {
  switch (shown.event) {
    case "labeled":
    case "unlabeled":
      return { label: { name: shown.labelName, color: shown.labelColor } };
    case "renamed":
      return { rename: { from: shown.from, to: shown.to } };
    case "review_requested":
    case "review_request_removed": {
      const { reviewer } = shown;
      const asked =
        reviewer.kind === "user"
          ? { requested_reviewer: userById(world, reviewer.accountId) }
          : { requested_team: team(world, required(world.teams.get(reviewer.teamId))) };
      return { review_requester: userById(world, shown.actorId), ...asked };
    }
    case "review_dismissed": {
      const { reviewId, message, state } = shown;
      return { dismissed_review: { state: state.toLowerCase(), review_id: reviewId, dismissal_message: message } };
    }
    case "assigned":
    case "unassigned":
      return { assignee: userById(world, shown.assigneeId) };
    case "closed":
      return { state_reason: null };
    default:
      return {};
  }
}

/** Comments on pull requests, and reactions. */
import { reaction, comment as shape } from "../shapes/pulls.ts";
import {
  type Actor,
  addComment,
  atLeast,
  type Comment,
  commentById,
  deleteComment,
  editComment,
  permissionOf,
  type Repository,
  react,
  required,
  type World,
  WorldError,
} from "../world/index.ts";
import { pullAt } from "./pulls.ts";
import { created, list, noContent, ok, type Route, reads, repoRoute, writes } from "./route.ts";

const reading = reads("issues", "pull_requests");
const writing = writes("read", "issues", "pull_requests");

function commentAt(world: World, repo: Repository, id: number): Comment {
  return required(commentById(world, repo.id, id));
}

/** One's own; others' only with write permission. Apps edit only their own. */
function mayEdit(world: World, repo: Repository, actor: Actor, comment: Comment): void {
  if (comment.authorId === actor.account.id) return;
  if (actor.via === "user" && atLeast(permissionOf(world, repo, actor.account), "write")) return;
  throw new WorldError("forbidden", "Must have admin rights to Repository.");
}

export const commentRoutes: readonly Route[] = [
  repoRoute("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", reading, (call, repo) => {
    const since = call.query.since === undefined ? 0 : Date.parse(call.query.since);
    const found = pullAt(repo, call.path.issue_number).comments.filter((one) => one.updatedAt >= since);
    return list(call, found, (one) => shape(call.world, one));
  }),
  repoRoute("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", writing, (call, repo) =>
    created(
      shape(call.world, addComment(call.world, call.actor, pullAt(repo, call.path.issue_number), call.body.body)),
    ),
  ),
  repoRoute("GET /repos/{owner}/{repo}/issues/comments/{comment_id}", reading, (call, repo) =>
    ok(shape(call.world, commentAt(call.world, repo, call.path.comment_id))),
  ),
  repoRoute("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", writing, (call, repo) => {
    const found = commentAt(call.world, repo, call.path.comment_id);
    mayEdit(call.world, repo, call.actor, found);
    editComment(call.world, call.actor, found, call.body.body);
    return ok(shape(call.world, found));
  }),
  repoRoute("DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}", writing, (call, repo) => {
    const found = commentAt(call.world, repo, call.path.comment_id);
    mayEdit(call.world, repo, call.actor, found);
    deleteComment(call.world, call.actor, found);
    return noContent;
  }),
  repoRoute("GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", reading, (call, repo) => {
    const { content } = call.query;
    const all = commentAt(call.world, repo, call.path.comment_id).reactions;
    const found = all.filter((one) => content === undefined || one.content === content);
    return list(call, found, (one) => reaction(call.world, one));
  }),
  repoRoute("POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", writing, (call, repo) => {
    const { reaction: made, created: isNew } = react(
      call.world,
      call.actor,
      commentAt(call.world, repo, call.path.comment_id),
      call.body.content,
    );
    return { status: isNew ? 201 : 200, body: reaction(call.world, made) };
  }),
  repoRoute(
    "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions/{reaction_id}",
    writing,
    (call, repo) => {
      const found = commentAt(call.world, repo, call.path.comment_id);
      const at = found.reactions.findIndex(
        (one) => one.id === call.path.reaction_id && one.accountId === call.actor.account.id,
      );
      if (at === -1) throw new WorldError("not_found", "Not Found");
      found.reactions.splice(at, 1);
      return noContent;
    },
  ),
];

/** Comments on pull requests, and reactions to them. */
import { invalid } from "../errors.ts";
import type { Actor, Comment, PullRequest, Reaction, ReactionContent } from "../model/index.ts";
import { emit, pullOf, register, repository, type World } from "../world.ts";
import { note } from "./timeline.ts";

const bodyLimit = 65_536;

function checkBody(body: string): void {
  if (body.trim() === "")
    throw invalid("Validation Failed", {
      resource: "IssueComment",
      code: "unprocessable",
      field: "data",
      message: "Body can't be blank",
    });
  if (body.length > bodyLimit) throw invalid(`Body is too long (maximum is ${bodyLimit} characters)`);
}

export function addComment(world: World, actor: Actor, pull: PullRequest, body: string): Comment {
  checkBody(body);
  const id = world.ids.next("Comment");
  const comment: Comment = {
    id,
    nodeId: world.ids.node("Comment", id),
    repositoryId: pull.repositoryId,
    pullNumber: pull.number,
    authorId: actor.account.id,
    appId: actor.app?.id ?? null,
    body,
    createdAt: world.now(),
    updatedAt: world.now(),
    reactions: [],
  };
  pull.comments.push(comment);
  register(world, { type: "Comment", value: comment });
  note(world, actor, pull, { event: "commented", commentId: id });
  emit(world, {
    kind: "issue_comment",
    action: "created",
    actor,
    repository: repository(world, pull.repositoryId),
    pull,
    comment,
    bodyBefore: null,
  });
  return comment;
}

export function editComment(world: World, actor: Actor, comment: Comment, body: string): void {
  checkBody(body);
  if (comment.body === body) return;
  const bodyBefore = comment.body;
  comment.body = body;
  comment.updatedAt = world.now();
  const pull = pullOf(world, comment.repositoryId, comment.pullNumber);
  pull.updatedAt = world.now();
  emit(world, {
    kind: "issue_comment",
    action: "edited",
    actor,
    repository: repository(world, comment.repositoryId),
    pull,
    comment,
    bodyBefore,
  });
}

export function deleteComment(world: World, actor: Actor, comment: Comment): void {
  const pull = pullOf(world, comment.repositoryId, comment.pullNumber);
  const at = pull.comments.indexOf(comment);
  if (at === -1) return;
  pull.comments.splice(at, 1);
  const line = pull.timeline.findIndex((event) => event.event === "commented" && event.commentId === comment.id);
  if (line !== -1) pull.timeline.splice(line, 1);
  world.nodes.delete(comment.nodeId);
  pull.updatedAt = world.now();
  emit(world, {
    kind: "issue_comment",
    action: "deleted",
    actor,
    repository: repository(world, comment.repositoryId),
    pull,
    comment,
    bodyBefore: null,
  });
}

/** The same reaction twice is the first one; sends no webhook, as on GitHub. */
export function react(
  world: World,
  actor: Actor,
  comment: Comment,
  content: ReactionContent,
): { reaction: Reaction; created: boolean } {
  const known = comment.reactions.find((r) => r.accountId === actor.account.id && r.content === content);
  if (known !== undefined) return { reaction: known, created: false };
  const id = world.ids.next("Reaction");
  const reaction: Reaction = {
    id,
    nodeId: world.ids.node("Reaction", id),
    accountId: actor.account.id,
    content,
    createdAt: world.now(),
  };
  comment.reactions.push(reaction);
  return { reaction, created: true };
}

export function commentById(world: World, repositoryId: number, id: number): Comment | null {
  for (const pull of repository(world, repositoryId).pulls.values()) {
    const found = pull.comments.find((comment) => comment.id === id);
    if (found !== undefined) return found;
  }
  return null;
}

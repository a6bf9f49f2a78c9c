/** Auto-merge: GitHub merges a pull request by itself as soon as it may be merged. */
import { invalid } from "../errors.ts";
import type { Actor, MergeMethod, PullRequest } from "../model/index.ts";
import { emit, repository, type World } from "../world.ts";
import { mergeState } from "./pull-state.ts";
import { note } from "./timeline.ts";

/** @throws WorldError invalid: it could be merged at once, is closed, or the settings forbid it */
export function enableAutoMerge(
  world: World,
  actor: Actor,
  pull: PullRequest,
  input: { readonly method: MergeMethod; readonly title?: string; readonly message?: string },
): void {
  if (pull.state !== "open") throw invalid("Pull request is closed");
  const { merging } = repository(world, pull.repositoryId);
  if (!merging.autoMerge) throw invalid("Auto merge is not allowed for this repository");
  if (!merging.methods.includes(input.method)) throw invalid(`Merge method ${input.method} merging is not allowed`);
  const state = mergeState(world, pull);
  if (state === "clean" || state === "unstable") throw invalid(`Pull request is in ${state} status`);
  pull.autoMerge = {
    enabledById: actor.account.id,
    method: input.method,
    title: input.title ?? `${pull.title} (#${pull.number})`,
    message: input.message ?? "",
  };
  note(world, actor, pull, { event: "auto_merge_enabled" });
  emit(world, {
    kind: "pull_request",
    action: "auto_merge_enabled",
    actor,
    repository: repository(world, pull.repositoryId),
    pull,
    reason: null,
  });
}

export function disableAutoMerge(world: World, actor: Actor, pull: PullRequest, reason: string | null = null): void {
  if (pull.autoMerge === null) return;
  pull.autoMerge = null;
  note(world, actor, pull, { event: "auto_merge_disabled" });
  emit(world, {
    kind: "pull_request",
    action: "auto_merge_disabled",
    actor,
    repository: repository(world, pull.repositoryId),
    pull,
    reason,
  });
}

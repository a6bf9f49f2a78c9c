/** Every action of the policy language. A new one is a file of its own and a line here. */
import type { Action, ActionKind, Policy } from "../policy/policy.ts";
import type { ActionContext, ActionDefinition, PlannedEffect } from "./action.ts";
import { assignAction } from "./assign.ts";
import { autoMergeAction } from "./auto-merge.ts";
import { commentAction } from "./comment.ts";
import { labelAction } from "./label.ts";
import { releaseAction } from "./release.ts";
import { repositoryDispatchAction } from "./repository-dispatch.ts";
import { requestReviewAction } from "./request-review.ts";
import { startAction } from "./start.ts";

export const ACTIONS: { readonly [K in ActionKind]: ActionDefinition<K> } = {
  comment: commentAction,
  start: startAction,
  repository_dispatch: repositoryDispatchAction,
  release: releaseAction,
  request_review: requestReviewAction,
  assign: assignAction,
  label: labelAction,
  auto_merge: autoMergeAction,
};

export function planAction<K extends ActionKind>(action: Action<K>, context: ActionContext): PlannedEffect {
  return ACTIONS[action.kind].plan(action, context);
}

/** What a stage's actions ask for on this occasion. `passed`: the pull request goes through it without stopping. */
export function planActions(context: ActionContext, passed = false): PlannedEffect[] {
  const { stage, occasion } = context;
  const actions = { enter: stage.onEnter, back: stage.onBack, overdue: stage.onOverdue }[occasion];
  return actions
    .filter((action) => !passed || ACTIONS[action.kind].whenPassed)
    .map((action) => planAction(action, context));
}

/** Permissions of the installation that the policy's actions need, with the actions that need them. */
export function permissionsRequired(policy: Policy): Map<string, { level: "read" | "write"; actions: ActionKind[] }> {
  const needed = new Map<string, { level: "read" | "write"; actions: ActionKind[] }>();
  for (const stage of policy.stages) {
    for (const { kind } of [...stage.onEnter, ...stage.onBack, ...stage.onOverdue]) {
      for (const [permission, level] of Object.entries(ACTIONS[kind].requiredPermissions)) {
        const known = needed.get(permission);
        needed.set(permission, {
          level: known?.level === "write" ? "write" : level,
          actions: [...new Set([...(known?.actions ?? []), kind])],
        });
      }
    }
  }
  return needed;
}

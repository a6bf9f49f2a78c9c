/** The handlers of effects that have no other home: those of the policy's actions, and what is said about them. */
import type { EffectKind } from "../effect.ts";
import { failureReport } from "../failure-report.ts";
import type { EffectHandlers } from "../handler.ts";
import { assign } from "./assign.ts";
import { autoMerge } from "./auto-merge.ts";
import { comment } from "./comment.ts";
import { dequeued } from "./dequeued.ts";
import { disableAutoMergeAction } from "./disable-auto-merge.ts";
import { note } from "./history-note.ts";
import { label } from "./label.ts";
import { refused } from "./refused.ts";
import { releaseJob } from "./release.ts";
import { repositoryDispatch } from "./repository-dispatch.ts";
import { requestReview } from "./request-review.ts";
import { start } from "./start.ts";
import { tampering } from "./tampering.ts";

export const HANDLERS = {
  assign,
  auto_merge: autoMerge,
  comment,
  dequeued,
  disable_auto_merge: disableAutoMergeAction,
  failure_report: failureReport,
  label,
  note,
  refused,
  release: releaseJob,
  repository_dispatch: repositoryDispatch,
  request_review: requestReview,
  start,
  tampering,
} satisfies { readonly [K in EffectKind]?: EffectHandlers[K] };

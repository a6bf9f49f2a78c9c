/** Every kind of effect that can be carried out. A new one is a file of its own and a line here. */

import { mergeGroup } from "../../evaluation/merge-group-check.ts";
import { trouble } from "../failure-report.ts";
import type { StoredHandler } from "../handler.ts";
import { assign } from "./assign.ts";
import { autoMerge } from "./auto-merge.ts";
import { comment } from "./comment.ts";
import { dequeued } from "./dequeued.ts";
import { disableAutoMergeAction } from "./disable-auto-merge.ts";
import { note } from "./history-note.ts";
import { label } from "./label.ts";
import { refused } from "./refused.ts";
import { release } from "./release.ts";
import { repositoryDispatch } from "./repository-dispatch.ts";
import { requestReview } from "./request-review.ts";
import { start } from "./start.ts";
import { tampering } from "./tampering.ts";

const ALL: readonly StoredHandler[] = [
  assign,
  autoMerge,
  comment,
  dequeued,
  disableAutoMergeAction,
  label,
  mergeGroup,
  note,
  refused,
  release,
  repositoryDispatch,
  requestReview,
  start,
  tampering,
  trouble,
];

export const HANDLERS: ReadonlyMap<string, StoredHandler> = new Map(ALL.map((each) => [each.kind, each]));

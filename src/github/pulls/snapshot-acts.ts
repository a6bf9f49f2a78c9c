/** What a snapshot tells of who did what when, in the words of the lifecycle. */

import { compareIds } from "../../ids.ts";
import { act, type CheckSeen } from "../../lifecycle/facts/change.ts";
import type { Act } from "../../lifecycle/facts/facts.ts";
import type { SuiteSeen } from "../../lifecycle/facts/suites.ts";
import { isStageCheck } from "../../lifecycle/policy/policy-check.ts";
import { checkStatus, runResult, suiteFinished } from "../webhooks/values.ts";
import { graphqlActor } from "./pull-fields.ts";
import type { CommentFields, ContextFields, ReviewFields, SuiteFields, TimelineFields } from "./snapshot-fields.ts";

/** Our own check run as a snapshot shows it: without its texts. */
export interface OwnCheckSeen {
  readonly nodeId: string;
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly title: string;
}

/** A comment as it was first written: an edited one is left out, for nobody can say what it said. */
export interface CommentSeen {
  readonly id: string;
  readonly nodeId: string;
  readonly at: number;
  readonly by: Act["by"];
  readonly body: string;
  readonly before: null;
}

/** Null: it is pending, or dismissed: then its dismissal tells what it was. */
export function reviewAct(given: Omit<ReviewFields, "state">, stateText: string, head: string): Act | null {
  const state = stateText.toLowerCase();
  if (state !== "approved" && state !== "changes_requested" && state !== "commented") {
    return null;
  }
  if (given.fullDatabaseId == null || given.submittedAt == null) {
    return null;
  }
  return act({
    kind: "review",
    at: given.submittedAt,
    by: graphqlActor(given.author),
    reviewId: given.fullDatabaseId,
    state,
    sha: given.commit?.oid ?? head,
  });
}

export function timelineActs(item: TimelineFields, head: string, merged: boolean): Act[] {
  const at = item.createdAt;
  if (at == null) {
    return [];
  }
  const by = graphqlActor(item.actor);
  switch (item.__typename) {
    case "LabeledEvent":
      return item.label == null ? [] : [act({ kind: "labeled", at, by, label: item.label.name })];
    case "UnlabeledEvent":
      return item.label == null ? [] : [act({ kind: "unlabeled", at, by, label: item.label.name })];
    case "ConvertToDraftEvent":
      return [act({ kind: "drafted", at, by })];
    case "ReadyForReviewEvent":
      return [act({ kind: "readied", at, by })];
    case "ClosedEvent":
      return [act({ kind: "closed", at, by, merged })];
    case "ReopenedEvent":
      return [act({ kind: "reopened", at, by })];
    case "BaseRefChangedEvent": {
      const { previousRefName: from, currentRefName: to } = item;
      return from == null || to == null ? [] : [act({ kind: "base_changed", at, by, from, to })];
    }
    case "ReviewDismissedEvent": {
      const id = item.review?.fullDatabaseId;
      if (id == null || item.review == null) {
        return [];
      }
      const given = reviewAct(item.review, item.previousReviewState ?? "", head);
      return [...(given === null ? [] : [given]), act({ kind: "review_dismissed", at, by, reviewId: id })];
    }
    case "HeadRefForcePushedEvent": {
      const { beforeCommit: before, afterCommit: after } = item;
      return before == null || after == null
        ? []
        : [act({ kind: "pushed", at, by, before: before.oid, sha: after.oid, forced: true })];
    }
    default:
      return [];
  }
}

export function commentsSeen(comments: readonly (CommentFields | null)[]): CommentSeen[] {
  return comments.flatMap((each) =>
    each === null || each.fullDatabaseId == null || each.lastEditedAt != null
      ? []
      : [
          {
            id: each.fullDatabaseId,
            nodeId: each.id,
            at: each.createdAt,
            by: graphqlActor(each.author),
            body: each.body,
            before: null,
          },
        ],
  );
}

export interface ChecksRead {
  /** Those of others. */
  readonly checks: readonly CheckSeen[];
  /** Workflow runs that have ended, one act each. */
  readonly runs: readonly Act[];
  /** Our own, the newest of each name. */
  readonly ours: readonly OwnCheckSeen[];
}

export function checksRead(contexts: readonly (ContextFields | null)[], sha: string, appId: number): ChecksRead {
  const checks: CheckSeen[] = [];
  const runs = new Map<string, Act>();
  const ours = new Map<string, { readonly id: string; readonly check: OwnCheckSeen }>();
  for (const each of contexts) {
    if (each === null) {
      continue;
    }
    if (each.__typename === "StatusContext") {
      const pending = each.state === "PENDING" || each.state === "EXPECTED";
      checks.push({
        name: each.context,
        // A status does not say which app wrote it.
        appId: 0,
        appSlug: "",
        status: pending ? "in_progress" : "completed",
        conclusion: pending ? null : each.state === "SUCCESS" ? "success" : "failure",
        sha,
        at: each.createdAt,
        ours: false,
      });
      continue;
    }
    const { checkSuite: suite, name, status, conclusion, title } = each;
    const isOurs = suite.app?.databaseId === appId;
    if (isOurs) {
      if (!isStageCheck(name)) {
        continue;
      }
      const id = each.resourcePath ?? "";
      const known = ours.get(name);
      if (known === undefined || compareIds(known.id, id) < 0) {
        ours.set(name, { id, check: { nodeId: each.id, name, status, conclusion, title: title ?? "" } });
      }
      // What we say ourselves is no news to us.
      continue;
    }
    checks.push({
      name,
      appId: suite.app?.databaseId ?? 0,
      appSlug: suite.app?.slug ?? "",
      status: checkStatus(status),
      conclusion,
      sha,
      at: each.completedAt ?? each.startedAt ?? suite.createdAt,
      ours: false,
      suite: suite.id,
    });
    const run = runAct(each, sha);
    if (run !== null && run.kind === "workflow") {
      runs.set(run.runId, run);
    }
  }
  return { checks, runs: [...runs.values()], ours: [...ours.values()].map(({ check }) => check) };
}

/**
 * The suites of others in which checks were made or will be. GitHub opens one for every app that may write checks, and
 * those of apps that write none stay open for ever.
 */
export function suitesSeen(
  suites: readonly (SuiteFields | null)[],
  contexts: readonly (ContextFields | null)[],
  sha: string,
  appId: number,
): SuiteSeen[] {
  const used = new Set(contexts.flatMap((each) => (each?.__typename === "CheckRun" ? [each.checkSuite.id] : [])));
  return suites.flatMap((suite) => {
    if (suite === null || suite.app?.databaseId === appId) {
      return [];
    }
    const finished = suiteFinished(suite.status.toLowerCase(), suite.conclusion?.toLowerCase() ?? null);
    const workflow = suite.workflowRun?.file?.path.split("@", 1)[0] ?? null;
    return suite.workflowRun == null && !finished && !used.has(suite.id)
      ? []
      : [{ id: suite.id, sha, app: suite.app?.slug ?? "", workflow, finished, at: suite.updatedAt }];
  });
}

/** The workflow run behind a check run; null: there is none, or it goes on. */
function runAct({ checkSuite: suite }: Extract<ContextFields, { __typename: "CheckRun" }>, sha: string): Act | null {
  const run = suite.workflowRun;
  const path = run?.file?.path;
  const result = suite.status === "COMPLETED" ? runResult(suite.conclusion?.toLowerCase() ?? null) : null;
  if (run?.resourcePath == null || path === undefined || result === null) {
    return null;
  }
  return act({
    kind: "workflow",
    at: run.updatedAt,
    by: graphqlActor(suite.creator),
    workflow: path.split("@", 1)[0] ?? path,
    runId: run.resourcePath,
    result,
    sha,
  });
}

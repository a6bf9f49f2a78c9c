/** What `workflow` and `plan_passed` share: the newest result of something that runs. Not a condition itself. */

import { type ConditionContext, type ConditionVerdict, fails, holds, unknown } from "../conditions/condition.ts";
import { type ActPrefix, firstWhere, type RunAct } from "../facts/act-index.ts";
import { originOf, type RunOrigin } from "../facts/run-origin.ts";
import type { ActResult, Leaf } from "../policy/policy.ts";
import { fileName } from "../policy/workflows-started.ts";
import type { ConditionMemo } from "./memo.ts";
import { shortSha } from "./reviews.ts";
import { RunRows, type Weight } from "./run-rows.ts";

const SAID = { success: "succeeded", failure: "failed", cancelled: "was cancelled" } as const;

/** What is asked of runs. */
export interface RunsQuery {
  readonly leaf: Leaf;
  /** What runs, for people. */
  readonly what: string;
  readonly wanted: ActResult;
}

/**
 * Holds when the newest finished run is the wanted one, since the first of the unbroken row of such results.
 * A cancelled run says nothing, unless that is what is asked for; one whose file the pull request wrote says nothing at
 * all, be it good or bad.
 */
export function evaluateRuns(query: RunsQuery, runs: ActPrefix<RunAct>, context: ConditionContext): ConditionVerdict {
  const { what, wanted } = query;
  const rows = rowsOf(query, runs.list, context);
  const { decisive, last, rowFrom, rowTo, against, ignored } = rows.until(runs.length);
  const row = { list: rows.counted, length: rowTo };
  const index = firstWhere(row, context.window.counts, rowFrom);
  const first = index < rowTo ? rows.counted[index] : undefined;
  if (first !== undefined) {
    const said = `${what} ${SAID[wanted]}`;
    return context.inBackRule || against === undefined
      ? holds(said, first)
      : unknown(`${said}; run ${idOf(against.run)} ${SAID[against.run.result]} since, and ${against.weight.why}`);
  }
  const doubtful = ignored?.weight.truth === "unknown";
  const aside = ignored === undefined ? "" : `run ${idOf(ignored.run)} ${SAID[wanted]}, but ${ignored.weight.why}`;
  if (last !== undefined) {
    const exclusion = context.window.exclusion(last);
    const said = `${what} ${SAID[last.result]}${exclusion === null ? "" : ` ${exclusion}`}`;
    const reason = aside === "" ? said : `${said}; ${aside}`;
    // It did end so, though that does not count here: `not` does not hold either.
    return rowFrom < rowTo || doubtful ? unknown(reason) : fails(reason);
  }
  const other = ignored ?? decisive;
  if (other !== undefined) {
    const reason = `${what} ${SAID[other.run.result]} in run ${idOf(other.run)}, but ${other.weight.why}`;
    return doubtful ? unknown(reason) : fails(reason);
  }
  const latest = runs.list[runs.length - 1];
  const elsewhere = latest !== undefined && context.commits.includes(latest.sha) ? undefined : latest;
  return unknown(
    elsewhere === undefined
      ? `${what} has not finished`
      : `${what} ${SAID[elsewhere.result]} on ${shortSha(elsewhere.sha)}, and has not finished on the head commit`,
  );
}

function rowsOf({ leaf, wanted }: RunsQuery, list: readonly RunAct[], context: ConditionContext): RunRows {
  const { memo, commits, inBackRule } = context;
  const known = memo === null ? undefined : ROWS.get(memo)?.get(leaf);
  if (known?.commits === commits && known.inBackRule === inBackRule) {
    return known.rows;
  }
  const rows = new RunRows({
    list,
    commits,
    wanted,
    weigh(run) {
      const weight = weigh(run, context);
      return { run, weight, counts: counts(run, weight, context) };
    },
  });
  if (memo !== null) {
    const all = ROWS.get(memo) ?? new Map<Leaf, RememberedRows>();
    ROWS.set(memo, all.set(leaf, { commits, inBackRule, rows }));
  }
  return rows;
}

interface RememberedRows {
  readonly commits: readonly string[];
  readonly inBackRule: boolean;
  readonly rows: RunRows;
}

const ROWS = new WeakMap<ConditionMemo, Map<Leaf, RememberedRows>>();

/** In doubt a bad result sends back, which grants nothing; nothing else is done on doubt. */
function counts(run: RunAct, { truth }: Weight, { inBackRule }: ConditionContext): boolean {
  return truth === "yes" || (truth === "unknown" && inBackRule && run.result !== "success");
}

function weigh(run: RunAct, { facts, startedWorkflows: started, ask }: ConditionContext): Weight {
  const within = run.kind === "plan" ? run.within : run;
  if (within === undefined) {
    return { truth: "unknown", why: "the workflow run that it was part of is not known" };
  }
  const { runId, workflow } = within;
  const startedOnly = started.has(fileName(workflow));
  const known = originOf(facts.runOrigins, { runId, sha: run.sha }, facts.base.ref);
  if (known === null || (known.origin === "not_started" && !startedOnly)) {
    ask({ kind: "run", runId, sha: run.sha, workflow, startedOnly });
    return { truth: "unknown", why: "who wrote what it ran is not known yet" };
  }
  return startedOnly ? weighStarted(known, workflow) : weighOther(known);
}

function weighStarted({ origin }: RunOrigin, workflow: string): Weight {
  return origin === "started"
    ? { truth: "yes", why: "" }
    : {
        truth: "no",
        why: `this app did not start it for this commit, and of ${fileName(workflow)}, which the policy has it start, only runs that it started count`,
      };
}

function weighOther({ origin, detail }: RunOrigin): Weight {
  switch (origin) {
    case "started":
    case "default_branch":
    case "unchanged":
      return { truth: "yes", why: "" };
    case "changed":
      return { truth: "no", why: `it does not count: ${detail}. ${REMEDY}` };
    case "untold":
    case "not_started":
      return {
        truth: "unknown",
        why: `it does not count, since who wrote what it ran is not known: ${detail}. ${REMEDY}`,
      };
  }
}

const REMEDY = "Let the policy start the workflow (on_enter: start), which takes its file from the default branch";

function idOf(run: RunAct): string {
  return run.kind === "plan" ? run.run : run.runId;
}

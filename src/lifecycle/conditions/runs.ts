/** What `workflow` and `plan_passed` share: the newest result of something that runs. Not a condition itself. */
import type { RunAct } from "../facts/act-index.ts";
import { originOf, type RunOrigin } from "../facts/run-origin.ts";
import type { ActResult } from "../policy/policy.ts";
import { fileName } from "../policy/workflows-started.ts";
import { type ConditionContext, type ConditionVerdict, fails, holds, type Truth, unknown } from "./condition.ts";
import { shortSha } from "./reviews.ts";

const SAID = { success: "succeeded", failure: "failed", cancelled: "was cancelled" } as const;

/** Whether a run is evidence, and if not, why. */
interface Weight {
  readonly truth: Truth;
  readonly why: string;
}

/**
 * Holds when the newest finished run is the wanted one, since the first of the unbroken row of such results.
 * A cancelled run says nothing, unless that is what is asked for; one whose file the pull request wrote says nothing at
 * all, be it good or bad.
 */
export function evaluateRuns(
  what: string,
  runs: readonly RunAct[],
  wanted: ActResult,
  context: ConditionContext,
): ConditionVerdict {
  const here = runs.filter((run) => context.commits.includes(run.sha));
  const decisive = here
    .filter((run) => run.result !== "cancelled" || wanted === "cancelled")
    .map((run) => ({ run, weight: weigh(run, context) }));
  const counted = decisive.filter(({ run, weight }) => counts(run, weight, context)).map(({ run }) => run);
  const row = counted.slice(counted.findLastIndex((run) => run.result !== wanted) + 1);
  const first = row.find((run) => context.exclusion(run) === null);
  const last = row.at(-1) ?? counted.at(-1);
  const lastIndex = decisive.findIndex(({ run }) => run === last);
  if (first !== undefined) {
    const said = `${what} ${SAID[wanted]}`;
    const since = context.inBackRule ? undefined : decisive.slice(lastIndex + 1).findLast(speaksAgainst(wanted));
    return since === undefined
      ? holds(said, first)
      : unknown(`${said}; run ${idOf(since.run)} ${SAID[since.run.result]} since, and ${since.weight.why}`);
  }
  const ignored = decisive.findLast(({ run }, index) => index > lastIndex && run.result === wanted);
  const doubtful = ignored?.weight.truth === "unknown";
  const aside = ignored === undefined ? "" : `run ${idOf(ignored.run)} ${SAID[wanted]}, but ${ignored.weight.why}`;
  if (last !== undefined) {
    const exclusion = context.exclusion(last);
    const said = `${what} ${SAID[last.result]}${exclusion === null ? "" : ` ${exclusion}`}`;
    const reason = aside === "" ? said : `${said}; ${aside}`;
    // It did end so, though that does not count here: `not` does not hold either.
    return row.length > 0 || doubtful ? unknown(reason) : fails(reason);
  }
  const other = ignored ?? decisive.at(-1);
  if (other !== undefined) {
    const reason = `${what} ${SAID[other.run.result]} in run ${idOf(other.run)}, but ${other.weight.why}`;
    return doubtful ? unknown(reason) : fails(reason);
  }
  const elsewhere = runs.at(-1);
  return unknown(
    elsewhere === undefined
      ? `${what} has not finished`
      : `${what} ${SAID[elsewhere.result]} on ${shortSha(elsewhere.sha)}, and has not finished on the head commit`,
  );
}

/** Whether a run may have taken back what those before it said. */
function speaksAgainst(wanted: ActResult) {
  return ({ run, weight }: { readonly run: RunAct; readonly weight: Weight }) =>
    run.result !== wanted && weight.truth === "unknown";
}

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

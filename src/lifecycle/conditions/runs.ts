/** What `workflow` and `plan_passed` share: the newest result of something that runs. Not a condition itself. */
import type { RunAct } from "../act-index.ts";
import type { ActResult } from "../policy.ts";
import { type Context, fails, holds, unknown, type Verdict } from "./condition.ts";
import { shortSha } from "./reviews.ts";

/**
 * Holds when the newest finished run is the wanted one, since the first of the unbroken row of such results.
 * A cancelled run says nothing, unless that is what is asked for.
 */
export function judgeRuns(what: string, runs: readonly RunAct[], wanted: ActResult, context: Context): Verdict {
  const said = { success: "succeeded", failure: "failed", cancelled: "was cancelled" } as const;
  const here = runs.filter((run) => context.commits.includes(run.sha));
  const decisive = here.filter((run) => run.result !== "cancelled" || wanted === "cancelled");
  const row = decisive.slice(decisive.findLastIndex((run) => run.result !== wanted) + 1);
  const first = row.find((run) => context.discount(run) === null);
  if (first !== undefined) {
    return holds(`${what} ${said[wanted]}`, first);
  }
  const last = row.at(-1) ?? decisive.at(-1);
  if (last !== undefined) {
    const discount = context.discount(last);
    const reason = `${what} ${said[last.result]}${discount === null ? "" : ` ${discount}`}`;
    // It did end so, though that does not count here: `not` does not hold either.
    return row.length > 0 ? unknown(reason) : fails(reason);
  }
  const elsewhere = runs.at(-1);
  return fails(
    elsewhere === undefined
      ? `${what} has not finished`
      : `${what} ${said[elsewhere.result]} on ${shortSha(elsewhere.sha)}, and has not finished on the head commit`,
  );
}

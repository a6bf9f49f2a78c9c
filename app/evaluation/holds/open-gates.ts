/** Gates that GitHub shows as passed, as far as it has confirmed: what a hold has to close, and what it has left open. */

import { CHECK_NAME_PREFIX, type Policy } from "../../../src/lifecycle/policy/policy.ts";
import { letsPass } from "../../../src/lifecycle/presentation/gate-checks.ts";
import type { ConfirmedCheck, ConfirmedState, Pull } from "../../store/model.ts";
import type { DesiredState } from "../desired-state.ts";

/** How many of the pull request's gates let it be merged now. */
export function openGates({ confirmed, facts }: Pick<Pull, "confirmed" | "facts">, policy: Policy): number {
  const names = gatesOf(policy);
  return (confirmed?.checks ?? []).filter(
    (check) => check.sha === facts.head.sha && names.has(check.name) && isOpen(check),
  ).length;
}

/** How many of the gates let it be merged once GitHub shows this; null: nothing is to be shown. */
export function gatesOpenedBy(desired: Pick<DesiredState, "checks"> | null, policy: Policy): number {
  const names = gatesOf(policy);
  return (desired?.checks ?? []).filter((check) => names.has(check.name) && letsPass(check)).length;
}

function gatesOf({ stages }: Policy): ReadonlySet<string> {
  return new Set(stages.filter(({ gate }) => gate).map(({ name }) => `${CHECK_NAME_PREFIX}${name}`));
}

/** Whether something is to be closed that lets it be merged now: that is more urgent than anything that opens. */
export function closesGate(
  { checks, headSha }: Pick<DesiredState, "checks" | "headSha">,
  shown: ConfirmedState | null,
): boolean {
  return (shown?.checks ?? []).some(
    (check) =>
      check.sha === headSha && isOpen(check) && checks.some((each) => each.name === check.name && !letsPass(each)),
  );
}

/** Of check runs confirmed by an older version only that they were completed is known. */
function isOpen({ completed, seen }: ConfirmedCheck): boolean {
  return completed && (seen === undefined || letsPass({ conclusion: seen.slice(0, seen.indexOf(":")) }));
}

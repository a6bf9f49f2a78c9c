/**
 * What a gate's check run lets pass beyond its stage being reached. GitHub takes `skipped` for passed as it does
 * `success`: so a gate that does not apply is skipped, and while a hold is in force there is neither.
 */
import { clip, codeSpan, markdown, oneLine } from "../../report/escape.ts";
import type { Evaluation, Hold } from "../evaluation/evaluation.ts";
import { CHECK_NAME_PREFIX, type Policy } from "../policy/policy.ts";
import { sayHold, unholdOf } from "./hold.ts";

const LONGEST_TITLE = 200;
const LONGEST_REASON = 500;

/** The check run of one stage, as it is to be. */
export interface DesiredCheck {
  readonly name: string;
  readonly stage: string;
  readonly status: "queued" | "in_progress" | "completed";
  /** Only when completed. */
  readonly conclusion: "success" | "cancelled" | "skipped" | null;
  readonly title: string;
  /** Markdown, escaped and bounded. */
  readonly summary: string;
  readonly text: string;
}

/** What a check run says; those of pull requests and of merge groups have more beside it. */
export type Said = Pick<DesiredCheck, "status" | "title" | "summary"> & { readonly conclusion: string | null };

/** Whether GitHub lets a pull request be merged as far as this check run goes. */
export function letsPass({ conclusion }: Pick<Said, "conclusion">): boolean {
  return conclusion === "success" || conclusion === "skipped";
}

/** The check run that does not let pass while the hold is in force, and says how to end it. `whose`: see `sayHold`. */
export function closedBy<T extends Said>(check: T, hold: Hold, whose: string | null = null): T {
  if (!letsPass(check)) {
    return check;
  }
  const said = sayHold(hold, whose);
  const ends = `${markdown(clip(said, LONGEST_REASON))}. This gate is closed until ${codeSpan(unholdOf(hold))}.`;
  const title = clip(oneLine(`${said}. ${check.title}`), LONGEST_TITLE);
  return { ...check, status: "in_progress", conclusion: null, title, summary: `${ends}\n\n${check.summary}` };
}

/** That a stage does not concern this pull request, so that a check run of its name is not waited for. */
export function skippedGate(reason: string): Pick<DesiredCheck, "status" | "conclusion" | "title" | "summary"> {
  const title = clip(oneLine(`Does not apply: ${reason}`), LONGEST_TITLE);
  return { status: "completed", conclusion: "skipped", title, summary: `${markdown(title)}.` };
}

/**
 * What is shown of a stage of which a check run was shown once and that cannot be reached any more; null: it still can.
 * One that the policy has no more may live on under another name: it lets pass what the policy's gates let pass, and
 * waits for nothing then. `evaluations`: of all pull requests that share the check run, first the one that is shown.
 */
export function ceased(
  check: string,
  evaluations: readonly [Evaluation, ...(readonly Evaluation[])],
  policy: Policy,
): Pick<DesiredCheck, "status" | "conclusion" | "title" | "summary"> | null {
  const isIts = ({ name }: { readonly name: string }): boolean => check === `${CHECK_NAME_PREFIX}${name}`;
  const away = evaluations[0].notApplying.find(isIts);
  if (away !== undefined) {
    return skippedGate(away.reason);
  }
  const stage = policy.stages.find(isIts);
  const reason =
    stage === undefined
      ? "the policy has no such stage any more"
      : policy.checks === "gates" && !stage.gate
        ? "it is no gate any more, and the policy shows gates alone"
        : null;
  if (reason === null || evaluations.every(isPastItsGates)) {
    return reason === null ? null : skippedGate(reason);
  }
  const title = oneLine(`Passes with the policy's own gates: ${reason}`);
  return { status: "completed", conclusion: "cancelled", title, summary: `${markdown(title)}.` };
}

function isPastItsGates({ stages, inactive }: Evaluation): boolean {
  return inactive !== "opted_out" && stages.every((stage) => stage.reached || !stage.gate);
}

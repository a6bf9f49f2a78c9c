/**
 * Stage labels set or taken off by people and bots who may not. They are put right; somebody who keeps at it would have
 * the app write for ever, so after some times an hour it leaves them. All of it follows from the acts: what was heard
 * twice, late or after a restart counts the same.
 */

import type { Act, Actor, Facts, Lookup, Permissions } from "../facts/facts.ts";
import type { Policy } from "../policy/policy.ts";
import { stageOfLabel } from "../presentation/display.ts";
import type { Evaluation } from "./evaluation.ts";
import { authorityOf } from "./permissions.ts";

/** So many times an hour stage labels are put right. */
export const MOST_CORRECTIONS = 3;
/** How long they are left as they are afterwards, and the time in which attempts are counted. */
export const TAMPERING_HOUR_MS = 60 * 60_000;

export interface LabelTampering {
  readonly act: Extract<Act, { kind: "labeled" | "unlabeled" }>;
}

/** Stage labels are left as they are. */
export interface CorrectionStop {
  /** When, and until when. */
  readonly at: number;
  readonly until: number;
  /** Who came last. */
  readonly by: Actor;
}

export interface Tampering {
  /** Those of the last hour that were (or are about to be) put right, oldest first. */
  readonly attempts: readonly LabelTampering[];
  /** Null: stage labels are put right. */
  readonly stop: CorrectionStop | null;
  readonly lookups: readonly Lookup[];
}

export interface TamperingInput {
  readonly facts: Facts;
  readonly policy: Policy;
  readonly permissions: Permissions;
  readonly evaluation: Evaluation;
  /** Our own bot's login; null: not known yet, so nobody can be told from us. */
  readonly botLogin: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export const NO_TAMPERING: Tampering = { attempts: [], stop: null, lookups: [] };

/** `/stage retry` by somebody who may begins the count anew. */
export function tamperingOf(input: TamperingInput): Tampering {
  const { facts, policy, permissions, evaluation, botLogin, now } = input;
  const closed = evaluation.inactive === "closed" || evaluation.inactive === "unknown";
  if (botLogin === null || closed || !facts.acts.some(isOfStageLabel)) {
    return NO_TAMPERING;
  }
  const lookups: Lookup[] = [];
  const is = (actor: Actor, names: readonly string[] | null): boolean => {
    const authority = authorityOf(actor, names, permissions);
    lookups.push(...authority.lookups);
    return authority.truth === "yes";
  };
  let counted: LabelTampering[] = [];
  const corrected: LabelTampering[] = [];
  let stop: CorrectionStop | null = null;
  for (const act of facts.acts) {
    if (act.kind === "command" && act.command === "retry") {
      if (is(act.by, policy.operators) || is(act.by, null)) {
        [counted, stop] = [[], null];
      }
    } else if (
      isOfStageLabel(act) &&
      !(act.by.kind === "bot" && act.by.login === botLogin) &&
      isWrong(act, evaluation) &&
      !is(act.by, policy.operators) &&
      (stop === null || act.at >= stop.until)
    ) {
      counted = [...counted.filter((each) => each.act.at > act.at - TAMPERING_HOUR_MS), { act }];
      if (times(counted) > MOST_CORRECTIONS) {
        stop = { at: act.at, until: act.at + TAMPERING_HOUR_MS, by: act.by };
      } else {
        corrected.push({ act });
      }
    }
  }
  return {
    attempts: corrected.filter((each) => each.act.at > now - TAMPERING_HOUR_MS),
    stop: stop !== null && stop.until > now ? stop : null,
    lookups,
  };
}

function isOfStageLabel(act: Act): act is LabelTampering["act"] {
  return (act.kind === "labeled" || act.kind === "unlabeled") && stageOfLabel(act.label) !== null;
}

/** Whoever puts the right label back, or takes a wrong one off, does what the app would have done. */
function isWrong(act: LabelTampering["act"], evaluation: Evaluation): boolean {
  const there = evaluation.entries.findLast((entry) => entry.at <= act.at)?.stage ?? null;
  const right = there !== null && stageOfLabel(act.label)?.toLowerCase() === there.toLowerCase();
  return act.kind === "labeled" ? !right : right;
}

/** Taking one label off and setting another is one time. */
function times(attempts: readonly LabelTampering[]): number {
  const set = attempts.filter(({ act }) => act.kind === "labeled").length;
  return Math.max(set, attempts.length - set);
}

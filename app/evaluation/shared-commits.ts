/**
 * Check runs belong to a commit, and a commit may be the head of several pull requests. What is published on it then is
 * the same whoever writes it: how far the one is that is the furthest behind, so that no gate opens for it by another's
 * progress.
 */
import type { CheckShow } from "../../src/github/pulls/transition.ts";
import type { Evaluation } from "../../src/lifecycle/evaluation/evaluation.ts";
import type { Facts } from "../../src/lifecycle/facts/facts.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { closedBy, letsPass } from "../../src/lifecycle/presentation/gate-checks.ts";
import { clip } from "../../src/report/escape.ts";

/** An open pull request with this commit as its head. */
export interface Sharer {
  readonly number: number;
  readonly facts: Facts;
  readonly evaluation: Evaluation;
}

export interface Sharing {
  /** The one that is shown. */
  readonly least: Sharer;
  /** All of them, it included. */
  readonly sharers: readonly Sharer[];
  /** All of them, in order. */
  readonly numbers: readonly number[];
}

/** Before those that are in no stage. */
const OPTED_OUT = -2;
const LONGEST_TITLE = 250;

/**
 * Null: the commit is nobody else's. One that opted out is the furthest behind of all: branch protection asks for the
 * check runs on its commit, and opting out merges nothing, by another's success neither.
 */
export function sharingOf(all: readonly Sharer[], policy: Policy): Sharing | null {
  const place = ({ evaluation }: Sharer): number =>
    evaluation.inactive === "opted_out" ? OPTED_OUT : policy.stages.findIndex(({ name }) => name === evaluation.stage);
  const [least] = all.toSorted((a, b) => place(a) - place(b) || a.number - b.number);
  if (least === undefined || all.length < 2) {
    return null;
  }
  const sharers = all.toSorted((a, b) => a.number - b.number);
  return { least, sharers, numbers: sharers.map(({ number }) => number) };
}

/**
 * The check run of a gate as it may be shown for all of them: the one that is shown may have no need of a gate that
 * another waits for, and not be on hold where another is.
 */
export function keptBack(check: CheckShow, stage: string, { sharers }: Sharing): CheckShow {
  const behind = sharers.find(({ evaluation }) =>
    evaluation.stages.some((each) => each.name === stage && !each.reached),
  );
  const shown: CheckShow =
    behind === undefined || !letsPass(check)
      ? check
      : {
          ...check,
          status: "queued",
          conclusion: null,
          title: `Waits for #${behind.number}, which has not reached it`,
        };
  const held = sharers.find(({ evaluation }) => evaluation.held !== null);
  const hold = held?.evaluation.held ?? null;
  return held === undefined || hold === null ? shown : closedBy(shown, hold, `#${held.number} is`);
}

/** The check run with a word on whose it is. */
export function sayShared(check: CheckShow, { least, numbers }: Sharing): CheckShow {
  const all = numbers.map((number) => `#${number}`).join(" and ");
  const why = `This commit is the head of ${all}. Shown is how far #${least.number} is, the furthest behind.`;
  return {
    ...check,
    title: clip(`#${least.number} of ${all}: ${check.title}`, LONGEST_TITLE),
    summary: `${why}\n\n${check.summary}`,
  };
}

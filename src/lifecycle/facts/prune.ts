/** Bounds what is kept of a pull request, and chooses what goes by what it is, never by when it came. */
import { compareText } from "../../ids.ts";
import { isOurs } from "../command-names.ts";
import type { Act } from "./act.ts";

/** Acts kept of one pull request. A pull request with more has superseded most of them itself. */
export const MOST_ACTS = 2_000;

/** The `most` newest of a list; of those with one date, by key, so that the choice does not depend on their order. */
export function keepNewest<T>(
  list: readonly T[],
  most: number,
  dateOf: (item: T) => number,
  keyOf: (item: T) => string,
): T[] {
  if (list.length <= most) {
    return [...list];
  }
  const newestFirst = [...list].sort((a, b) => dateOf(b) - dateOf(a) || compareText(keyOf(a), keyOf(b)));
  return newestFirst.slice(0, most);
}

/**
 * At most `MOST_ACTS` of the acts, which come sorted by date: first go those that a newer act of the same kind by the
 * same person about the same thing has replaced, oldest first; then words for other bots, of which anybody may write as
 * many as he likes, of whoever has written the most; then simply the oldest. The opening is always kept.
 */
export function pruneActs(acts: readonly Act[]): readonly Act[] {
  let surplus = acts.length - MOST_ACTS;
  if (surplus <= 0) {
    return acts;
  }
  const newest = new Map<string, Act>();
  for (const act of acts) {
    newest.set(subjectOf(act), act);
  }
  const drop = new Set<Act>();
  const drops = (act: Act): void => {
    if (surplus > 0 && act.kind !== "opened" && !drop.has(act)) {
      drop.add(act);
      surplus -= 1;
    }
  };
  const dropWhere = (goes: (act: Act) => boolean): void => {
    for (const act of acts) {
      // As a rule there is one too many.
      if (surplus === 0) {
        return;
      }
      if (goes(act)) {
        drops(act);
      }
    }
  };
  dropWhere((act) => newest.get(subjectOf(act)) !== act);
  if (surplus > 0) {
    wordsOfTheMost(acts.filter((act) => !drop.has(act))).forEach(drops);
  }
  dropWhere(() => true);
  return acts.filter((act) => !drop.has(act));
}

/** Acts that no `/stage` command is, those first of which their author has written the most since. */
function wordsOfTheMost(acts: readonly Act[]): Act[] {
  const since = new Map<string, number>();
  const words = acts.toReversed().flatMap((act) => {
    if (act.kind !== "command" || isOurs(act.command)) {
      return [];
    }
    const author = `${act.by.kind}:${act.by.id}`;
    const newer = since.get(author) ?? 0;
    since.set(author, newer + 1);
    return [{ act, newer }];
  });
  return words.toSorted((a, b) => b.newer - a.newer || a.act.at - b.act.at).map(({ act }) => act);
}

/** What an act is about: of two with one topic, the older says nothing about now. */
function subjectOf(act: Act): string {
  switch (act.kind) {
    case "labeled":
    case "unlabeled":
      return `label:${act.label.toLowerCase()}`;
    case "review":
      return `review:${act.by.kind}:${act.by.id}`;
    case "review_dismissed":
      return `dismissed:${act.reviewId}`;
    case "workflow":
      return `workflow:${act.workflow}`;
    case "plan":
      return `plan:${act.plan}`;
    case "command":
      return `command:${act.command}:${act.by.kind}:${act.by.id}`;
    case "drafted":
    case "readied":
      return "draft";
    case "closed":
    case "reopened":
      return "state";
    case "pushed":
    case "opened":
    case "base_changed":
      return act.kind;
  }
}

/** What an evaluation says of acts whose order in their second nobody knows, and its dates as everybody else has them. */

import type { Evaluation, ResultNode, UnclearLabel } from "../evaluation/evaluation.ts";
import { describeReset, type ReplayState } from "../evaluation/progress.ts";
import { labelsAskedFor } from "../evaluation/used-labels.ts";
import { labelMatcher } from "../evidence/name-patterns.ts";
import type { Facts } from "../facts/facts.ts";
import { isPlaced, isRead, placeOfMoment, SEVERAL, wholeDate } from "../facts/order-in-second.ts";
import { type Policy, STAGE_LABEL_PREFIX } from "../policy/policy.ts";

/**
 * Labels on the pull request that bring it nowhere, though GitHub was asked: given in the second of a reset, or by one
 * of several people. Taken off, they can be given again.
 */
export function unclearLabels(facts: Facts, policy: Policy, state: ReplayState, reached: number): UnclearLabel[] {
  const found: UnclearLabel[] = [];
  const reachedNames = new Set(state.stages.slice(0, reached + 1).map((stage) => stage.name));
  const asked = (reachedOnes: boolean) => {
    const matchers = policy.stages
      .filter((stage) => reachedNames.has(stage.name) === reachedOnes)
      .flatMap((stage) => labelsAskedFor(stage.enter).map((leaf) => labelMatcher(leaf.name)));
    return (name: string): boolean => matchers.some((matches) => matches(name));
  };
  const needed = asked(true);
  const wanted = asked(false);
  const ours = (label: string): boolean => label.toLowerCase().startsWith(STAGE_LABEL_PREFIX);
  for (const name of facts.labels.filter((label) => wanted(label) && !needed(label) && !ours(label))) {
    const key = name.toLowerCase();
    const given = facts.acts.findLast((act) => act.kind === "labeled" && act.label.toLowerCase() === key);
    const orders = facts.orders ?? [];
    if (given === undefined || !isRead(given.at, orders) || isPlaced(given, orders)) {
      continue;
    }
    const reset = state.resets.all().find((each) => wholeDate(each.reset.at) === given.at)?.reset;
    if (given.by.id === SEVERAL.id) {
      found.push({ label: name, at: given.at, what: "who gave it last" });
    } else if (reset !== undefined) {
      found.push({ label: name, at: given.at, what: `whether it was given before or after ${describeReset(reset)}` });
    }
  }
  return found;
}

/** Without the places that acts of one second have among each other: those are the evaluation's own. */
export function inWholeDates(evaluation: Evaluation): Evaluation {
  const { entries, stages, resets, since, dueAt, held } = evaluation;
  return {
    ...evaluation,
    entries: entries.map((entry) => ({ ...entry, at: wholeDate(entry.at) })),
    stages: stages.map((stage) => ({ ...stage, result: nodeInWholeDates(stage.result) })),
    resets: resets.map((reset) =>
      Number.isInteger(reset.at) ? reset : { ...reset, at: wholeDate(reset.at), place: placeOfMoment(reset.at) },
    ),
    since: since === null ? null : wholeDate(since),
    dueAt: dueAt === null ? null : wholeDate(dueAt),
    held: held === null ? null : { ...held, at: wholeDate(held.at) },
  };
}

function nodeInWholeDates(node: ResultNode): ResultNode {
  const children = node.children.map(nodeInWholeDates);
  return { ...node, at: node.at === null ? null : wholeDate(node.at), children };
}

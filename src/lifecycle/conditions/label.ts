import { z } from "zod";
import { whoMay } from "../evaluation/permissions.ts";
import { isPattern, labelMatcher, literalName } from "../evidence/name-patterns.ts";
import type { LabelAct } from "../facts/act-index.ts";
import { SEVERAL, wholeDate } from "../facts/order-in-second.ts";
import { STAGE_LABEL_PREFIX } from "../policy/policy.ts";
import { labelPattern, names, strictMapping } from "../policy/value-schemas.ts";
import {
  type ConditionContext,
  type ConditionDefinition,
  type ConditionVerdict,
  fails,
  holds,
  unknown,
} from "./condition.ts";

export const labelCondition: ConditionDefinition<"label"> = {
  kind: "label",
  basis: "act",
  help: "The label is on the pull request, put there by one of `by`, else by someone with write permission. With `*` in its name: one of the labels that it stands for.",
  examples: [
    "label: ready-for-qa",
    'label: { name: ready-for-qa, by: ["cleo[bot]", "@org/quality"] }',
    'label: "do-not-merge/*"',
  ],
  schema: z.union(
    [
      labelPattern.transform((value) => ({ kind: "label" as const, name: value, by: null })),
      strictMapping({ name: labelPattern, by: names.optional() }).transform((value) => ({
        kind: "label" as const,
        name: value.name,
        by: value.by ?? null,
      })),
    ],
    { error: "expected a label, or { name, by }" },
  ),
  title: (leaf) => `label ${leaf.name}`,
  concerns({ name }) {
    const matches = labelMatcher(name);
    return (act) => (act.kind === "labeled" || act.kind === "unlabeled") && matches(act.label);
  },
  evaluate(leaf, context) {
    if (!isPattern(leaf.name)) {
      return evaluateLabel(literalName(leaf.name), leaf.by, context);
    }
    let best: ConditionVerdict | null = null;
    for (const name of labelsMeant(leaf.name, context)) {
      const verdict = evaluateLabel(name, leaf.by, context);
      if (verdict.truth === "yes" && (best?.truth !== "yes" || (verdict.at ?? 0) < (best.at ?? 0))) {
        best = verdict;
      } else if (verdict.truth === "unknown" && best === null) {
        best = verdict;
      }
    }
    return best ?? fails(`no label ${leaf.name} is on it: ${whoMay(leaf.by)} can add one`);
  },
};

/** In order of their names: those that a pattern stands for and that are, or ever were, on the pull request. */
function labelsMeant(pattern: string, { acts, facts, present }: ConditionContext): string[] {
  const on = present ? facts.labels.filter(labelMatcher(pattern)).map((name) => name.toLowerCase()) : [];
  return [...new Set([...acts.labelNames(pattern), ...on])]
    .filter((name) => !name.startsWith(STAGE_LABEL_PREFIX))
    .sort();
}

/** Whether this one label is on it, and counts. */
export function evaluateLabel(name: string, by: readonly string[] | null, context: ConditionContext): ConditionVerdict {
  const wanted = name.toLowerCase();
  const about = context.acts.labels(name);
  const removed = about.findLastIndex((act) => act.kind === "unlabeled");
  const on = !context.present || context.facts.labels.some((each) => each.toLowerCase() === wanted);
  const since = about.slice(removed + 1);
  const given = since.length === 0 && context.present && on ? besides(about[removed], about) : since;
  if (!on || (given.length === 0 && !context.present)) {
    return fails(`label ${name} is missing: ${whoMay(by)} can add it`);
  }
  // Said of the newest only: there may be thousands.
  let refusal = (): string =>
    `label ${name} is on it, and it is not known who gave it: ${whoMay(by)} can remove it and add it again`;
  for (const act of given) {
    const exclusion = context.window.exclusion(act);
    if (exclusion !== null) {
      refusal = () => `label ${name} was given ${exclusion}: it must be given again by ${whoMay(by)}`;
      continue;
    }
    if (act.by.id === SEVERAL.id) {
      refusal = () =>
        `label ${name} was given and taken off by several in one second, and it is not known who gave it last: it must be given again by ${whoMay(by)}`;
      continue;
    }
    const authority = context.authority(act.by, by);
    if (authority.truth === "yes") {
      return holds(`label ${name} by ${act.by.login}`, act);
    }
    refusal = () =>
      `label ${name} was added by ${act.by.login}, who ${authority.reason}: ${whoMay(by)} can remove it and add it again`;
  }
  // It is on, though it does not count: it brings nobody forward, and `not` does not hold either.
  return unknown(refusal());
}

/** What was given in the second in which it was taken off: it is on, so the last that was done then was to give it. */
function besides(removal: LabelAct | undefined, about: readonly LabelAct[]): readonly LabelAct[] {
  return removal === undefined
    ? []
    : about.filter((act) => act.kind === "labeled" && wholeDate(act.at) === wholeDate(removal.at));
}

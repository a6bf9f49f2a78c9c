import { z } from "zod";
import type { LabelAct } from "../act-index.ts";
import { SEVERAL, whole } from "../facts/second-order.ts";
import { whoMay } from "../standing.ts";
import { labelName, mapping, names } from "../values.ts";
import { type ConditionDefinition, fails, holds, unknown } from "./condition.ts";

export const label: ConditionDefinition<"label"> = {
  kind: "label",
  basis: "act",
  help: "The label is on the pull request, put there by one of `by`, else by someone with write permission.",
  examples: ["label: ready-for-qa", 'label: { name: ready-for-qa, by: ["cleo[bot]", "@org/quality"] }'],
  schema: z.union(
    [
      labelName.transform((value) => ({ kind: "label" as const, name: value, by: null })),
      mapping({ name: labelName, by: names.optional() }).transform((value) => ({
        kind: "label" as const,
        name: value.name,
        by: value.by ?? null,
      })),
    ],
    { error: "expected a label, or { name, by }" },
  ),
  title: (leaf) => `label ${leaf.name}`,
  judge(leaf, context) {
    const wanted = leaf.name.toLowerCase();
    const about = context.acts.labels(leaf.name);
    const removed = about.findLastIndex((act) => act.kind === "unlabeled");
    const on = !context.present || context.facts.labels.some((name) => name.toLowerCase() === wanted);
    const since = about.slice(removed + 1);
    const given = since.length === 0 && context.present && on ? besides(about[removed], about) : since;
    if (given.length === 0 || !on) {
      return fails(`label ${leaf.name} is missing: ${whoMay(leaf.by)} can add it`);
    }
    // Said of the newest only: there may be thousands.
    let refusal = (): string => "";
    for (const act of given) {
      const discount = context.discount(act);
      if (discount !== null) {
        refusal = () => `label ${leaf.name} was given ${discount}: it must be given again by ${whoMay(leaf.by)}`;
        continue;
      }
      if (act.by.id === SEVERAL.id) {
        refusal = () =>
          `label ${leaf.name} was given and taken off by several in one second, and it is not known who gave it last: it must be given again by ${whoMay(leaf.by)}`;
        continue;
      }
      const authority = context.authority(act.by, leaf.by);
      if (authority.truth === "yes") {
        return holds(`label ${leaf.name} by ${act.by.login}`, act);
      }
      refusal = () =>
        `label ${leaf.name} was added by ${act.by.login}, who ${authority.reason}: ${whoMay(leaf.by)} can remove it and add it again`;
    }
    // It is on, though it does not count: it brings nobody forward, and `not` does not hold either.
    return unknown(refusal());
  },
};

/** What was given in the second in which it was taken off: it is on, so the last that was done then was to give it. */
function besides(removal: LabelAct | undefined, about: readonly LabelAct[]): readonly LabelAct[] {
  return removal === undefined
    ? []
    : about.filter((act) => act.kind === "labeled" && whole(act.at) === whole(removal.at));
}

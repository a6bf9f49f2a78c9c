import { booleanValue } from "../policy/value-schemas.ts";
import { type ConditionDefinition, concernsNone, fails, holds } from "./condition.ts";

export const draft: ConditionDefinition<"draft"> = {
  kind: "draft",
  basis: "state",
  help: "The pull request is (`true`) or is not (`false`) a draft.",
  examples: ["draft: false"],
  schema: booleanValue.transform((value) => ({ kind: "draft", draft: value })),
  title: (leaf) => (leaf.draft ? "a draft" : "not a draft"),
  concerns: concernsNone,
  evaluate(leaf, { facts }) {
    const is = facts.draft ? "it is a draft" : "it is not a draft";
    if (facts.draft === leaf.draft) {
      return holds(is);
    }
    return fails(leaf.draft ? `${is}` : `${is}: mark it as ready for review`);
  },
};

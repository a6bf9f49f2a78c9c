import { orList } from "../evaluation/permissions.ts";
import { matcher } from "../evidence/globs.ts";
import { globPatterns } from "../policy/value-schemas.ts";
import { type ConditionDefinition, concernsNone, fails, holds } from "./condition.ts";

export const base: ConditionDefinition<"base"> = {
  kind: "base",
  basis: "state",
  help: "The pull request goes into a branch that matches one of these globs.",
  examples: ["base: main", 'base: [main, "release/*"]'],
  schema: globPatterns.transform((value) => ({ kind: "base" as const, patterns: value })),
  title: (leaf) => `base ${orList(leaf.patterns)}`,
  concerns: concernsNone,
  evaluate(leaf, { facts }) {
    return matcher(leaf.patterns)(facts.base.ref)
      ? holds(`it goes into ${facts.base.ref}`)
      : fails(`it goes into ${facts.base.ref}, not into ${orList(leaf.patterns)}`);
  },
};

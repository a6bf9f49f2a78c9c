import { orList } from "../evaluation/permissions.ts";
import { names } from "../policy/value-schemas.ts";
import { type ConditionDefinition, concernsNone, fails, holds, unknown } from "./condition.ts";

export const author: ConditionDefinition<"author"> = {
  kind: "author",
  basis: "state",
  help: "The pull request was opened by one of these users, apps or teams.",
  examples: ['author: "rex[bot]"', 'author: [alice, "@org/platform"]'],
  schema: names.transform((value) => ({ kind: "author" as const, by: value })),
  title: (leaf) => `author ${orList(leaf.by)}`,
  concerns: concernsNone,
  evaluate(leaf, { facts, authority }) {
    const named = authority(facts.author, leaf.by);
    const who = `${facts.author.login}, who opened it,`;
    switch (named.truth) {
      case "yes":
        return holds(`${who} ${named.reason}`);
      case "no":
        return fails(`${who} ${named.reason}`);
      case "unknown":
        return unknown(`${who} ${named.reason}`);
    }
  },
};

import { list } from "../evaluation/permissions.ts";
import { names } from "../policy/value-schemas.ts";
import { type ConditionDefinition, fails, holds, unknown } from "./condition.ts";

export const author: ConditionDefinition<"author"> = {
  kind: "author",
  basis: "state",
  help: "The pull request was opened by one of these users, apps or teams.",
  examples: ['author: "rex[bot]"', 'author: [alice, "@org/platform"]'],
  schema: names.transform((value) => ({ kind: "author" as const, by: value })),
  title: (leaf) => `author ${list(leaf.by)}`,
  judge(leaf, { facts, authority }) {
    const standing = authority(facts.author, leaf.by);
    const who = `${facts.author.login}, who opened it,`;
    switch (standing.truth) {
      case "yes":
        return holds(`${who} ${standing.reason}`);
      case "no":
        return fails(`${who} ${standing.reason}`);
      case "unknown":
        return unknown(`${who} ${standing.reason}`);
    }
  },
};

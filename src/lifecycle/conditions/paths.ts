import { list } from "../standing.ts";
import { patterns } from "../values.ts";
import { type ConditionDefinition, fails, holds, unknown } from "./condition.ts";
import { matcher } from "./globs.ts";

export const paths: ConditionDefinition<"paths"> = {
  kind: "paths",
  basis: "state",
  help: "At least one changed file matches one of these globs.",
  examples: ['paths: "docs/**"', 'paths: ["src/**", "package.json"]'],
  schema: patterns.transform((value) => ({ kind: "paths" as const, patterns: value })),
  title: (leaf) => `changes in ${list(leaf.patterns)}`,
  judge(leaf, { facts, ask }) {
    if (facts.files === null) {
      ask({ kind: "files" });
      return unknown("the changed files are not known yet");
    }
    const found = facts.files.find(matcher(leaf.patterns));
    return found === undefined ? fails(`no changed file matches ${list(leaf.patterns)}`) : holds(`${found} is changed`);
  },
};

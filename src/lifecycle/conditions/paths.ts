import { orList } from "../evaluation/permissions.ts";
import { MOST_FILES } from "../facts/facts.ts";
import { patterns } from "../policy/value-schemas.ts";
import { type ConditionDefinition, fails, holds, unknown } from "./condition.ts";
import { matcher } from "./globs.ts";

export const PARTLY_LISTED = `${MOST_FILES} files or more are changed, and GitHub lists no more of them`;

export const paths: ConditionDefinition<"paths"> = {
  kind: "paths",
  basis: "state",
  help: "At least one changed file matches one of these globs. What is beyond the 3,000 files that GitHub lists is unknown.",
  examples: ['paths: "docs/**"', 'paths: ["src/**", "package.json"]'],
  schema: patterns.transform((value) => ({ kind: "paths" as const, patterns: value })),
  title: (leaf) => `changes in ${orList(leaf.patterns)}`,
  evaluate(leaf, { facts, ask }) {
    if (facts.files === null) {
      ask({ kind: "files" });
      return unknown("the changed files are not known yet");
    }
    const found = facts.files.find(matcher(leaf.patterns));
    if (found !== undefined) return holds(`${found} is changed`);
    if (facts.files.length >= MOST_FILES) return unknown(PARTLY_LISTED);
    return fails(`no changed file matches ${orList(leaf.patterns)}`);
  },
};

import { orList } from "../evaluation/permissions.ts";
import { firstByGlobs } from "../evidence/changed-files.ts";
import { MOST_FILES } from "../facts/facts.ts";
import { globPatterns } from "../policy/value-schemas.ts";
import { type ConditionDefinition, concernsNone, fails, holds, unknown } from "./condition.ts";

export const PARTLY_LISTED = `${MOST_FILES} files or more are changed, and GitHub lists no more of them`;

export const paths: ConditionDefinition<"paths"> = {
  kind: "paths",
  basis: "state",
  help: "At least one changed file matches one of these globs. What is beyond the 3,000 files that GitHub lists is unknown.",
  examples: ['paths: "docs/**"', 'paths: ["src/**", "package.json"]'],
  schema: globPatterns.transform((value) => ({ kind: "paths" as const, patterns: value })),
  title: (leaf) => `changes in ${orList(leaf.patterns)}`,
  concerns: concernsNone,
  evaluate(leaf, { facts, ask }) {
    if (facts.files === null) {
      ask({ kind: "files" });
      return unknown("the changed files are not known yet");
    }
    const { matching } = firstByGlobs(facts.files, leaf.patterns);
    if (matching !== undefined) return holds(`${matching} is changed`);
    if (facts.files.length >= MOST_FILES) return unknown(PARTLY_LISTED);
    return fails(`no changed file matches ${orList(leaf.patterns)}`);
  },
};

import { orList } from "../evaluation/permissions.ts";
import { firstByGlobs } from "../evidence/changed-files.ts";
import { MOST_FILES } from "../facts/facts.ts";
import { globPatterns } from "../policy/value-schemas.ts";
import { type ConditionDefinition, concernsNone, fails, holds, unknown } from "./condition.ts";
import { PARTLY_LISTED } from "./paths.ts";

export const onlyPaths: ConditionDefinition<"only_paths"> = {
  kind: "only_paths",
  basis: "state",
  help: "Every changed file matches one of these globs, and there is at least one. Never known with 3,000 files or more, of which GitHub lists no more.",
  examples: ['only_paths: ["docs/**", "*.md"]'],
  schema: globPatterns.transform((value) => ({ kind: "only_paths" as const, patterns: value })),
  title: (leaf) => `changes only in ${orList(leaf.patterns)}`,
  concerns: concernsNone,
  evaluate(leaf, { facts, ask }) {
    if (facts.files === null) {
      ask({ kind: "files" });
      return unknown("the changed files are not known yet");
    }
    const { other } = firstByGlobs(facts.files, leaf.patterns);
    if (other !== undefined) {
      return fails(`${other} is changed, which does not match ${orList(leaf.patterns)}`);
    }
    if (facts.files.length >= MOST_FILES) return unknown(PARTLY_LISTED);
    return facts.files.length === 0
      ? fails("no file is changed")
      : holds(`only files that match ${orList(leaf.patterns)} are changed`);
  },
};

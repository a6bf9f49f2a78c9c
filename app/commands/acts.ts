/** Commands of comments as acts: what the evaluation takes notice of. */

import { commandOfWord } from "../../src/lifecycle/command-names.ts";
import { COMMANDS, type ParsedCommand } from "../../src/lifecycle/commands.ts";
import { act } from "../../src/lifecycle/facts/change.ts";
import type { Act, Actor } from "../../src/lifecycle/facts/facts.ts";
import { canonicalJson } from "../../src/plan/canonical.ts";
import type { Pull } from "../store/model.ts";

/** Null: where the pull request is does not depend on it. `row`: what is known of the pull request by now. */
export function commandAct(
  command: ParsedCommand,
  { id: commentId, at, by }: { readonly id: string; readonly at: number; readonly by: Actor },
  row: Pull | null,
): Act | null {
  if (
    command.kind === "unknown" ||
    command.kind === "surplus" ||
    command.kind === "repository" ||
    command.kind === "run" ||
    (command.kind === "stage" && !COMMANDS[command.name].isAct)
  ) {
    return null;
  }
  const { name, argument } = command;
  const said =
    command.kind === "policy"
      ? { command: commandOfWord(name), argument }
      : { command: name, argument: name === "back" ? shownAt(at, row) : argument };
  const made = act({ kind: "command", at, by, commentId, ...said });
  // Told again, it means what it meant the first time.
  return row?.facts.acts.find((known) => known.id === made.id) ?? made;
}

/** The stage that people saw when they wrote; empty: not known. */
function shownAt(at: number, row: Pull | null): string {
  const stage = row?.confirmed?.stage ?? null;
  const { since = null, stage: evaluated = null } = row?.evaluation ?? {};
  return stage !== null && evaluated === stage && since !== null && since <= at ? stage : "";
}

export function sayEqual(a: readonly ParsedCommand[], b: readonly ParsedCommand[]): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

import { z } from "zod";
import { commandOfWord } from "../command-names.ts";
import { whoMay } from "../evaluation/permissions.ts";
import { type CommandAct, firstWhere } from "../facts/act-index.ts";
import type { Leaf } from "../policy/policy.ts";
import { commandName, names, strictMapping } from "../policy/value-schemas.ts";
import { type ConditionContext, type ConditionDefinition, fails, holds, unknown } from "./condition.ts";

export const command: ConditionDefinition<"command"> = {
  kind: "command",
  basis: "act",
  help: "Someone of `by` (else: with write permission) wrote a comment with the line `/<name>`.",
  examples: ["command: ship-it", 'command: { name: ship-it, by: ["@org/release"] }'],
  schema: z.union(
    [
      commandName.transform((value) => ({ kind: "command" as const, name: value, by: null })),
      strictMapping({ name: commandName, by: names.optional() }).transform((value) => ({
        kind: "command" as const,
        name: value.name,
        by: value.by ?? null,
      })),
    ],
    { error: "expected a command's name, or { name, by }" },
  ),
  title: (leaf) => `command /${leaf.name}`,
  concerns({ name }) {
    const word = commandOfWord(name);
    return (act) => act.kind === "command" && act.command === word;
  },
  evaluate(leaf, context) {
    const given = context.acts.commands(leaf.name);
    let open = false;
    for (let index = firstWhere(given, context.window.counts); index < given.length; index += 1) {
      const act = given.list[index];
      const authority = act === undefined ? null : context.authority(act.by, leaf.by);
      if (act !== undefined && authority?.truth === "yes") {
        return holds(`/${leaf.name} by ${act.by.login}`, act);
      }
      open ||= authority?.truth === "unknown";
    }
    const reason = whyNone(leaf, given.list[given.length - 1], context);
    return open ? unknown(reason) : fails(reason);
  },
};

/** Said of the newest only: there may be thousands. */
function whyNone({ name, by }: Leaf<"command">, newest: CommandAct | undefined, context: ConditionContext): string {
  if (newest === undefined) {
    return `/${name} is missing: ${whoMay(by)} can comment it`;
  }
  const exclusion = context.window.exclusion(newest);
  return exclusion === null
    ? `/${name} came from ${newest.by.login}, who ${context.authority(newest.by, by).reason}`
    : `/${name} was given ${exclusion}: it must be given again by ${whoMay(by)}`;
}

import { z } from "zod";
import { whoMay } from "../evaluation/permissions.ts";
import { commandName, mapping, names } from "../policy/value-schemas.ts";
import { type ConditionDefinition, fails, holds, unknown } from "./condition.ts";

export const command: ConditionDefinition<"command"> = {
  kind: "command",
  basis: "act",
  help: "Someone of `by` (else: with write permission) wrote a comment with the line `/<name>`.",
  examples: ["command: ship-it", 'command: { name: ship-it, by: ["@org/release"] }'],
  schema: z.union(
    [
      commandName.transform((value) => ({ kind: "command" as const, name: value, by: null })),
      mapping({ name: commandName, by: names.optional() }).transform((value) => ({
        kind: "command" as const,
        name: value.name,
        by: value.by ?? null,
      })),
    ],
    { error: "expected a command's name, or { name, by }" },
  ),
  title: (leaf) => `command /${leaf.name}`,
  evaluate(leaf, context) {
    // Said of the newest only: there may be thousands.
    let refusal = (): string => `/${leaf.name} is missing: ${whoMay(leaf.by)} can comment it`;
    let open = false;
    for (const act of context.acts.commands(leaf.name)) {
      const exclusion = context.exclusion(act);
      if (exclusion !== null) {
        refusal = () => `/${leaf.name} was given ${exclusion}: it must be given again by ${whoMay(leaf.by)}`;
        continue;
      }
      const authority = context.authority(act.by, leaf.by);
      if (authority.truth === "yes") {
        return holds(`/${leaf.name} by ${act.by.login}`, act);
      }
      open ||= authority.truth === "unknown";
      refusal = () => `/${leaf.name} came from ${act.by.login}, who ${authority.reason}`;
    }
    return open ? unknown(refusal()) : fails(refusal());
  },
};

/** What people read of the commands: from the same table that decides about them. */
import { COMMAND_NAMES } from "./command-names.ts";
import { COMMANDS, type CommandDefinition, policyCommands } from "./commands.ts";
import type { Policy } from "./policy/policy.ts";

/** Who may give a command, for tables. */
export const WHO_MAY: Readonly<Record<CommandDefinition["by"], string>> = {
  anyone: "anyone",
  writers: "write permission, operators",
  approvers: "whom the checkpoint names, else write permission",
};

/** The table of all commands, in Markdown. */
export function helpText(policy: Policy): string {
  const rows = COMMAND_NAMES.map((name) => {
    const { usage, help, by } = COMMANDS[name];
    return `| \`${usage}\` | ${help} | ${WHO_MAY[by]} |`;
  });
  const own = policyCommands(policy).map(
    (name) => `| \`/${name}\` | Asked for by this repository's policy. | as the policy says |`,
  );
  return ["| Command | | Who |", "|---|---|---|", ...rows, ...own].join("\n");
}

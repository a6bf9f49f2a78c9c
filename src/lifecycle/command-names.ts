/** Names of commands: Stagewright's own, and the words that a policy may wait for. */

/** About a pull request; the policy has a say in them. */
export const PULL_COMMANDS = ["status", "to", "back", "retry", "hold", "unhold", "help"] as const;
export type PullCommandName = (typeof PULL_COMMANDS)[number];

/** About a run that waits for a person: its plan says who may give them, whatever the policy says. */
export const RUN_COMMANDS = ["continue", "stop"] as const;
export type RunCommandName = (typeof RUN_COMMANDS)[number];

export const COMMAND_NAMES = [...PULL_COMMANDS, ...RUN_COMMANDS] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** What can stand after the slash: letters, digits and dashes, at most 40. */
export const COMMAND_WORD = /^[a-z][a-z0-9-]{0,39}$/;

/** The `command` of the act that the line `/<word>` is: `/hold` is a command of others, and not `/stage hold`. */
export function commandOfWord(word: string): string {
  return isOurs(word) ? `/${word}` : word;
}

/** Whether this is the `command` of an act that a `/stage` command is. Those about runs are no acts. */
export function isOurs(command: string): command is PullCommandName {
  return PULL_COMMANDS.some((name) => name === command);
}

export function isRunCommand(word: string): word is RunCommandName {
  return RUN_COMMANDS.some((name) => name === word);
}

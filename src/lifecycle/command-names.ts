/** Names of commands: Stagewright's own, and the words that a policy may wait for. */

export const COMMAND_NAMES = ["status", "to", "back", "retry", "hold", "unhold", "help"] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** What can stand after the slash: letters, digits and dashes, at most 40. */
export const COMMAND_WORD = /^[a-z][a-z0-9-]{0,39}$/;

/** The `command` of the act that the line `/<word>` is: `/hold` is a command of others, and not `/stage hold`. */
export function commandOfWord(word: string): string {
  return isOurs(word) ? `/${word}` : word;
}

/** Whether this is the `command` of an act that a `/stage` command is. */
export function isOurs(command: string): command is CommandName {
  return COMMAND_NAMES.some((name) => name === command);
}

/** How the command ends: exit codes, and errors that are the user's to put right. */

export const EXIT = {
  success: 0,
  /** The work failed. */
  failure: 1,
  /** Bad usage or an invalid file: nothing has been changed. */
  usage: 2,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with exit code 2 and these lines on stderr, without a stack trace. */
export class UsageError extends Error {
  readonly lines: readonly string[];

  constructor(...lines: readonly string[]) {
    super(lines.join("\n"));
    this.name = "UsageError";
    this.lines = lines;
  }
}

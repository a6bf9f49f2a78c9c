/** What the process gives to the action's steps: everything outside that they read or write. */

import type { Masks } from "../agent/masking/masks.ts";
import type { Pace } from "../github/checks/checks.ts";
import type { RunnerConsole, RunnerFiles } from "./runner.ts";

export interface Entry {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly console: RunnerConsole;
  readonly files: RunnerFiles;
  /** What is masked in everything that leaves this process. */
  readonly masks: Masks;
  readonly pace: Pace;
  /** Where directories are that the runner does not name. */
  readonly workspace: string;
  readonly temporary: string;
  /** What starts the command line of this program: `[node, cli]`. */
  readonly commandLine: readonly string[];
  /** Ends the process at once. */
  readonly exit: (code: number) => never;
}

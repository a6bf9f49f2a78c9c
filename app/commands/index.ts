/**
 * Every command and what carries it out. A new one is a file of its own, a line here and one in `COMMANDS`. Those about
 * runs are `run-decisions.ts`'s.
 */
import type { PullCommandName } from "../../src/lifecycle/command-names.ts";
import { back } from "./back.ts";
import type { CommandHandler } from "./command.ts";
import { help } from "./help.ts";
import { hold, holdRepository } from "./hold.ts";
import { retry } from "./retry.ts";
import { status } from "./status.ts";
import { to } from "./to.ts";
import { unhold, unholdRepository } from "./unhold.ts";

export const STAGE_COMMANDS: Readonly<Record<PullCommandName, CommandHandler>> = {
  status,
  to,
  back,
  retry,
  hold,
  unhold,
  help,
};

export const REPOSITORY_COMMANDS: Readonly<Record<"hold" | "unhold", CommandHandler>> = {
  hold: holdRepository,
  unhold: unholdRepository,
};

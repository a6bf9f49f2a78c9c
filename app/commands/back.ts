import type { CommandHandler } from "./command.ts";
import { saidOfMove } from "./moved.ts";

/** By one stage from where it was when the command was given. */
export const back: CommandHandler = async ({ before, after }) => {
  const { stages, stage } = before.evaluation;
  const target = stages[stages.findIndex((each) => each.name === stage) - 1]?.name ?? "";
  return saidOfMove(target, after.evaluation);
};

import { type CommandHandler, DONE } from "./command.ts";

export const retry: CommandHandler = async ({ effects }) => {
  await effects.retry();
  return DONE;
};

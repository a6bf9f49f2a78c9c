import type { CommandHandler } from "./command.ts";
import { saidOfMove } from "./moved.ts";

export const to: CommandHandler = async ({ argument, after }) => saidOfMove(argument, after.evaluation);

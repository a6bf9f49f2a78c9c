import { helpText } from "../../src/lifecycle/command-help.ts";
import type { CommandHandler } from "./command.ts";

export const help: CommandHandler = async ({ before }) => ({ outcome: "seen", text: helpText(before.policy) });

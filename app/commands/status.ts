import { statusText } from "../../src/lifecycle/presentation/display.ts";
import { clip, markdown } from "../../src/report/escape.ts";
import type { CommandHandler } from "./command.ts";

const LONGEST_REASON = 500;

/** Where it is, what is missing and who can give it, and what could not be done. */
export const status: CommandHandler = async ({ before, pull, effects }) => {
  const failed = await effects.failed();
  const { blocked } = pull;
  const waits = await effects.waits();
  const lines = [
    statusText(before),
    ...waits.flatMap((each) => ["", each]),
    ...(blocked === null ? [] : ["", `**Blocked**: ${markdown(clip(blocked.reason, LONGEST_REASON))}. See ${RETRY}.`]),
    ...(failed === 0 ? [] : ["", `${failed} of its actions could not be done. See ${RETRY}.`]),
  ];
  return { outcome: "seen", text: lines.join("\n") };
};

const RETRY = "`/stage retry`";

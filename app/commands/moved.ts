import type { Evaluation } from "../../src/lifecycle/evaluation/evaluation.ts";
import { sayHold, unholdOf } from "../../src/lifecycle/presentation/hold.ts";
import { clip, codeSpan, markdown } from "../../src/report/escape.ts";
import { DONE, type Done } from "./command.ts";

const LONGEST_REASON = 500;

/** What there is to say after a command that should have brought it to a stage; nothing where it is there. */
export function saidOfMove(target: string, { stage, held, missing }: Evaluation): Done {
  if (stage === target) {
    return DONE;
  }
  const here = stage === null ? "in no stage" : `in ${codeSpan(stage)}`;
  const why =
    held === null
      ? markdown(clip(missing?.summary ?? "a newer act counts", LONGEST_REASON))
      : `${markdown(clip(sayHold(held), LONGEST_REASON))}. It moves when it is taken off hold with ${codeSpan(unholdOf(held))}`;
  return { outcome: "done", text: `Noted, but it is ${here} for now: ${why}.` };
}

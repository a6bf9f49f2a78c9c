/** Buttons on the check run of a plan's run that waits for a person: each names the stage and the round that it is about. */
import type { Button } from "./buttons.ts";

export interface RunButton {
  readonly verb: "continue" | "stop";
  readonly stage: number;
  readonly round: number;
}

/** Those of a run that waits before this round of this stage. */
export function runButtons({ stage, round }: Pick<RunButton, "stage" | "round">): readonly Button[] {
  return [
    { label: "Continue", description: "Approve it: the stage begins", identifier: `continue:${stage}:${round}` },
    { label: "Stop", description: "End the run here", identifier: `stop:${stage}:${round}` },
  ];
}

/** Null: it is none of them. */
export function readRunButton(identifier: string): RunButton | null {
  const [, verb, stage, round] = /^(continue|stop):(\d{1,5}):(\d{1,5})$/.exec(identifier) ?? [];
  if (verb !== "continue" && verb !== "stop") return null;
  return { verb, stage: Number(stage), round: Number(round) };
}

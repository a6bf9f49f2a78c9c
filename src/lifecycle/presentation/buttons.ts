/** Buttons on our check runs: the same commands as in comments, for those who read checks. At most three on each. */
import type { ParsedCommand } from "../commands.ts";
import type { Evaluation } from "../evaluation/evaluation.ts";
import { CHECK_NAME_PREFIX } from "../policy/policy.ts";

/** What GitHub takes: `label` of 20 characters, `description` of 40, `identifier` of 20. */
export interface Button {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
}

export const BUTTONS = {
  retry: { label: "Retry", description: "Try again now", identifier: "retry" },
  back: { label: "Send back", description: "Move it back by one stage", identifier: "back" },
  hold: { label: "Hold", description: "Move it no further for now", identifier: "hold" },
  unhold: { label: "Unhold", description: "Let it move again", identifier: "unhold" },
} as const satisfies Readonly<Record<string, Button>>;

export type ButtonName = keyof typeof BUTTONS;

/**
 * Those on the check run of a stage. They stand where people look for what is next: on the check of the next stage, or
 * of the last one when it is reached.
 */
export function buttonsOf(evaluation: Evaluation, stage: string): Button[] {
  if (stage !== stageWithButtons(evaluation)) {
    return [];
  }
  const { stages, held, inactive } = evaluation;
  const back = stages.filter((each) => each.reached).length > 1 ? [BUTTONS.back] : [];
  if (inactive === "closed" || inactive === "opted_out" || held?.why === "repository") {
    return back;
  }
  // In the last stage, too: a hold closes its gate.
  return [...back, held !== null ? BUTTONS.unhold : BUTTONS.hold];
}

/** Null: no check run has any. */
function stageWithButtons({ stages, missing }: Evaluation): string | null {
  return missing?.stage ?? stages.findLast((each) => each.reached)?.name ?? null;
}

export type Pressed =
  | { readonly command: Extract<ParsedCommand, { kind: "stage" }> }
  /** Why it means nothing (any more): plain text. */
  | { readonly refused: string };

/** What pressing a button on the check run of this name means now. */
export function pressed(identifier: string, check: string, evaluation: Evaluation): Pressed {
  const name = BUTTON_NAMES.find((each) => BUTTONS[each].identifier === identifier);
  if (name === undefined) {
    return { refused: `there is no button "${identifier}"` };
  }
  const stage = check.slice(CHECK_NAME_PREFIX.length);
  if (name === "back" && stage !== stageWithButtons(evaluation)) {
    return { refused: `it has moved since: it is in ${evaluation.stage ?? "no stage"} now` };
  }
  const argument = name === "back" ? (evaluation.stage ?? "") : "";
  return { command: { kind: "stage", name, argument } };
}

const BUTTON_NAMES = ["retry", "back", "hold", "unhold"] as const satisfies readonly ButtonName[];

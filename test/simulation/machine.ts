/** The machine as the simulation drives it: the real one, or one that was broken on purpose. */
import { endingFrom } from "../../src/agent/process/ending.ts";
import type { Instruction } from "../../src/run/instruction.ts";
import { admit, apply, instructionFor, nextDeadline, type RunState } from "../../src/run/machine.ts";
import { ownCleanup } from "../../src/run/stage/participants.ts";
import type { RunEvent } from "../../src/run/types.ts";

export interface Machine {
  readonly apply: (state: RunState | null, event: RunEvent) => RunState;
  readonly instructionFor: (state: RunState, agent: string) => Instruction;
  readonly nextDeadline: (state: RunState) => number | null;
  readonly admit: typeof admit;
  readonly ownCleanup: typeof ownCleanup;
  /** How long an agent takes to end what it runs. */
  readonly endingFrom: typeof endingFrom;
  /** A stored state, read again. */
  readonly load: (text: string) => RunState;
}

export const machine: Machine = {
  apply,
  instructionFor,
  nextDeadline,
  admit,
  ownCleanup,
  endingFrom,
  load: (text): RunState => JSON.parse(text),
};

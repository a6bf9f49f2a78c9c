/**
 * The end that comes from outside. GitHub's runner sends SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL, to this
 * process alone: its commands are ours to end. What is known is written before anything is waited for.
 */
import { constants } from "node:os";
import type { Agent } from "../agent/agent.ts";
import type { RunHost } from "../coordinator/hosting/host.ts";

/** What of the step an interruption needs. */
export interface InterruptibleStep {
  /** Writes what is known by now. Waits for nothing. */
  tellKnown(why: string): void;
  /** Tells whoever holds the run, so that its record says what happened. */
  cancel(why: string): Promise<void>;
  /** Ends the commands: KILL comes `graceMs` after TERM. */
  leave(why: string, graceMs: number): void;
  reset(why: string): void;
  kill(): void;
}

type Ending = "SIGINT" | "SIGTERM";

/**
 * Milliseconds from the signal: between TERM and KILL of the commands, until reports are given up, until everything is.
 * The runner leaves 7.5 s and 2.5 s.
 */
const TIMES = {
  SIGINT: { graceMs: 2_000, reportMs: 6_000, exitMs: 6_900 },
  SIGTERM: { graceMs: 700, reportMs: 1_800, exitMs: 2_100 },
} as const satisfies Record<Ending, { graceMs: number; reportMs: number; exitMs: number }>;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export class Interruption {
  readonly #step: InterruptibleStep;
  readonly #say: (text: string) => void;
  readonly #exit: (code: number) => never;
  readonly #reporting = new AbortController();
  #exitCode: number | null = null;
  readonly #handlers: readonly (readonly [NodeJS.Signals, () => void])[];

  /** Listens from now on. `say`: a line for the log. */
  constructor(step: InterruptibleStep, say: (text: string) => void, exit: (code: number) => never) {
    this.#step = step;
    this.#say = say;
    this.#exit = exit;
    this.#handlers = [
      ...SIGNALS.map((signal) => [signal, () => this.#interrupt(signal)] as const),
      ["SIGHUP", () => this.#step.reset("SIGHUP")],
    ];
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
  }

  /** 130 or 143; null: not interrupted. */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  /** Aborts when there is no time left for reports. */
  get deadline(): AbortSignal {
    return this.#reporting.signal;
  }

  stopListening(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }

  #interrupt(signal: Ending): void {
    const { graceMs, reportMs, exitMs } = TIMES[signal];
    const code = this.#exitCode ?? 128 + constants.signals[signal];
    // Of several signals the one whose time is over first ends it.
    setTimeout(() => this.#reporting.abort(), reportMs).unref();
    setTimeout(() => {
      this.#step.kill();
      this.#exit(code);
    }, exitMs).unref();
    if (this.#exitCode !== null) {
      this.#step.kill();
      return;
    }
    this.#exitCode = code;
    const why = `cancelled (${signal})`;
    try {
      this.#step.tellKnown(why);
    } catch (error) {
      // The commands must be ended, whatever else fails.
      this.#say(`⚠ what is known could not be written: ${error instanceof Error ? error.message : String(error)}`);
    }
    // Whether that can be recorded or not, the agent leaves.
    this.#step.cancel(why).catch(() => undefined);
    this.#step.leave(why, graceMs);
  }
}

/** What a signal meets: an agent, or one that is still on its way to its group. */
export interface RunningStep {
  agent: Agent | null;
  host: RunHost | null;
  readonly connecting: AbortController;
}

export function interruptible(running: RunningStep, tellKnown: InterruptibleStep["tellKnown"]): InterruptibleStep {
  return {
    tellKnown,
    cancel: async (why) => await running.host?.cancel("the runner", why),
    leave: (why, graceMs) => {
      running.connecting.abort(new Error(why));
      running.agent?.leave(why, graceMs);
    },
    reset: (why) => running.agent?.reset(why),
    kill: () => running.agent?.kill(),
  };
}

/**
 * The end that comes from outside. GitHub's runner sends SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL, to this
 * process alone: its commands are ours to end, and all of it has to fit into 5 s.
 */
import { constants } from "node:os";

/** What of the agent an interruption needs. */
interface Interruptible {
  leave(why: string): void;
  reset(why: string): void;
  kill(): void;
}

/** From the signal: when reports are given up, when everything is. */
const REPORT_MS = 4000;
const EXIT_MS = 4700;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export class Interruption {
  readonly #agent: Interruptible;
  readonly #cancel: (why: string) => Promise<void>;
  readonly #exit: (code: number) => never;
  readonly #reporting = new AbortController();
  #exitCode: number | null = null;
  readonly #onSignal = (signal: NodeJS.Signals): void => this.#interrupt(signal);
  readonly #onHangup = (): void => this.#agent.reset("SIGHUP");

  /** Listens from now on. `cancel` tells whoever holds the run, so that its record says what happened. */
  constructor(agent: Interruptible, cancel: (why: string) => Promise<void>, exit: (code: number) => never) {
    this.#agent = agent;
    this.#cancel = cancel;
    this.#exit = exit;
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    process.on("SIGHUP", this.#onHangup);
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
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    process.off("SIGHUP", this.#onHangup);
  }

  #interrupt(signal: NodeJS.Signals): void {
    if (this.#exitCode !== null) {
      this.#agent.kill();
      return;
    }
    const code = 128 + constants.signals[signal];
    this.#exitCode = code;
    const why = `cancelled (${signal})`;
    // Whether that can be recorded or not, the agent leaves.
    this.#cancel(why).catch(() => undefined);
    this.#agent.leave(why);
    setTimeout(() => this.#reporting.abort(), REPORT_MS).unref();
    setTimeout(() => {
      this.#agent.kill();
      this.#exit(code);
    }, EXIT_MS).unref();
  }
}

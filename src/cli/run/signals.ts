/** Signals of a run on this machine: the first lets cleanup run, a second does not. */
import { EXIT, type ExitCode } from "../exit.ts";

export interface Interruptible {
  /** End the stage within seconds and clean up. */
  cancel(by: string): void;
  /** End everything now, cleanup too. */
  stop(by: string): void;
}

/** Listens until `dispose`. `exitCode` is what the signals ask for, null without any. */
export class Signals {
  readonly #target: Interruptible;
  readonly #say: (text: string) => void;
  #exitCode: ExitCode | null = null;
  readonly #handlers: readonly (readonly [NodeJS.Signals, () => void])[];

  constructor(target: Interruptible, say: (text: string) => void) {
    this.#target = target;
    this.#say = say;
    this.#handlers = [
      ["SIGINT", () => this.#on("SIGINT", EXIT.interrupted)],
      ["SIGTERM", () => this.#on("SIGTERM", EXIT.terminated)],
      // The coordinator is in this process: there is nobody to rejoin, so the run ends, but is still reported.
      ["SIGHUP", () => this.#on("SIGHUP", EXIT.failure)],
    ];
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
  }

  get exitCode(): ExitCode | null {
    return this.#exitCode;
  }

  dispose(): void {
    for (const [signal, handler] of this.#handlers) process.removeListener(signal, handler);
  }

  #on(signal: NodeJS.Signals, exitCode: ExitCode): void {
    if (this.#exitCode === null) {
      this.#exitCode = exitCode;
      this.#say(
        `${signal}: ending the stage, then cleaning up${signal === "SIGINT" ? " (Ctrl-C again skips cleanup)" : ""}`,
      );
      this.#target.cancel(signal);
      return;
    }
    // A terminal that goes away sends its hangup behind the Ctrl-C: that asks for nothing more.
    if (signal === "SIGHUP") return;
    this.#say(`${signal} again: ending everything now, without cleanup`);
    this.#target.stop(signal);
  }
}

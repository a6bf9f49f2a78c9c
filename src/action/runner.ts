/**
 * How a step talks to GitHub's runner: files for outputs, state and the summary; commands on standard output.
 *
 * A few lines of our own instead of @actions/core: that package brings an HTTP client, whose loading alone takes
 * several times as long as everything else a short plan does.
 */
import { appendFileSync } from "node:fs";
import { unguessable } from "../random.ts";
import { commandData, workflowCommand } from "../report/escape.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Appends to the runner's command files. A file that the runner did not name is left out, and said so once. */
export class RunnerFiles {
  readonly #env: Environment;
  readonly #warn: (text: string) => void;
  readonly #masked: (text: string) => string;

  /** `masked`: what may be shown of a text. */
  constructor(env: Environment, warn: (text: string) => void, masked: (text: string) => string) {
    this.#env = env;
    this.#warn = warn;
    this.#masked = masked;
  }

  output(name: string, value: string): void {
    this.#append("GITHUB_OUTPUT", heredoc(name, this.#masked(value)));
  }

  /** Of several values of one name the post step sees the last, as `STATE_<name>`. */
  state(name: string, value: string): void {
    this.#append("GITHUB_STATE", heredoc(name, value));
  }

  /** Appended to what is there: the limit is for all of it. */
  summary(markdown: string): void {
    this.#append("GITHUB_STEP_SUMMARY", this.#masked(markdown));
  }

  #append(variable: string, text: string): void {
    const path = this.#env[variable];
    if (path === undefined || path === "") {
      this.#warn(`${variable} is not set: this runner takes no such file`);
      return;
    }
    try {
      appendFileSync(path, text);
    } catch (error) {
      this.#warn(`${variable}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** A value of any content: its delimiter cannot be guessed, so nothing in it can end it. */
function heredoc(name: string, value: string): string {
  const delimiter = `end_${unguessable()}`;
  return `${name}<<${delimiter}\n${value}\n${delimiter}\n`;
}

/**
 * Standard output of a step. Whatever is written as text is kept from being read as a command: the runner is told to
 * stop reading, under a random token, and to go on only for commands of our own.
 */
export class RunnerConsole {
  readonly #write: (text: string) => void;
  readonly #masked: (text: string) => string;
  #token: string | null = null;

  /** `masked`: what may be shown of a text. */
  constructor(write: (text: string) => void, masked: (text: string) => string) {
    this.#write = write;
    this.#masked = masked;
  }

  /** One line or several, theirs or ours. */
  text(text: string): void {
    if (this.#token === null) {
      this.#token = unguessable();
      this.#write(`::stop-commands::${this.#token}\n`);
    }
    this.#write(`${this.#masked(text)}\n`);
  }

  /** A whole command line, made by `workflowCommand` of what may be shown. */
  command(line: string): void {
    this.resume();
    this.#write(`${line}\n`);
  }

  mask(value: string): void {
    // An empty mask would be refused by the runner.
    if (value.trim() !== "") this.command(`::add-mask::${commandData(value)}`);
  }

  error(message: string): void {
    this.command(workflowCommand("error", {}, this.#masked(message)));
  }

  warning(message: string): void {
    this.command(workflowCommand("warning", {}, this.#masked(message)));
  }

  /** Lets the runner read commands again; to be called before the process ends. */
  resume(): void {
    if (this.#token === null) return;
    this.#write(`::${this.#token}::\n`);
    this.#token = null;
  }
}

/**
 * How a step talks to GitHub's runner: files for outputs, state and the summary; commands on standard output.
 *
 * A few lines of our own instead of @actions/core: that package brings an HTTP client, whose loading alone takes
 * several times as long as everything else a short plan does.
 */
import { appendFileSync, closeSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { unguessable } from "../random.ts";
import { commandData, workflowCommand } from "../report/escape.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Appends to the runner's command files. A file that the runner did not name is left out, and said so once. */
export class RunnerFiles {
  readonly #env: Environment;
  readonly #warn: (text: string) => void;
  readonly #masked: (text: string) => string;
  /** Where in the file the result's summary stands. Bytes. */
  #result: { readonly from: number; readonly to: number } | null = null;

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

  /** The summary of the result: told again, it takes the place of what was told before. */
  resultSummary(markdown: string): void {
    const path = this.#env.GITHUB_STEP_SUMMARY ?? "";
    const text = Buffer.from(this.#masked(markdown));
    const size = (): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    try {
      // Unless somebody has written behind it.
      if (path !== "" && this.#result !== null && this.#result.to === size()) {
        const { from } = this.#result;
        overwrite(path, text, from);
        this.#result = { from, to: from + text.length };
        return;
      }
      if (path === "" && this.#result !== null) return;
      const from = path === "" ? 0 : size();
      this.summary(markdown);
      this.#result = { from, to: from + text.length };
    } catch (error) {
      this.#warn(`GITHUB_STEP_SUMMARY: ${error instanceof Error ? error.message : String(error)}`);
    }
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

/** Never empty meanwhile: whoever ends this process then leaves the old text or the new one. */
function overwrite(path: string, text: Buffer, from: number): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, text, 0, text.length, from);
    ftruncateSync(file, from + text.length);
  } finally {
    closeSync(file);
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

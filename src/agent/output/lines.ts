/** Cuts a stream of bytes into lines of bounded length, and keeps the last of them. */
import { StringDecoder } from "node:string_decoder";

/** Characters of a line that are kept before it is masked; the rest of a longer line is dropped. */
const RAW_LINE = 65_536;
/** Characters of a line that anybody gets to see. */
export const LINE_LIMIT = 16_384;

/**
 * Turns chunks into lines, without their line ends. Bytes that are not UTF-8 become U+FFFD; of a line longer than
 * 64 Ki characters only the beginning is kept, so that a flood without line ends cannot grow memory.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (line: string) => void;
  #rest = "";
  #dropped = 0;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    this.#take(this.#decoder.write(chunk));
  }

  /** The stream is over: what is left without a line end is a line too. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== "" || this.#dropped > 0) this.#emit();
  }

  #take(text: string): void {
    let from = 0;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", from)) {
      this.#append(text.slice(from, at));
      this.#emit();
      from = at + 1;
    }
    if (from < text.length) this.#append(text.slice(from));
  }

  #append(text: string): void {
    const room = RAW_LINE - this.#rest.length;
    this.#rest += text.slice(0, room);
    this.#dropped += Math.max(0, text.length - room);
  }

  #emit(): void {
    const line = this.#rest.endsWith("\r") ? this.#rest.slice(0, -1) : this.#rest;
    this.#rest = "";
    this.#dropped = 0;
    this.#onLine(line);
  }
}

/** A line as it may be shown: at most `limit` characters, and saying so where it was cut. */
export function shortened(line: string, limit = LINE_LIMIT): string {
  return line.length <= limit ? line : `${line.slice(0, limit - 40)} … (${line.length - limit + 40} characters cut)`;
}

/** Everything below U+0020 but tab, DEL, and U+0080 to U+009F: what steers a terminal. */
const CONTROL = /[^\P{Cc}\t]/u;
const ESCAPES = /(\p{Cc}\[[0-9;]*m)|\p{Cc}\[[0-9;?]*[A-Za-z]|[^\P{Cc}\t]/gu;

/**
 * A line without what would steer a terminal (colours are kept): other sequences go, control characters become U+FFFD.
 * So that a command's output can neither repaint the log nor hide in it.
 */
export function printableLine(line: string): string {
  // The common case costs one scan.
  if (!CONTROL.test(line)) return line;
  return line.replace(ESCAPES, (found, colour: string | undefined) => {
    if (colour !== undefined) return colour;
    if (found.length > 1) return "";
    return found === "\r" ? " " : "\ufffd";
  });
}

/** The last lines of an output, at most so many lines and characters. */
export class Tail {
  readonly #lines: string[] = [];
  readonly #maxLines: number;
  readonly #maxCharacters: number;
  #characters = 0;

  constructor(maxLines = 40, maxCharacters = 8_192) {
    this.#maxLines = maxLines;
    this.#maxCharacters = maxCharacters;
  }

  push(line: string): void {
    const kept = shortened(line, 1_024);
    this.#lines.push(kept);
    this.#characters += kept.length + 1;
    while (this.#lines.length > this.#maxLines || this.#characters > this.#maxCharacters) {
      this.#characters -= (this.#lines.shift()?.length ?? 0) + 1;
    }
  }

  toString(): string {
    return this.#lines.join("\n");
  }
}

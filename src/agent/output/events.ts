/**
 * What commands tell by appending JSON lines to `$STAGEWRIGHT_EVENTS`, read while they run.
 *
 * A line that cannot be understood is warned about by its number; nothing is dropped without a word.
 */
import { statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { CommandEvent } from "./event-schema.ts";

/** Characters of one line. */
const LONGEST_LINE = 262_144;
/** Bytes of one attempt's file that are read. */
const LARGEST_FILE = 64 * 1024 * 1024;
/** Bytes of a line that is too long in which it is looked what it tells of. */
const BEGINNING = 1_024;
const CHUNK = 262_144;
/** Bad lines of one attempt that are each warned about; the rest is counted. */
const WARNED_LINES = 20;

export interface EventsFileOptions {
  readonly path: string;
  readonly onEvent: (event: CommandEvent) => void | Promise<void>;
  readonly warn: (message: string) => void;
  /** A line that tells of tasks cannot be taken: work that nobody would do. */
  readonly onTasksLost?: (message: string) => void;
}

/** Follows one attempt's events file from its beginning. */
export class EventsFile {
  readonly #options: EventsFileOptions;
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);
  #skipping = false;
  /** The beginning of the line that is skipped told of tasks. */
  #skippingTasks = false;
  #line = 0;
  #bad = 0;
  #full = false;
  #reading: Promise<void> = Promise.resolve();

  constructor(options: EventsFileOptions) {
    this.#options = options;
  }

  /** Reads what has been appended since. Calls follow one another, however they overlap. */
  poll(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#read());
    return this.#reading;
  }

  /** The command is over: reads the rest, a last line without its line end included. */
  async finish(): Promise<void> {
    await this.poll();
    if (!this.#full && (this.#rest.length > 0 || this.#skipping)) {
      await this.#take(this.#rest);
      this.#rest = Buffer.alloc(0);
    }
    if (this.#bad > WARNED_LINES) {
      this.#options.warn(`${this.#bad - WARNED_LINES} further lines of $STAGEWRIGHT_EVENTS were not understood`);
    }
  }

  async #read(): Promise<void> {
    const { path, warn } = this.#options;
    if (this.#full) return;
    try {
      // At once: by way of a thread, most commands would wait longer for it than for anything else of ours.
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? null;
      // Nobody has written to it yet.
      if (size === null && this.#position === 0) return;
      if (size === null) throw new Error("it has been removed");
      if (size < this.#position) {
        warn("$STAGEWRIGHT_EVENTS was overwritten, which loses lines: append to it (>>)");
        this.#position = 0;
        this.#rest = Buffer.alloc(0);
        this.#skipping = false;
      }
      if (size === this.#position) return;
      const file = await open(path, "r");
      try {
        await this.#readFrom(file);
      } finally {
        await file.close();
      }
    } catch (error) {
      this.#full = true;
      warn(`$STAGEWRIGHT_EVENTS can no longer be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #readFrom(file: FileHandle): Promise<void> {
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      await this.#push(chunk.subarray(0, bytesRead));
      if (this.#position >= LARGEST_FILE) {
        this.#full = true;
        this.#options.warn(`$STAGEWRIGHT_EVENTS is over ${LARGEST_FILE / 1024 / 1024} MiB: what follows is not read`);
        return;
      }
    }
  }

  async #push(chunk: Buffer): Promise<void> {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      await this.#take(this.#joined(chunk.subarray(from, at)));
      this.#rest = Buffer.alloc(0);
      from = at + 1;
    }
    this.#rest = this.#joined(chunk.subarray(from));
    if (this.#rest.length > LONGEST_LINE) {
      this.#skipping = true;
      this.#skippingTasks = tellsTasks(this.#rest.toString("utf8", 0, BEGINNING));
      this.#rest = Buffer.alloc(0);
    }
  }

  #joined(part: Buffer): Buffer {
    if (this.#skipping) return Buffer.alloc(0);
    // Copied: the chunk that `part` looks into is read into again.
    return Buffer.concat([this.#rest, part]);
  }

  async #take(line: Buffer): Promise<void> {
    this.#line += 1;
    if (this.#skipping || line.length > LONGEST_LINE) {
      this.#skipping = false;
      this.#warnOf(
        `is longer than ${LONGEST_LINE / 1024} KiB`,
        this.#skippingTasks || tellsTasks(line.toString("utf8", 0, BEGINNING)),
      );
      this.#skippingTasks = false;
      return;
    }
    const text = line.toString("utf8").trim();
    if (text === "") return;
    // Most commands tell nothing: the schema is loaded when the first one does.
    const { readEvent } = await import("./event-schema.ts");
    const event = readEvent(text);
    if (typeof event === "string") this.#warnOf(event, tellsTasks(text));
    else await this.#options.onEvent(event);
  }

  #warnOf(what: string, ofTasks: boolean): void {
    this.#bad += 1;
    if (ofTasks) this.#options.onTasksLost?.(`line ${this.#line} of $STAGEWRIGHT_EVENTS ${what}`);
    if (this.#bad <= WARNED_LINES)
      this.#options.warn(`line ${this.#line} of $STAGEWRIGHT_EVENTS ${what}; it was ignored`);
  }
}

/** Of a line that is not understood, and so not more than a likeness. */
function tellsTasks(line: string): boolean {
  return /"tasks"\s*:/.test(line);
}

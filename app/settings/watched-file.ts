/**
 * A file that holds a secret, read again while the app runs: whoever replaces it need not start anything anew. It is read
 * every few seconds and compared, because what Kubernetes mounts is swapped by a link, which watchers do not see.
 */
import { readFileSync, statSync } from "node:fs";
import type { Logger } from "pino";

/** A key of 16,384 bits takes less. */
const MOST_BYTES = 64 * 1024;
const LOOK_MS = 2_000;

export interface WatchedFileOptions<T> {
  /** The setting that names it, for the log. */
  readonly name: string;
  readonly path: string;
  /** @throws an Error that says what is wrong with the text, without repeating it */
  readonly read: (text: string) => T;
}

export class WatchedFile<T> {
  readonly #options: WatchedFileOptions<T>;
  #text: string;
  #current: T;
  #said: string | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** Reads it for the first time. @throws an Error that says what is wrong */
  constructor(options: WatchedFileOptions<T>) {
    this.#options = options;
    this.#text = textOf(options.path);
    this.#current = options.read(this.#text);
  }

  /** What was read last, and was right. */
  get current(): T {
    return this.#current;
  }

  /** Looks every few seconds until it is stopped. `changed` is called after a new content has been taken. */
  watch(log: Pick<Logger, "info" | "error">, changed: () => void = () => undefined): void {
    // What can be read once only (a pipe) does not change either.
    if (statSync(this.#options.path, { throwIfNoEntry: false })?.isFile() === false) {
      return;
    }
    this.#timer = setInterval(() => this.#look(log, changed), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(log: Pick<Logger, "info" | "error">, changed: () => void): void {
    const { name, path, read } = this.#options;
    try {
      const text = textOf(path);
      if (text !== this.#text) {
        this.#current = read(text);
        this.#text = text;
        log.info(`${name}: ${path} was read again, and holds from now on`);
        changed();
      }
      this.#said = null;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.#said) {
        log.error(`${name}: ${path} cannot be used as it is now (${why}); what it held before still holds`);
      }
      this.#said = why;
    }
  }
}

/** @throws an Error with what is wrong, in words that follow the file's name */
function textOf(path: string): string {
  let found: ReturnType<typeof statSync>;
  try {
    found = statSync(path, { throwIfNoEntry: true });
    if (found.size <= MOST_BYTES) {
      return readFileSync(path, "utf8");
    }
  } catch (error) {
    const absent = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new Error(absent ? "there is no such file" : error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  throw new Error(`this file has ${found.size} bytes; a secret has fewer than ${MOST_BYTES}`);
}

/**
 * Writes to standard output and standard error without Node's streams, whose loading takes a tenth of the action's
 * start. A write is made at once; where a pipe is full it waits for a moment, and the rest is written later.
 */
import { writeSync } from "node:fs";

const PAUSE_MS = 5;
/** How often a write is tried while nothing else goes on in this process. */
const TRIES = 10;
/** The same at the end, when there is no later: ten seconds. */
const LAST_TRIES = 2_000;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

export class FileWriter {
  readonly #file: number;
  readonly #onLost: (error: Error) => void;
  #waiting: Uint8Array[] = [];
  /** Something waits, and will be tried again. */
  #isLater = false;
  #isLost = false;

  /**
   * @param file its descriptor
   * @param onLost nothing can be written any more (nobody reads, the disk is full); told once
   */
  constructor(file: number, onLost: (error: Error) => void) {
    this.#file = file;
    this.#onLost = onLost;
  }

  /** Texts are written whole and in order. Never throws. */
  write(text: string): void {
    if (this.#isLost || text === "") return;
    this.#waiting.push(Buffer.from(text));
    if (!this.#isLater) this.#drain(TRIES);
  }

  #drain(tries: number): void {
    let left = tries;
    for (let bytes = this.#waiting[0]; bytes !== undefined; bytes = this.#waiting[0]) {
      const written = this.#tryWrite(bytes);
      if (written === bytes.length) this.#waiting.shift();
      else if (written > 0) this.#waiting[0] = bytes.subarray(written);
      else if (this.#isLost) this.#waiting = [];
      else if (left > 0) {
        left -= 1;
        Atomics.wait(PAUSE, 0, 0, PAUSE_MS);
      } else {
        this.#tryLater();
        return;
      }
    }
  }

  #tryLater(): void {
    if (this.#isLater) return;
    this.#isLater = true;
    const atExit = (): void => this.#drain(LAST_TRIES);
    process.once("exit", atExit);
    setTimeout(() => {
      this.#isLater = false;
      process.off("exit", atExit);
      this.#drain(TRIES);
    }, PAUSE_MS);
  }

  /** How many bytes were taken; 0: there is no room now, or nothing can be written any more. */
  #tryWrite(bytes: Uint8Array): number {
    try {
      return writeSync(this.#file, bytes);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
      this.#isLost = true;
      this.#onLost(error instanceof Error ? error : new Error(String(error)));
      return 0;
    }
  }
}

/** Keeps a run's state in a file that is whole at every moment, whatever becomes of this process or its machine. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { planPrint } from "../plan/canonical.ts";
import type { Json, Plan } from "../plan/plan.ts";
import { SAVED_RUN_BYTES, savedRunExcess } from "../run/resume/read-saved-run.ts";
import { type SavedRunMask, savedRun } from "../run/resume/saved-run.ts";
import type { RunState } from "../run/state.ts";

/** Characters: a shorter text cannot hold too many values. */
const LONG = 1_000_000;

export interface StateFileOptions {
  readonly path: string;
  readonly plan: Plan;
  readonly mask: SavedRunMask;
  /** What the run was given to work on; not there: nothing. */
  readonly input?: Json;
  /** Told when the state could not be saved, and why: then the one before is still there. */
  readonly onTrouble: (why: string) => void;
}

export class StateFile {
  readonly #options: StateFileOptions;
  readonly #print: ReturnType<typeof planPrint>;
  #steps = 0;
  #trouble: string | null = null;

  constructor(options: StateFileOptions) {
    this.#options = options;
    this.#print = planPrint(options.plan);
  }

  /** What is saved last could not be. */
  get isBehind(): boolean {
    return this.#trouble !== null;
  }

  /**
   * Saves the state when another stage has begun or ended: before anybody is told of it. Never throws.
   * @returns whether there is another one now
   */
  follow(state: RunState): boolean {
    if (state.steps === this.#steps) return false;
    this.#steps = state.steps;
    const { path, mask, input = null, onTrouble } = this.#options;
    try {
      const text = `${JSON.stringify(savedRun(state, this.#print, state.now, mask, input))}\n`;
      if (Buffer.byteLength(text) > SAVED_RUN_BYTES || (text.length > LONG && savedRunExcess(text) !== null)) {
        throw new Error("there is more of it than a saved state may hold");
      }
      writeDurably(path, text);
      this.#trouble = null;
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.#trouble) onTrouble(why);
      this.#trouble = why;
      return false;
    }
  }
}

/** Replaces a file as a whole, durably. Its user alone may read it. @throws what the file system says */
export function writeDurably(path: string, text: string): void {
  const target = realPath(path);
  const directory = dirname(target);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const temporary = join(directory, `.${basename(target)}.${process.pid}.new`);
  try {
    const file = openSync(temporary, "w", 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(directory);
}

/** Removes what processes left beside the file that were killed while they wrote it. */
export function removeUnfinished(path: string): void {
  const target = realPath(path);
  const directory = dirname(target);
  const [before, after] = [`.${basename(target)}.`, ".new"];
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch {
    return;
  }
  for (const name of names) {
    if (!name.startsWith(before) || !name.endsWith(after)) continue;
    const pid = name.slice(before.length, -after.length);
    if (/^\d{1,10}$/u.test(pid) && !isAlive(Number(pid))) rmSync(join(directory, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Through links, so that the file itself is replaced and not the link. */
function realPath(path: string): string {
  const target = resolve(path);
  try {
    return realpathSync(target);
  } catch {
    return target;
  }
}

/** The new name survives a crash of the machine, where the file system can promise that. */
function syncDirectory(directory: string): void {
  try {
    const opened = openSync(directory, "r");
    try {
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
  } catch {
    // Some file systems know no such thing: the file is whole all the same.
  }
}

/**
 * Keeps the files that stages ask for (`collect`) in a folder of the run's: `<folder>/<agent>/<stage>[/round-n]/<path>`.
 * What is not kept is said: nothing is followed out of the working directory, and nothing grows without bounds.
 */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, realpath, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { COLLECT_BOUNDS } from "../../plan/bounds.ts";
import type { PlanStage } from "../../plan/plan.ts";
import { roundOf } from "../../run/stage/attempt-id.ts";
import type { AgentLog } from "../log.ts";
import { printableLine, shortened } from "../output/lines.ts";
import { safeFileName } from "./file-name.ts";
import { codeOf, type FoundFile, findFiles, type LeftOut } from "./find-files.ts";

/** How long it may still take once the agent is ended. */
const HURRIED_MS = 3_000;
/** Of what is left out for the same reason so many are named. */
const NAMED = 10;
const LONGEST_NAME = 200;
const CHUNK = 1_048_576;
const TIME_OVER = "the time for it is over";

interface KeptFile {
  readonly path: string;
  readonly bytes: number;
}

export class Collector {
  readonly #folder: string;
  readonly #agent: string;
  readonly #own: string;
  readonly #log: AgentLog;
  /** By stage and round: what it has kept so far. */
  readonly #parts = new Map<string, { files: number; bytes: number }>();
  readonly #running = new Set<AbortController>();
  #mostMs: number = COLLECT_BOUNDS.ms;

  /** @param folder of the run; made when there is something to keep */
  constructor(folder: string, agent: string, log: AgentLog) {
    this.#folder = folder;
    this.#agent = agent;
    this.#own = join(folder, safeFileName(agent));
    this.#log = log;
  }

  /** The agent is ending: what takes longer is left out. */
  hurry(): void {
    this.#mostMs = HURRIED_MS;
    for (const running of this.#running) setTimeout(() => running.abort(), HURRIED_MS).unref();
  }

  /**
   * Keeps the stage's files as they are now, in place of those that an attempt before it left. Never rejects: what
   * goes wrong is warned of.
   * @param from the stage's working directory
   */
  async collect(stage: PlanStage, attempt: string, from: string, warn: (text: string) => void): Promise<void> {
    const patterns = stage.collect;
    if (patterns === undefined) return;
    const stopping = new AbortController();
    this.#running.add(stopping);
    const timer = setTimeout(() => stopping.abort(), this.#mostMs);
    try {
      const round = roundOf(attempt);
      const folder = join(this.#own, safeFileName(stage.name), ...(round > 1 ? [`round-${round}`] : []));
      const keptIn = await realpath(this.#folder).catch(() => this.#folder);
      const found = await findFiles(from, patterns, keptIn, stopping.signal);
      const { kept, bytes, leftOut } = await this.#keep(found.files, folder, stopping.signal);
      for (const text of saidOf([...found.leftOut, ...leftOut])) warn(text);
      for (const pattern of found.unused) warn(`collect: there is nothing that ${quoted(pattern)} names`);
      if (found.isCut) warn(cutText(stopping.signal));
      const missed = [...found.leftOut, ...leftOut];
      const what = { kept, bytes, missed, isWhole: !found.isCut };
      this.#log({ kind: "collected", agent: this.#agent, stage, round, folder, ...what });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      warn(`collect: its files could not be kept: ${printableLine(why)}`);
    } finally {
      clearTimeout(timer);
      this.#running.delete(stopping);
    }
  }

  async #keep(
    files: readonly FoundFile[],
    folder: string,
    signal: AbortSignal,
  ): Promise<{ kept: readonly KeptFile[]; bytes: number; leftOut: readonly LeftOut[] }> {
    // Only what this agent has put there itself is replaced.
    if (this.#parts.has(folder)) await rm(folder, { recursive: true, force: true });
    const part = { files: 0, bytes: 0 };
    this.#parts.set(folder, part);
    const kept: KeptFile[] = [];
    const leftOut: LeftOut[] = [];
    for (const file of files) {
      const before = part.bytes;
      const why = signal.aborted ? TIME_OVER : await this.#keepOne(file, folder, part, signal);
      if (why !== null) leftOut.push({ path: file.path, why });
      else kept.push({ path: file.path, bytes: part.bytes - before });
    }
    return { kept, bytes: part.bytes, leftOut };
  }

  /** @returns why it is left out; null: it is kept */
  async #keepOne(
    { path, real }: FoundFile,
    folder: string,
    part: { files: number; bytes: number },
    signal: AbortSignal,
  ): Promise<string | null> {
    let source: FileHandle | null = null;
    try {
      // Whatever has come to its place meanwhile is neither followed nor waited for.
      source = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const about = await source.stat();
      if (!about.isFile()) return "no file";
      const why = beyond([...this.#parts.values()], part, about.size);
      if (why !== null) return why;
      const target = join(folder, ...path.split("/").map(safeFileName));
      await mkdir(dirname(target), { recursive: true });
      if (!(await copy(source, target, about.size, signal))) return TIME_OVER;
      part.files += 1;
      part.bytes += about.size;
      return null;
    } catch (error) {
      return `not copied (${codeOf(error)})`;
    } finally {
      await source?.close();
    }
  }
}

/** Why a file of this size is one too much; null: it is not. */
export function beyond(
  parts: readonly { readonly files: number; readonly bytes: number }[],
  part: { readonly files: number; readonly bytes: number },
  size: number,
): string | null {
  const { files, bytes, runFiles, runBytes } = COLLECT_BOUNDS;
  const all = parts.reduce((sum, each) => ({ files: sum.files + each.files, bytes: sum.bytes + each.bytes }), {
    files: 0,
    bytes: 0,
  });
  const mib = (value: number): string => `${value / 1_048_576} MiB`;
  if (part.files + 1 > files) return `beyond ${files} files of a stage`;
  if (part.bytes + size > bytes) return `beyond ${mib(bytes)} of a stage`;
  if (all.files + 1 > runFiles) return `beyond ${runFiles} files of a run`;
  if (all.bytes + size > runBytes) return `beyond ${mib(runBytes)} of a run`;
  return null;
}

/**
 * Not more than it had when it was looked at: something may still write into it. Nothing stays of what was not copied.
 * @returns false: the signal has aborted
 */
async function copy(source: FileHandle, path: string, size: number, signal: AbortSignal): Promise<boolean> {
  const target = await open(path, "wx");
  try {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, size)));
    for (let done = 0; done < size; ) {
      if (signal.aborted) {
        await rm(path, { force: true });
        return false;
      }
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, size - done), done);
      if (bytesRead === 0) break;
      await target.write(buffer, 0, bytesRead);
      done += bytesRead;
    }
    return true;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await target.close();
  }
}

/** A line for each reason. */
export function saidOf(leftOut: readonly LeftOut[]): readonly string[] {
  const byReason = Map.groupBy(leftOut, ({ why }) => why);
  return [...byReason].map(([why, files]) => {
    const named = files.slice(0, NAMED).map(({ path }) => quoted(path));
    const more = files.length > NAMED ? ` and ${files.length - NAMED} more` : "";
    return `collect: ${files.length} left out, ${why}: ${named.join(", ")}${more}`;
  });
}

function cutText(signal: AbortSignal): string {
  return signal.aborted
    ? "collect: the time for it was over before all had been looked through"
    : `collect: there is more than ${COLLECT_BOUNDS.entries} files and folders to look through: the rest is left out; name a folder`;
}

function quoted(path: string): string {
  return JSON.stringify(shortened(printableLine(path), LONGEST_NAME));
}

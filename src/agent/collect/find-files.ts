/** Looks for the files that a stage wants to be kept: below its working directory, and never out of it. */
import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type picomatchModule from "picomatch";
import { COLLECT_BOUNDS } from "../../plan/bounds.ts";

/** Of kept files, unless it is said where they go: never looked into, or each run would keep those before it. */
export const KEPT_FOLDER = "stagewright-collected";

/** A file that is wanted: as it is named, and where it really lies. */
export interface FoundFile {
  readonly path: string;
  readonly real: string;
}

export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

export interface Found {
  readonly files: readonly FoundFile[];
  readonly leftOut: readonly LeftOut[];
  /** Patterns that nothing fits. */
  readonly unused: readonly string[];
  /** There was more to look through than is looked through. */
  readonly isCut: boolean;
}

interface Pattern {
  readonly text: string;
  /** The file, or a folder above it, is what the pattern names. */
  readonly fits: (path: string) => boolean;
  /** Below this folder there may be what it names. */
  readonly mayHold: (path: string) => boolean;
}

/** @param keptIn a folder that is not looked into: its real path */
export async function findFiles(
  root: string,
  patterns: readonly string[],
  keptIn: string,
  signal: AbortSignal,
): Promise<Found> {
  const { default: picomatch } = await import("picomatch");
  const walk = new Walk(
    await realpath(root),
    patterns.map((text) => patternOf(text, picomatch)),
    keptIn,
  );
  await walk.folder("", signal);
  return walk.found();
}

function patternOf(text: string, picomatch: typeof picomatchModule): Pattern {
  const glob = text
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
  // "." is all there is.
  if (glob === "") return { text, fits: picomatch("**"), mayHold: () => true };
  const options = { nonegate: true };
  const parts = glob.split("/");
  // What stands in braces may hold slashes.
  const open = parts.findIndex((part) => part.includes("**") || /[{(]/u.test(part));
  const tests = parts.slice(0, open === -1 ? parts.length : open).map((part) => picomatch(part, options));
  const namesHidden = /(?:^|[/{(,|])\\?\./u.test(glob);
  const mayHold = (path: string): boolean => {
    const segments = path.split("/");
    if (!namesHidden && segments.some((segment) => segment.startsWith("."))) return false;
    return tests.every((test, at) => segments[at] === undefined || test(segments[at]));
  };
  return { text, fits: picomatch([glob, `${glob}/**`], options), mayHold };
}

class Walk {
  readonly #root: string;
  readonly #patterns: readonly Pattern[];
  readonly #keptIn: string;
  readonly #files: FoundFile[] = [];
  readonly #leftOut: LeftOut[] = [];
  readonly #used = new Set<Pattern>();
  #entries = 0;
  #isCut = false;

  constructor(root: string, patterns: readonly Pattern[], keptIn: string) {
    this.#root = root;
    this.#patterns = patterns;
    this.#keptIn = keptIn;
  }

  found(): Found {
    const unused = this.#patterns.filter((pattern) => !this.#used.has(pattern)).map(({ text }) => text);
    return { files: this.#files, leftOut: this.#leftOut, unused, isCut: this.#isCut };
  }

  async folder(path: string, signal: AbortSignal): Promise<void> {
    let entries: Dirent[];
    try {
      entries = await readdir(join(this.#root, path), { withFileTypes: true });
    } catch (error) {
      this.#leave(path || ".", `not readable (${codeOf(error)})`);
      return;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      this.#entries += 1;
      if (this.#entries > COLLECT_BOUNDS.entries || signal.aborted) {
        this.#isCut = true;
        return;
      }
      await this.#entry(path === "" ? entry.name : `${path}/${entry.name}`, entry, signal);
    }
  }

  async #entry(path: string, entry: Dirent, signal: AbortSignal): Promise<void> {
    const real = join(this.#root, path);
    if (entry.isDirectory()) {
      if (entry.name === KEPT_FOLDER || real === this.#keptIn) return;
      if (this.#patterns.some(({ mayHold }) => mayHold(path))) await this.folder(path, signal);
    } else if (this.#fits(path)) {
      if (entry.isFile()) this.#files.push({ path, real });
      else if (entry.isSymbolicLink()) await this.#link(path);
      else this.#leave(path, "no file");
    } else if (entry.isSymbolicLink() && this.#patterns.some(({ mayHold }) => mayHold(path))) await this.#link(path);
  }

  /** A link to a file inside is that file; where a folder is linked to, its files are found at their own place. */
  async #link(path: string): Promise<void> {
    let real: string;
    let isFile: boolean;
    try {
      real = await realpath(join(this.#root, path));
      isFile = (await stat(real)).isFile();
    } catch (error) {
      if (this.#fits(path)) this.#leave(path, `a link that leads nowhere (${codeOf(error)})`);
      return;
    }
    if (real !== this.#root && !real.startsWith(this.#root === sep ? sep : `${this.#root}${sep}`)) {
      // Of a file that nobody asked for there is nothing to say.
      if (!isFile || this.#fits(path)) this.#leave(path, "a link out of the working directory");
    } else if (!isFile) this.#leave(path, "a link to a folder");
    else if (this.#fits(path)) this.#files.push({ path, real });
  }

  #fits(path: string): boolean {
    const fitting = this.#patterns.filter(({ fits }) => fits(path));
    for (const pattern of fitting) this.#used.add(pattern);
    return fitting.length > 0;
  }

  #leave(path: string, why: string): void {
    this.#leftOut.push({ path, why });
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

/** The agent's own directory: the `stagewright` that commands call, and the files that they read and append to. */
import { lstatSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface AttemptFiles {
  readonly events: string;
  readonly context: string;
  readonly hostfile: string;
}

/** Nothing can be written where temporary files go: nothing has been started. */
export class NoTemporaryFiles extends Error {
  /** @param env says which variable names `path` */
  constructor(path: string, env: Readonly<Record<string, string | undefined>>, cause: unknown) {
    const variable = env.RUNNER_TEMP === undefined ? "TMPDIR" : "RUNNER_TEMP";
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `${variable} (${path}): temporary files cannot be written there: ${why}; free space there, or give ${variable} a directory that can be written to`,
      { cause },
    );
    this.name = "NoTemporaryFiles";
  }
}

export class AgentDirectory {
  readonly path: string;
  readonly bin: string;
  readonly #last = new Map<string, { readonly content: string; readonly path: Promise<string> }>();
  #attempts = 0;

  /**
   * In `RUNNER_TEMP`, else where the system has temporary files.
   * @param command what starts this program's command line: `[node, …options, cli]`
   * @throws NoTemporaryFiles, with nothing left behind
   */
  constructor(env: Readonly<Record<string, string | undefined>>, command: readonly string[]) {
    const parent = env.RUNNER_TEMP ?? tmpdir();
    let made: string | null = null;
    try {
      // mkdtemp makes it readable for this user alone.
      made = mkdtempSync(join(parent, "stagewright-"));
      writeFileSync(join(made, "stagewright"), `#!/bin/sh\nexec ${command.map(quoted).join(" ")} "$@"\n`, {
        mode: 0o700,
      });
    } catch (error) {
      if (made !== null) rmSync(made, { recursive: true, force: true });
      throw new NoTemporaryFiles(parent, env, error);
    }
    this.path = made;
    this.bin = made;
  }

  /**
   * The files of one attempt. Its events are its own, and made by whoever first appends to them; context and hostfile
   * are written when they differ from the last, since they mostly do not.
   */
  async attemptFiles(context: string, hostfile: string): Promise<AttemptFiles> {
    this.#attempts += 1;
    const events = join(this.path, `events-${this.#attempts}.jsonl`);
    return {
      events,
      context: await this.#shared("context.json", context),
      hostfile: await this.#shared("hostfile", hostfile),
    };
  }

  /** An attempt is over: what is its alone may go, whatever its command made of it. */
  forget(files: AttemptFiles): void {
    // Most commands tell nothing.
    if (lstatSync(files.events, { throwIfNoEntry: false }) === undefined) return;
    rmSync(files.events, { recursive: true, force: true });
  }

  /** A new file for new content: a running command keeps the one it was given. */
  #shared(name: string, content: string): Promise<string> {
    const last = this.#last.get(name);
    if (last?.content === content) return last.path;
    const path = join(this.path, `${this.#attempts}-${name}`);
    const written = writeFile(path, content, { mode: 0o600 }).then(() => path);
    this.#last.set(name, { content, path: written });
    // Not kept when it failed: the next attempt tries again.
    written.catch(() => this.#last.delete(name));
    return written;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 2 });
  }
}

/** A word of a POSIX shell: our own paths, which may hold blanks. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

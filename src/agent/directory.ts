/** The agent's own directory: the `stagewright` that commands call, and the files that they read and append to. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface AttemptFiles {
  readonly events: string;
  readonly context: string;
  readonly hostfile: string;
}

export class AgentDirectory {
  readonly path: string;
  readonly bin: string;
  readonly #last = new Map<string, { readonly content: string; readonly path: Promise<string> }>();
  #attempts = 0;

  /**
   * @param parent where temporary files go (`RUNNER_TEMP`, else the system's)
   * @param command what starts this program's command line: `[node, …options, cli]`
   */
  constructor(parent: string, command: readonly string[]) {
    // mkdtemp makes it readable for this user alone.
    this.path = mkdtempSync(join(parent, "stagewright-"));
    this.bin = this.path;
    writeFileSync(join(this.bin, "stagewright"), `#!/bin/sh\nexec ${command.map(quoted).join(" ")} "$@"\n`, {
      mode: 0o700,
    });
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

  /** An attempt is over: what is its alone may go. */
  forget(files: AttemptFiles): void {
    rmSync(files.events, { force: true });
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

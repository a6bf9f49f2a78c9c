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

  /** Fresh files for one attempt. */
  async attemptFiles(context: string, hostfile: string): Promise<AttemptFiles> {
    this.#attempts += 1;
    const file = (name: string): string => join(this.path, `${this.#attempts}-${name}`);
    const files = { events: file("events.jsonl"), context: file("context.json"), hostfile: file("hostfile") };
    await Promise.all([
      writeFile(files.events, "", { mode: 0o600 }),
      writeFile(files.context, context, { mode: 0o600 }),
      writeFile(files.hostfile, hostfile, { mode: 0o600 }),
    ]);
    return files;
  }

  /** An attempt is over: its files may go. */
  forget(files: AttemptFiles): void {
    for (const file of [files.events, files.context, files.hostfile]) rmSync(file, { force: true });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 2 });
  }
}

/** A word of a POSIX shell: our own paths, which may hold blanks. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** A file that is there whole, or as it was before. */
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** Written beside it, then renamed. @returns why it could not be written; null: it is */
export function writeWhole(file: string, text: string): string | null {
  const target = resolve(file);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}`);
  try {
    // A device or a pipe is written to, not replaced.
    if (statSync(target, { throwIfNoEntry: false })?.isFile() ?? true) {
      writeFileSync(temporary, text);
      renameSync(temporary, target);
    } else writeFileSync(target, text);
    return null;
  } catch (error) {
    rmSync(temporary, { force: true });
    return error instanceof Error ? error.message : String(error);
  }
}

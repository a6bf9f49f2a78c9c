/** Files with secrets. */
import { closeSync, fchmodSync, fstatSync, openSync, writeFileSync } from "node:fs";

/** Writes a file that this user alone may read, also where others could read the one that was there before. */
export function writePrivateFile(path: string, text: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    // A device or a pipe is not ours to change.
    if (fstatSync(file).isFile()) fchmodSync(file, 0o600);
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}

/** Standard output, written whole or with an error. */
import { fstatSync, writeFileSync } from "node:fs";

const STDOUT = 1;

/**
 * Writes a result on stdout. Into a file Node's stream writes what there is room for and takes that for all of it, so
 * a file is written without it.
 * @throws what the file system says. Of a pipe or a terminal: the stream's `error` event tells.
 */
export function print(text: string): void {
  const kind = fstatSync(STDOUT);
  if (kind.isFile() || (kind.isCharacterDevice() && process.stdout.isTTY !== true)) writeFileSync(STDOUT, text);
  else process.stdout.write(text);
}

/** Names and tokens that nobody can guess. */
import { closeSync, openSync, readSync } from "node:fs";

const BYTES = 16;

/**
 * 32 hexadecimal digits from the system's generator. Read as a file where there is one: `node:crypto` takes longer to
 * load than a short plan to run. Elsewhere (Windows) it is asked after all.
 */
export function unguessable(): string {
  const bytes = Buffer.alloc(BYTES);
  let file: number;
  try {
    file = openSync("/dev/urandom", "r");
  } catch {
    return globalThis.crypto.randomUUID().replaceAll("-", "");
  }
  try {
    const read = readSync(file, bytes);
    if (read !== BYTES) throw new Error(`/dev/urandom gave ${read} bytes of ${BYTES}`);
  } finally {
    closeSync(file);
  }
  return bytes.toString("hex");
}

/** Names of agents, stages and files as names of files: on any system that the kept files may be looked at on. */
import { createHash } from "node:crypto";

/** Bytes; what is longer is cut. */
const LONGEST = 200;
/** What Windows, and with it GitHub's artifacts, does not take. */
const UNFIT = /[\p{Cc}"*/:<>?\\|]/gu;

/** The name itself, where it is one; else what is left of it, with a digest: different names stay different. */
export function safeFileName(name: string): string {
  const fit = name.replace(UNFIT, "_");
  const ends = /^\.{1,2}$|[. ]$/u.test(fit) || fit === "";
  if (fit === name && !ends && Buffer.byteLength(name) <= LONGEST) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${cut(fit).replace(/(?<![. ])[. ]+$/u, "")}-${digest}`;
}

/** Not within a character. */
function cut(name: string): string {
  if (Buffer.byteLength(name) <= LONGEST) return name;
  return Buffer.from(name)
    .subarray(0, LONGEST - 9)
    .toString()
    .replace(/(?<!\ufffd)\ufffd+$/u, "");
}

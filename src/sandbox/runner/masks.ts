/** Secrets in a job's log become `***`, in every spelling in which they commonly appear. */
import { Literals } from "../../literals.ts";

/** Of one job; what is beyond is not hidden. */
const MOST = { count: 100_000, characters: 4_194_304 } as const;

/** Collects secrets and hides them in text. */
export interface Masks {
  add(secret: string): void;
  hide(text: string): string;
}

/** The text itself, its lines, and its JSON, URL and base64 spellings: what GitHub's runner hides. */
function spellings(secret: string): readonly string[] {
  const each = [secret, ...secret.split(/\r?\n/).map((line) => line.trim())];
  return each.flatMap((one) => [
    one,
    JSON.stringify(one).slice(1, -1),
    encodeURIComponent(one),
    Buffer.from(one).toString("base64"),
    Buffer.from(one)
      .toString("base64")
      .replace(/(?<!=)=+$/, ""),
  ]);
}

/** A new, empty set of masks. Texts shorter than 1 character are never hidden. */
export function createMasks(initial: readonly string[] = []): Masks {
  const secrets = new Literals(MOST);
  const add = (secret: string): void => {
    for (const one of spellings(secret)) if (one.trim() !== "") secrets.add(one);
  };
  for (const secret of initial) if (secret !== "") add(secret);
  return { add, hide: (text) => secrets.replaceIn(text, "***") };
}

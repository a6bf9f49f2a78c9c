/** Secrets in a job's log become `***`, in every spelling in which they commonly appear. */

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
    Buffer.from(one).toString("base64").replace(/=+$/, ""),
  ]);
}

/** A new, empty set of masks. Texts shorter than 1 character are never hidden. */
export function createMasks(initial: readonly string[] = []): Masks {
  const secrets = new Set<string>();
  let ordered: readonly string[] = [];
  const add = (secret: string): void => {
    for (const one of spellings(secret)) if (one.trim() !== "") secrets.add(one);
    // The longest first, so that a secret inside another does not leave the rest of it readable.
    ordered = [...secrets].sort((a, b) => b.length - a.length);
  };
  for (const secret of initial) if (secret !== "") add(secret);
  return { add, hide: (text) => ordered.reduce((hidden, secret) => hidden.replaceAll(secret, "***"), text) };
}

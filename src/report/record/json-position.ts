/** Where something stands in a JSON text. */

/**
 * The offset of the value at this path in a text that is valid JSON; of the nearest mapping or list around it where it is
 * not there. Looks at each character once, and calls nothing for each level.
 */
export function locateInJson(text: string, path: readonly (string | number)[]): number {
  let best = text.search(/\S/u);
  let depth = 0;
  /** How many of the path's steps lead to where we are. */
  let matched = 0;
  const indexes: number[] = [];
  let key: string | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (sign === " " || sign === "\n" || sign === "\r" || sign === "\t" || sign === ":") continue;
    if (sign === ",") {
      const index = indexes[depth - 1];
      if (index !== undefined && index >= 0) indexes[depth - 1] = index + 1;
      continue;
    }
    if (sign === "}" || sign === "]") {
      depth -= 1;
      indexes.length = depth;
      if (depth < matched) return best;
      continue;
    }
    const isKey = sign === '"' && indexes[depth - 1] === -1 && key === null;
    const end = sign === '"' ? endOfString(text, at) : at;
    if (isKey) {
      key = JSON.parse(text.slice(at, end + 1));
      at = end;
      continue;
    }
    const index = indexes[depth - 1];
    const step: string | number | null = index === undefined ? null : index >= 0 ? index : key;
    key = null;
    if (depth === 0 || (depth === matched + 1 && step === path[matched])) {
      best = at;
      if (depth > 0) matched += 1;
      if (matched === path.length) return best;
    }
    if (sign === "{" || sign === "[") {
      depth += 1;
      indexes.push(sign === "[" ? 0 : -1);
    } else if (sign === '"') at = end;
    else while (!",}] \n\r\t".includes(text[at + 1] ?? ",")) at += 1;
  }
  return Math.max(0, best);
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

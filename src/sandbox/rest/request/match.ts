/** Finds the operation that a method and a path name. */

interface Pattern {
  readonly expression: RegExp;
  readonly names: readonly string[];
  /** How much of it is written out: what says more is tried first. */
  readonly weight: number;
}

/** These may contain slashes: file paths, refs, branches. */
const deep = new Set(["path", "ref", "branch", "tag", "basehead"]);

function pattern(template: string): Pattern {
  const names: string[] = [];
  const source = template
    .split("/")
    .slice(1)
    .map((segment) => {
      const name = /^\{(.+)\}$/.exec(segment)?.[1];
      if (name === undefined) return `/${segment.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&")}`;
      names.push(name);
      if (name === "path") return "(?:/(.*))?";
      return deep.has(name) ? "/(.+?)" : "/([^/]+)";
    })
    .join("");
  return { expression: new RegExp(`^${source}$`), names, weight: template.replaceAll(/\{[^{}]*\}/g, "").length };
}

export interface Match<T> {
  readonly value: T;
  readonly path: Record<string, string>;
}

export class Matcher<T> {
  readonly #byMethod = new Map<string, { pattern: Pattern; value: T }[]>();

  /** @param entries `"GET /repos/{owner}/{repo}"` and what to find for it */
  constructor(entries: Iterable<readonly [string, T]>) {
    for (const [operation, value] of entries) {
      const [method = "", template = ""] = operation.split(" ");
      const known = this.#byMethod.get(method) ?? [];
      known.push({ pattern: pattern(template), value });
      this.#byMethod.set(method, known);
    }
    for (const known of this.#byMethod.values()) known.sort((a, b) => b.pattern.weight - a.pattern.weight);
  }

  find(method: string, path: string): Match<T> | null {
    for (const { pattern: candidate, value } of this.#byMethod.get(method) ?? []) {
      const match = candidate.expression.exec(path);
      if (match === null) continue;
      const found: Record<string, string> = {};
      for (const [index, name] of candidate.names.entries()) found[name] = decode(match[index + 1] ?? "");
      return { value, path: found };
    }
    return null;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

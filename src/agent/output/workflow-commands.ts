/**
 * Workflow commands in a command's output: `::error file=a.ts,line=3::message`. We understand those that say
 * something about the work; those that would change a job's state are shown as plain text and not followed.
 */

export type OutputCommand =
  | {
      readonly kind: "annotation";
      readonly level: "notice" | "warning" | "failure";
      readonly path: string | null;
      readonly line: number | null;
      readonly title: string | null;
      readonly message: string;
    }
  | { readonly kind: "mask"; readonly value: string }
  | { readonly kind: "group"; readonly title: string }
  | { readonly kind: "endgroup" }
  | { readonly kind: "debug"; readonly message: string };

const LEVELS: ReadonlyMap<string, "notice" | "warning" | "failure"> = new Map([
  ["error", "failure"],
  ["warning", "warning"],
  ["notice", "notice"],
]);

/** Reads the output of one command line by line: `::stop-commands::token` holds until `::token::`. */
export class CommandReader {
  #resumeToken: string | null = null;

  /** What the line says, or null when it is plain output (or commands are stopped). */
  read(line: string): OutputCommand | null {
    const text = line.trimStart();
    if (!text.startsWith("::")) return null;
    const end = text.indexOf("::", 2);
    if (end <= 2) return null;
    const head = text.slice(2, end);
    const space = head.indexOf(" ");
    const name = space === -1 ? head : head.slice(0, space);
    const properties = space === -1 ? "" : head.slice(space + 1);
    const data = text.slice(end + 2);
    if (this.#resumeToken !== null) {
      if (head === this.#resumeToken) this.#resumeToken = null;
      return null;
    }
    const message = unescapeData(data);
    const level = LEVELS.get(name.toLowerCase());
    if (level !== undefined) {
      const given = readProperties(properties);
      const lineNumber = Number(given.get("line") ?? Number.NaN);
      return {
        kind: "annotation",
        level,
        path: given.get("file") || null,
        line: Number.isSafeInteger(lineNumber) && lineNumber > 0 ? lineNumber : null,
        title: given.get("title") || null,
        message,
      };
    }
    switch (name.toLowerCase()) {
      case "add-mask":
        return { kind: "mask", value: message };
      case "group":
        return { kind: "group", title: message };
      case "endgroup":
        return { kind: "endgroup" };
      case "debug":
        return { kind: "debug", message };
      case "stop-commands":
        if (message !== "") this.#resumeToken = message;
        return null;
      default:
        return null;
    }
  }
}

function readProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    if (at > 0) properties.set(part.slice(0, at).trim().toLowerCase(), unescapeProperty(part.slice(at + 1).trim()));
  }
  return properties;
}

function unescapeData(text: string): string {
  return text.replace(/%0D/gi, "\r").replace(/%0A/gi, "\n").replace(/%25/g, "%");
}

function unescapeProperty(text: string): string {
  return unescapeData(text.replace(/%3A/gi, ":").replace(/%2C/gi, ","));
}

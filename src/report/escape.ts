/**
 * Text from outside (a command's output, a plan's words, an agent's name) made safe for the place where it is shown.
 * Each function takes any string at all and returns one that can only be read as text there, in a time that grows with
 * its length and no faster.
 */

/** Invisible, and enough to keep GitHub from reading a mention, an issue number or an address into the text. */
const BREAK = "\u200B";

/**
 * What terminals obey (ECMA-48): control sequences (`ESC [ … m`), strings (`ESC ] … BEL`), two-character escapes. Node's
 * `stripVTControlCharacters` and the packages for it look for the end of each unfinished string through all of the rest
 * of the text; here nothing that begins a sequence may stand inside one, so no character is looked at twice.
 */
const TERMINAL_SEQUENCES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about.
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])\P{Cc}*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-~]/gu;
/** Line and paragraph separators that are not "\n". */
const OTHER_NEWLINES = /\r\n?|[\u2028\u2029\u0085\v\f]/gu;
/** Everything unprintable but tab and newline, and the marks that reorder text so that it reads as something else. */
const UNPRINTABLE = /(?![\n\t])\p{Cc}|[\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu;

/** Without terminal escapes, control characters, text reordering marks and broken surrogates; newlines are "\n". */
export function clean(text: string): string {
  return text.toWellFormed().replace(TERMINAL_SEQUENCES, "").replace(OTHER_NEWLINES, "\n").replace(UNPRINTABLE, "");
}

/** As `clean`, on one line: runs of white space become one space. */
export function oneLine(text: string): string {
  return clean(text).replace(/\s+/gu, " ").trim();
}

/** At most `max` UTF-16 units, marked with an ellipsis when something is gone; never half a character. `max` ≥ 1. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  let end = max - 1;
  const last = text.charCodeAt(end - 1);
  if (end > 0 && last >= 0xd800 && last <= 0xdbff) end -= 1;
  return `${text.slice(0, end)}…`;
}

/** The length of a text as GitHub's limits count it at worst: bytes of UTF-8. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** The last `count` lines, without trailing empty ones; each clipped to `width`. */
export function lastLines(text: string, count: number, width = 2000): string {
  const lines = clean(text).trimEnd().split("\n");
  return lines
    .slice(-Math.max(1, count))
    .map((line) => clip(line, width))
    .join("\n");
}

/** For text and attribute values of HTML. */
export function html(text: string): string {
  return clean(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/**
 * For a line of GitHub-flavoured Markdown, table cells included: no formatting, links, HTML, mentions or references
 * come of it. Always one line.
 */
export function markdown(text: string): string {
  return oneLine(text)
    .replace(/[\\`*_[\]|~$]/gu, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/^(?:[-+#=:]|\d+(?=[.)]))/u, leadingMark)
    .replace(/@(?=\S)/gu, `@${BREAK}`)
    .replace(/#(?=\d)/gu, `#${BREAK}`)
    .replace(/\b(GH)-(?=\d)/giu, `$1-${BREAK}`)
    .replaceAll("://", `:${BREAK}//`)
    .replace(/\bwww\./giu, `$&${BREAK}`);
}

/** At the start of a line these would open a list, a heading or a rule. */
function leadingMark(mark: string): string {
  return /\d/u.test(mark) ? `${mark}${BREAK}` : `\\${mark}`;
}

/** An inline code span, fit for a table cell too. An empty text gives an empty string, as Markdown has no empty span. */
export function codeSpan(text: string): string {
  const line = oneLine(text);
  if (line === "") return "";
  const fence = "`".repeat(longestRun(line) + 1);
  const pad = line.startsWith("`") || line.endsWith("`") ? " " : "";
  // A backslash is literal inside a code span, but table cells take `\|` as a bar before spans are read.
  return `${fence}${pad}${line.replaceAll("|", "\\|")}${pad}${fence}`;
}

/** A fenced block that nothing inside can end. */
export function codeBlock(text: string, language = "text"): string {
  const body = clean(text).trimEnd();
  const fence = "`".repeat(Math.max(3, longestRun(body) + 1));
  return `${fence}${language}\n${body}\n${fence}`;
}

function longestRun(text: string): number {
  let longest = 0;
  for (const run of text.matchAll(/`+/gu)) longest = Math.max(longest, run[0].length);
  return longest;
}

/**
 * A label in a Mermaid gantt chart. Its grammar knows no quoting: what could be syntax (`:` `;` `#` `%` and others)
 * becomes `_`. Put something before it that is no keyword: a label "section x" would open a section.
 */
export function mermaidLabel(text: string): string {
  const label = oneLine(text).replace(/[^\p{L}\p{N} ._/@()+-]/gu, "_");
  return clip(label === "" ? "_" : label, 60);
}

/** The message of a workflow command. */
export function commandData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** A property of a workflow command. */
export function commandProperty(text: string): string {
  return commandData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** `::name key=value,key=value::message`, one line without its newline. `name` and the keys are ours, the rest is not. */
export function workflowCommand(
  name: string,
  properties: Readonly<Record<string, string | number | null>>,
  message: string,
): string {
  const pairs = Object.entries(properties)
    .filter((pair): pair is [string, string | number] => pair[1] !== null && pair[1] !== "")
    .map(([key, value]) => `${key}=${commandProperty(String(value))}`);
  return `::${name}${pairs.length > 0 ? ` ${pairs.join(",")}` : ""}::${commandData(message)}`;
}

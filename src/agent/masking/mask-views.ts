/**
 * The ways in which a text can show a value without spelling it: each view is the text read in one of them, with the
 * place where each of its characters stands in the text itself. A value is looked for in all of them, so there is no
 * list of spellings that could lack one (`%2f` and `%2F`, `\u003c` and `<`, three alignments of base64).
 */

export interface View {
  readonly text: string;
  /** Where the character stands in the text that is looked at. */
  start(index: number): number;
  /** Where it ends there. */
  end(index: number): number;
}

/** Nothing but these can be skipped or joined: without any of them a text is its own plain view. */
const SKIPPED = /[^\P{Cc}\t]|[\u00ad\u200b-\u200f\u2028\u2029\u2060-\u2064\ufeff]/u;
/**
 * Colours and other terminal sequences, invisible characters, and line ends with the blanks beside them. Blanks are
 * taken from the break on: before it they are looked at once for each break.
 */
const SKIP =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about.
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\p{Cc}\u2028\u2029]*(?:\x07|\x1b\\|\x9c)|[\n\r\v\f\x85\u2028\u2029][ \t]*|[^\P{Cc}\t]|[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]/gu;
const BREAKS = /^[\n\r\v\f\x85\u2028\u2029]/u;

/** At least so many characters of base64 are read as such. */
const LEAST_BASE64 = 8;
const BASE64 = new RegExp(`[A-Za-z0-9+/_-]{${LEAST_BASE64},}`, "g");
/** Decoded to so many printable characters in a row, it may be text. */
const READABLE = /[\x20-\x7e]{8}/;
const QUOTES = /['"`\\]+/gu;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const ESCAPED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

/** The text as it is. */
export function rawView(text: string): View {
  return { text, start: (index) => index, end: (index) => index + 1 };
}

/** The text without what a reader does not see, its lines joined. */
export function plainView(text: string): View {
  if (!SKIPPED.test(text)) return rawView(text);
  // A line with its end, as logs are written: nothing in it moves.
  let end = text.endsWith("\n") ? text.length - 1 : 0;
  if (end === 0 || SKIPPED.test(text.slice(0, end))) return plain(rawView(text));
  while (isBlank(text.charCodeAt(end - 1))) end -= 1;
  return rawView(text.slice(0, end));
}

/** A plain view of a line, joined to what came before it, which stands before the line's beginning. */
export function continued(before: string, view: View): View {
  const rest = view.text.trimStart();
  const blanks = view.text.length - rest.length;
  const at = (index: number): number => index - before.length + blanks;
  return {
    text: before + rest.trimEnd(),
    start: (index) => (index < before.length ? index - before.length : view.start(at(index))),
    end: (index) => (index < before.length ? index - before.length + 1 : view.end(at(index))),
  };
}

/** A plain view without any blanks: a line may have been broken at one of a value's own. Null: there are none. */
export function compactView(view: View): View | null {
  return rewritten(view, /[ \t]+/gu, () => "");
}

/**
 * A plain view without quotes and what escapes them, for values that hold quotes themselves: a shell writes `'\''` for
 * one (and shows it so by `set -x`), YAML, SQL and CSV write it twice. Null: there are none.
 */
export function bareView(view: View): View | null {
  return rewritten(view, QUOTES, () => "");
}

/** A value as it stands in a bare view. */
export function withoutQuotes(value: string): string {
  return value.replaceAll(QUOTES, "");
}

/**
 * The other views of a plain one, and theirs: JSON within JSON, base64 of JSON. Only those that differ. `shortest`: of
 * the values that are looked for; base64 that cannot hold that many bytes is not read, unless it may go on in the next
 * line.
 */
export function* decodedViews(view: View, shortest: number): Generator<View> {
  for (const decoded of decodings(view, shortest)) {
    yield decoded;
    // What no text was encoded to is not text in turn.
    if (READABLE.test(decoded.text)) yield* decodings(decoded, shortest);
  }
}

function* decodings(view: View, shortest: number): Generator<View> {
  const { text } = view;
  // A plus is itself in a path, and a space in a form.
  if (text.includes("%")) yield* changed(view, /(?:%[0-9A-Fa-f]{2})+/gu, percentDecoded);
  if (text.includes("+")) yield* changed(view, /(?:%[0-9A-Fa-f]{2})+|\+/gu, percentDecoded);
  if (text.includes("\\"))
    yield* changed(view, /(?:\\x[0-9A-Fa-f]{2})+|(?:\\[0-3][0-7]{2})+|\\(?:u[0-9A-Fa-f]{4}|.)/gsu, unescaped);
  if (text.includes("&")) yield* changed(view, /&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[a-z]{2,4});/gu, entity);
  for (const { 0: run, index } of text.matchAll(BASE64)) {
    if (Math.ceil((run.length * 3) / 4) < shortest && index + run.length < text.length) continue;
    // A run can begin before the base64 does: a path, a name, what stands before an equals sign.
    for (let phase = 0; phase < 4; phase += 1) yield base64View(view, run, index + phase, phase);
  }
}

function base64View(view: View, run: string, from: number, phase: number): View {
  return {
    text: Buffer.from(run.slice(phase), "base64").toString("latin1"),
    start: (index) => view.start(from + Math.floor((index * 4) / 3)),
    end: (index) => view.end(Math.min(from + Math.ceil(((index + 1) * 4) / 3), from + run.length - phase) - 1),
  };
}

/** Pieces of a text that stand for other characters, one view with all of them read; none where there is no piece. */
function* changed(view: View, pattern: RegExp, read: (found: string) => string): Generator<View> {
  const result = rewritten(view, pattern, read);
  if (result !== null) yield SKIPPED.test(result.text) ? plain(result) : result;
}

function plain(view: View): View {
  return rewritten(view, SKIP, () => "", true) ?? view;
}

/** Null: nothing was found. With `joins`, blanks before a line end go as well. */
function rewritten(view: View, pattern: RegExp, read: (found: string) => string, joins = false): View | null {
  const { text } = view;
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  let length = 0;
  let result = "";
  let from = 0;
  let found = false;
  const copy = (until: number): void => {
    for (let at = from; at < until; at += 1) {
      starts[length] = view.start(at);
      ends[length] = view.end(at);
      length += 1;
    }
    result += text.slice(from, until);
  };
  for (const match of text.matchAll(pattern)) {
    found = true;
    let until = match.index;
    if (joins && BREAKS.test(match[0])) while (until > from && isBlank(text.charCodeAt(until - 1))) until -= 1;
    copy(until);
    const { length: width } = match[0];
    // Never longer than what it stands for.
    const replacement = read(match[0]).slice(0, width);
    for (let at = 0; at < replacement.length; at += 1) {
      starts[length] = view.start(match.index);
      ends[length] = view.end(match.index + width - 1);
      length += 1;
    }
    result += replacement;
    from = match.index + width;
  }
  if (!found) return null;
  copy(text.length);
  return { text: result, start: (index) => starts[index] ?? 0, end: (index) => ends[index] ?? 0 };
}

function isBlank(character: number): boolean {
  return character === 32 || character === 9;
}

function percentDecoded(found: string): string {
  return found === "+" ? " " : textOf(Buffer.from(found.replaceAll("%", ""), "hex"));
}

/** What is no UTF-8 is read byte by byte. */
function textOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return text.includes("\ufffd") ? bytes.toString("latin1") : text;
}

/** As JSON and most languages write it, bytes too; any other character stands for itself, as a shell writes it. */
function unescaped(found: string): string {
  const character = found.slice(1);
  if (/^x./u.test(character)) return textOf(Buffer.from(found.replaceAll("\\x", ""), "hex"));
  if (/^u./u.test(character)) return String.fromCharCode(Number.parseInt(character.slice(1), 16));
  if (character.length > 2)
    return textOf(
      Buffer.from(
        found
          .slice(1)
          .split("\\")
          .map((octal) => Number.parseInt(octal, 8)),
      ),
    );
  return ESCAPED[character] ?? character;
}

function entity(found: string): string {
  const name = found.slice(1, -1);
  if (!name.startsWith("#")) return ENTITIES[name] ?? found;
  const code = /^#x/iu.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code <= 0x10ffff ? String.fromCodePoint(code) : found;
}

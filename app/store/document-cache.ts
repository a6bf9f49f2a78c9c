/**
 * Documents of pull requests that were read or written a moment ago: an event reads and writes the same row several
 * times, and a talkative one's facts are long. What is known is compared by its text, so it is never out of date. What
 * an event leaves as it was stays the same object, which whoever looks at it again can know it by.
 */
import { LRUCache } from "lru-cache";
import { read, written } from "./documents.ts";
import type { Pull } from "./model.ts";
import type { PullDocument } from "./schema.ts";

type Document<K extends PullDocument> = NonNullable<Pull[K]>;

/** Characters of all that is kept; what they were read into takes a few times as much. */
const MOST_TEXT = 4_000_000;

const recent = new LRUCache<string, { readonly text: string; readonly document: object }>({
  maxSize: MOST_TEXT,
  sizeCalculation: ({ text }) => text.length + 1,
});
const texts = new WeakMap<object, string>();

/** `of`: whose it is. */
export function readDocument<K extends PullDocument>(kind: K, of: string, text: string): Document<K>;
export function readDocument(kind: PullDocument, of: string, text: string): object {
  const known = recent.get(`${kind} ${of}`);
  if (known?.text === text) {
    return known.document;
  }
  const document = read(kind, text);
  texts.set(document, text);
  recent.set(`${kind} ${of}`, { text, document });
  return document;
}

/** As it stands in the row, or is to. `of`: whose it is. What was written is known when it is read again. */
export function documentText<K extends PullDocument>(kind: K, of: string, document: Document<K>): string {
  const known = texts.get(document);
  if (known !== undefined) {
    return known;
  }
  const text = written<PullDocument>(kind, document);
  const before = recent.get(`${kind} ${of}`)?.document ?? {};
  const again = asRead(document, new Set(Object.values(before).flat())) as Document<K>;
  texts.set(document, text);
  texts.set(again, text);
  recent.set(`${kind} ${of}`, { text, document: again });
  return text;
}

/**
 * What comes of a value when it is written as JSON and read; what stays as it is is shared. `read`: what was read, or is
 * as if it had been.
 */
export function asRead(value: unknown, read: ReadonlySet<unknown>): unknown {
  if (typeof value === "number") {
    return Number.isFinite(value) ? value + 0 : null;
  }
  if (typeof value !== "object" || value === null || read.has(value)) {
    return value;
  }
  return Array.isArray(value)
    ? value.map((item) => asRead(item, read) ?? null)
    : Object.fromEntries(
        Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[key, asRead(member, read)]])),
      );
}

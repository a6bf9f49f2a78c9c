/**
 * Documents of pull requests that were read or written a moment ago: an event reads and writes the same row several
 * times, and a talkative one's facts are long. What is known is compared by its text, so it is never out of date.
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

/** As it stands in the row, or is to. What was not read yet is not kept: reading makes of it what JSON has. */
export function textOf<K extends PullDocument>(kind: K, document: Document<K>): string {
  const known = texts.get(document);
  if (known !== undefined) {
    return known;
  }
  const text = written<PullDocument>(kind, document);
  texts.set(document, text);
  return text;
}

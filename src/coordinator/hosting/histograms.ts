/** Whether histograms can be read, told without loading the library that reads them (and that trusts what it reads). */
import { inflateSync } from "node:zlib";
import type { Sample } from "../../report/histograms.ts";

/**
 * Bytes of one, inflated: agents encode three significant digits of numbers below 2^53, which are 46,000 counts of at
 * most nine bytes each.
 */
const LARGEST = 512 * 1024;
/** The first bytes of the two layers; the word's size is in the bits that are left out. */
const COMPRESSED = 0x1c849304;
const PLAIN = 0x1c849303;
const WORD_SIZE = 0xf0;
const COMPRESSED_HEAD = 8;
const PLAIN_HEAD = 40;
/** More would take more memory to read than agents ever need. */
const MOST_DIGITS = 3;

/**
 * Whether a text is an HdrHistogram (V2 compressed, base64) as agents encode them: layers, lengths, precision, range
 * and counts fit. Takes a hundred microseconds or less for a usual one.
 */
export function isHistogram(text: string): boolean {
  return inflated(text) !== null;
}

/** What it counted: each value with how often it was told, rising. Null when it is no histogram. */
export function readHistogram(text: string): readonly Sample[] | null {
  const inner = inflated(text);
  if (inner === null) return null;
  const subBuckets = subBucketsOf(inner.readInt32BE(12));
  const unit = 2 ** Math.floor(Math.log2(Number(inner.readBigInt64BE(16))));
  const samples: Sample[] = [];
  let index = 0;
  for (const count of countsIn(inner.subarray(PLAIN_HEAD))) {
    if (count > 0) samples.push({ ...valueAt(index, subBuckets, unit), count });
    index += count < 0 ? -count : 1;
  }
  return samples;
}

/** What a count stands for, by the definition of the format: the upper half of each bucket after the first, halved in precision. */
function valueAt(index: number, subBuckets: number, unit: number): Pick<Sample, "least" | "most"> {
  const half = subBuckets / 2;
  const bucket = Math.max(0, Math.floor(index / half) - 1);
  const size = unit * 2 ** bucket;
  const least = (index - bucket * half) * size;
  return { least, most: least + size - 1 };
}

/** One that could be read, uncompressed: its head, and its counts. */
function inflated(text: string): Buffer | null {
  const outer = Buffer.from(text, "base64");
  if (outer.length < COMPRESSED_HEAD || (outer.readInt32BE(0) & ~WORD_SIZE) !== COMPRESSED) return null;
  const length = outer.readInt32BE(4);
  if (length < 0 || length > outer.length - COMPRESSED_HEAD) return null;
  let inner: Buffer;
  try {
    inner = inflateSync(outer.subarray(COMPRESSED_HEAD, COMPRESSED_HEAD + length), { maxOutputLength: LARGEST });
  } catch {
    // Not deflated, cut off, or larger than any: none of ours.
    return null;
  }
  if (inner.length < PLAIN_HEAD || (inner.readInt32BE(0) & ~WORD_SIZE) !== PLAIN) return null;
  const digits = inner.readInt32BE(12);
  const least = inner.readBigInt64BE(16);
  const most = inner.readBigInt64BE(24);
  const isInRange = least >= 1n && most >= 2n * least && most <= BigInt(Number.MAX_SAFE_INTEGER);
  if (!isInRange || digits < 1 || digits > MOST_DIGITS) return null;
  if (inner.readInt32BE(4) !== inner.length - PLAIN_HEAD) return null;
  return areCounts(inner.subarray(PLAIN_HEAD), countsOf(digits, Number(least), Number(most))) ? inner : null;
}

/** How many counts a histogram has, by the definition of the format. */
function countsOf(digits: number, least: number, most: number): number {
  const subBuckets = subBucketsOf(digits);
  let buckets = 1;
  for (let beyond = subBuckets * 2 ** Math.floor(Math.log2(least)); beyond <= most; beyond *= 2) buckets += 1;
  return ((buckets + 1) * subBuckets) / 2;
}

function subBucketsOf(digits: number): number {
  return 2 ** Math.ceil(Math.log2(2 * 10 ** digits));
}

/** Whether these are at most `room` counts whose sum is exact. */
function areCounts(bytes: Buffer, room: number): boolean {
  let counts = 0;
  let total = 0;
  for (const count of countsIn(bytes)) {
    if (Number.isNaN(count)) return false;
    counts += count < 0 ? -count : 1;
    total += Math.max(0, count);
    if (counts > room || total > Number.MAX_SAFE_INTEGER) return false;
  }
  return true;
}

/**
 * Counts, or how many zeros follow, as a negative number. Each is a number of one to nine bytes, seven bits a byte (the
 * ninth has eight), the lowest first; the lowest bit is its sign. NaN, and nothing more: it is none.
 */
function* countsIn(bytes: Buffer): Generator<number> {
  for (let at = 0; at < bytes.length; ) {
    let value = 0;
    // Seven bytes hold 49 bits: more samples in one count, or more zeros, than there can be.
    for (let shift = 0, more = true; more; shift += 7, at += 1) {
      const byte = bytes[at];
      if (byte === undefined || shift > 42) {
        yield Number.NaN;
        return;
      }
      value += (byte & 0x7f) * 2 ** shift;
      more = byte > 0x7f;
    }
    yield value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }
}

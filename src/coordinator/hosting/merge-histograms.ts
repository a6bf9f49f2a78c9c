/**
 * Histograms of several agents as one, exactly: their counts are added up bucket by bucket. The library takes its time
 * to load, so it is loaded when there is something to merge.
 */
import type { MergedHistograms, MergeHistograms } from "../../run/result/summary.ts";

/** Characters that are said about one that cannot be read. */
const LONGEST_REASON = 200;

/** Counts of 32 bits, the default, begin again at 0 when a group tells more than 4 billion of one value. */
const COUNT_BITS = 64;

/** @returns what `summary` needs to merge. What cannot be read is named in what it returns. */
export async function histogramMerger(): Promise<MergeHistograms> {
  const hdr = await import("hdr-histogram-js");
  return (parts) => {
    const whole = hdr.build({
      bitBucketSize: COUNT_BITS,
      lowestDiscernibleValue: 1,
      highestTrackableValue: 2,
      numberOfSignificantValueDigits: 3,
    });
    whole.autoResize = true;
    const unreadable: MergedHistograms["unreadable"][number][] = [];
    for (const [part, encoded] of parts.entries()) {
      try {
        whole.add(hdr.decodeFromCompressedBase64(encoded, COUNT_BITS));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        unreadable.push({ part, why: why.slice(0, LONGEST_REASON) });
      }
    }
    const isNone = unreadable.length === parts.length;
    return { encoded: isNone ? null : hdr.encodeIntoCompressedBase64(whole), unreadable };
  };
}

/**
 * Histograms of several agents as one, exactly: their counts are added up bucket by bucket. The library takes its time
 * to load, so it is loaded when there is something to merge.
 */
import type { MergeHistograms } from "./result.ts";

/** @returns what `summary` needs to merge. A part that cannot be read is left out and told to `onUnreadable`. */
export async function histogramMerger(onUnreadable: (message: string) => void = () => {}): Promise<MergeHistograms> {
  const hdr = await import("hdr-histogram-js");
  return (parts) => {
    const whole = hdr.build({ lowestDiscernibleValue: 1, highestTrackableValue: 2, numberOfSignificantValueDigits: 3 });
    whole.autoResize = true;
    for (const part of parts) {
      try {
        whole.add(hdr.decodeFromCompressedBase64(part));
      } catch (error) {
        onUnreadable(`a histogram could not be read: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return hdr.encodeIntoCompressedBase64(whole);
  };
}

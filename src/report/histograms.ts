/** What a histogram says in a few numbers. */

/** Values from `least` to `most`, which the histogram does not tell apart, and how often they were told. */
export interface Sample {
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** Reads an encoded histogram; null when it is none. See `readHistogram` in `src/coordinator/hosting/histograms.ts`. */
export type ReadHistogram = (encoded: string) => readonly Sample[] | null;

export const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p99_9: 0.999 } as const;

export interface HistogramFigures extends Readonly<Record<keyof typeof PERCENTILES, number>> {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** `samples` rise. Null when nothing was told. */
export function histogramFigures(samples: readonly Sample[]): HistogramFigures | null {
  const count = samples.reduce((sum, sample) => sum + sample.count, 0);
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || count === 0) return null;
  const mean = samples.reduce((sum, { least, most, count: each }) => sum + middle(least, most) * (each / count), 0);
  const at = (share: number): number => {
    const rank = Math.max(1, Math.ceil(share * count - 1e-9 * count));
    let seen = 0;
    for (const sample of samples) {
      seen += sample.count;
      if (seen >= rank) return sample.most;
    }
    return last.most;
  };
  const { p50, p90, p95, p99, p99_9 } = PERCENTILES;
  const percentiles = { p50: at(p50), p90: at(p90), p95: at(p95), p99: at(p99), p99_9: at(p99_9) };
  return { count, min: first.least, max: last.most, mean, ...percentiles };
}

function middle(least: number, most: number): number {
  return least + Math.floor((most - least + 1) / 2);
}

/** In `bins` bins of equal width on a logarithmic scale, over a range in which all of them lie. */
export function binned(
  samples: readonly Sample[],
  bins: number,
  range: { readonly least: number; readonly most: number },
): readonly Sample[] {
  const log = (value: number): number => Math.log(Math.max(0, value) + 1);
  const low = log(range.least);
  const width = Math.max(1e-9, (log(range.most) - low) / bins);
  const counts = new Array<number>(bins).fill(0);
  for (const { least, most, count } of samples) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((log(middle(least, most)) - low) / width)));
    counts[bin] = (counts[bin] ?? 0) + count;
  }
  const edge = (bin: number): number => Math.exp(low + bin * width) - 1;
  return counts.map((count, bin) => ({ least: edge(bin), most: edge(bin + 1), count }));
}

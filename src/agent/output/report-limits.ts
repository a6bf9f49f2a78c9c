/**
 * What an attempt told, cut to what a report may carry: here, where it can be said, and not where it would be refused.
 * What is left out is counted.
 */
import { isHistogram } from "../../coordinator/hosting/histograms.ts";
import { jsonBytes, PLAN_BOUNDS, TOLD_BOUNDS } from "../../plan/bounds.ts";
import { withoutUnprintable } from "../../plan/parsing/names.ts";
import type { Json } from "../../plan/plan.ts";
import type { Annotation, AttemptEnd, AttemptReport, Metric, Progress } from "../../run/types.ts";
import { shortened } from "./lines.ts";

const KIB = 1024;
/** Parts of a report that many small values may fill; what is left goes to the annotations. */
const MOST_METRIC_BYTES = 256 * KIB;
const MOST_HISTOGRAM_BYTES = 384 * KIB;

export interface Fitted {
  readonly report: AttemptReport;
  /** In words, each with its number: "3 annotations". */
  readonly leftOut: readonly string[];
}

/** @param given masked already: what is left of a secret would not be recognized */
export function fitted(given: AttemptReport): Fitted {
  const end = shortEnd(given.end);
  const progress = given.progress === null ? null : countable(given.progress);
  const tail = given.tail.slice(-TOLD_BOUNDS.tail);
  const room = new Room(TOLD_BOUNDS.reportBytes - jsonBytes({ ...given, ...EMPTY, end, progress, tail }));
  const metrics = room.take(given.metrics.slice(0, TOLD_BOUNDS.metrics).map(shortMetric), MOST_METRIC_BYTES);
  const outputs = room.take(Object.entries(given.outputs), TOLD_BOUNDS.outputBytes - 2);
  const readable = Object.entries(given.histograms)
    .slice(0, TOLD_BOUNDS.histograms)
    .filter(([, encoded]) => encoded.length <= TOLD_BOUNDS.histogramBytes && isHistogram(encoded))
    .map(([name, encoded]): [string, string] => [shortName(name), encoded]);
  const histograms = room.take(readable, MOST_HISTOGRAM_BYTES);
  const annotations = room.take(
    given.annotations.slice(0, TOLD_BOUNDS.annotations).map(shortAnnotation),
    TOLD_BOUNDS.annotationBytes,
  );
  const leftOut = [
    counted(given.metrics.length - metrics.length, "metric"),
    counted(Object.keys(given.outputs).length - outputs.length, "output"),
    counted(Object.keys(given.histograms).length - histograms.length, "histogram"),
    counted(given.annotations.length - annotations.length, "annotation"),
  ].flat();
  const report = {
    ...given,
    end,
    progress,
    tail,
    metrics,
    annotations,
    outputs: Object.fromEntries(outputs),
    histograms: Object.fromEntries(histograms),
  };
  return { report, leftOut };
}

/** Outputs that are told while their attempt still runs. */
export function fittedOutputs(given: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
  return Object.fromEntries(new Room(TOLD_BOUNDS.outputBytes - 2).take(Object.entries(given), TOLD_BOUNDS.outputBytes));
}

/** As many as can be counted exactly: of several tasks' numbers the sum may be more. */
export function countable({ done, total, errors }: Progress): Progress {
  const most = (value: number): number => Math.min(value, Number.MAX_SAFE_INTEGER);
  return { done: most(done), total: total === null ? null : most(total), errors: most(errors) };
}

/** The first of them that one message has room for, but always one. */
export function within<T>(items: readonly T[], most: number, mostBytes: number): readonly T[] {
  let bytes = 0;
  const end = items.findIndex((item, index) => {
    bytes += jsonBytes(item) + 1;
    return index > 0 && (index >= most || bytes > mostBytes);
  });
  // A copy in any case: what is repeated must stay what it was.
  return items.slice(0, end === -1 ? items.length : end);
}

const EMPTY = { metrics: [], outputs: {}, histograms: {}, annotations: [] } as const;

class Room {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Those that there is room for, in their order; one that is too large does not keep the next ones out. */
  take<T>(items: readonly T[], mostBytes: number): T[] {
    let left = Math.min(this.#left, mostBytes);
    const before = left;
    const taken = items.filter((item) => {
      const bytes = jsonBytes(item) + 1;
      if (bytes > left) return false;
      left -= bytes;
      return true;
    });
    this.#left -= before - left;
    return taken;
  }
}

function counted(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}${count === 1 ? "" : "s"}`];
}

function shortName(name: string): string {
  // Cutting may leave half a character.
  return withoutUnprintable(name.slice(0, PLAN_BOUNDS.longName));
}

function shortMetric(metric: Metric): Metric {
  return { ...metric, name: shortName(metric.name), unit: metric.unit.slice(0, TOLD_BOUNDS.unit) };
}

function shortAnnotation({ path, line, level, title, message }: Annotation): Annotation {
  return {
    path: path.slice(0, PLAN_BOUNDS.path),
    line,
    level,
    title: title === null ? null : title.slice(0, TOLD_BOUNDS.annotationTitle),
    message: shortened(message, TOLD_BOUNDS.annotationMessage),
  };
}

function shortEnd(end: AttemptEnd): AttemptEnd {
  if ("message" in end) return { ...end, message: end.message.slice(0, TOLD_BOUNDS.reason) };
  return "why" in end ? { ...end, why: end.why.slice(0, TOLD_BOUNDS.reason) } : end;
}

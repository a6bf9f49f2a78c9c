/** What one attempt has told so far, bounded, masked when it is handed on. */
import type { Histogram } from "hdr-histogram-js";
import { jsonBytes, TOLD_BOUNDS } from "../../plan/bounds.ts";
import type { Json, Thresholds } from "../../plan/plan.ts";
import { combined, isTellable, LARGEST_METRIC } from "../../run/measurement/metrics.ts";
import { overMaxErrors } from "../../run/measurement/thresholds.ts";
import type { Annotation, AttemptEnd, AttemptReport, Metric, Progress } from "../../run/types.ts";
import type { Masks } from "../masking/masks.ts";
import type { CommandEvent } from "./event-schema.ts";
import { Tail } from "./lines.ts";
import { fitted, fittedOutputs } from "./report-limits.ts";
import type { OutputCommand } from "./workflow-commands.ts";

const MOST = TOLD_BOUNDS;

/** Errors since the last success. */
export interface ErrorSeries {
  inARow: number;
}

export interface RecordOptions {
  readonly masks: Masks;
  /** False: the last lines of the output are told to nobody. */
  readonly tellsOutput: boolean;
  /** Where an annotation without a place of its own points: the stage in its plan file. */
  readonly place: { readonly path: string; readonly line: number };
  readonly thresholds: Thresholds | null;
  /** Of all attempts that this agent makes at the stage's tasks; or of its one attempt at the stage itself. */
  readonly series: ErrorSeries;
  /** Whether what is measured now counts. */
  readonly isMeasured: () => boolean;
  readonly warn: (message: string) => void;
  readonly onProgress: (progress: Progress) => void;
  readonly onTasks: (values: readonly Json[]) => void;
  readonly onThreshold: (end: Extract<AttemptEnd, { kind: "threshold" }>) => void;
}

export class AttemptRecord {
  readonly tail = new Tail();
  progress: Progress | null = null;
  readonly #options: RecordOptions;
  readonly #metrics = new Map<string, Metric>();
  /** Names of metrics that are not told any more. */
  readonly #outOfRange = new Set<string>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #outputs = new Map<string, Json>();
  readonly #annotations: Annotation[] = [];
  readonly #full = new Set<string>();
  #outputBytes = 0;
  /** Lines with measurements outside of the time in which they count. */
  #unmeasured = 0;
  #over = false;

  constructor(options: RecordOptions) {
    this.#options = options;
  }

  async take(event: CommandEvent): Promise<void> {
    if (event.progress !== undefined) {
      const { done, total, errors } = event.progress;
      this.#onProgress({ done, total: total ?? null, errors: errors ?? 0 });
    }
    const measures = event.metric !== undefined || event.histogram !== undefined;
    if (measures && !this.#options.isMeasured()) this.#unmeasured++;
    else await this.#measure(event);
    if (event.annotation !== undefined) {
      const { path, line, level, title, message } = event.annotation;
      this.annotate({
        path: path ?? null,
        line: line ?? null,
        level: level === "error" ? "failure" : (level ?? "notice"),
        title: title ?? null,
        message,
      });
    }
    if (event.output !== undefined) for (const [key, value] of Object.entries(event.output)) this.#onOutput(key, value);
    if (event.tasks !== undefined) this.#options.onTasks(event.tasks);
  }

  async #measure(event: CommandEvent): Promise<void> {
    if (event.metric !== undefined) {
      const { name, value, unit, agg, count } = event.metric;
      this.#onMetric({ name, value, unit: unit ?? "", agg: agg ?? "mean", count: count ?? 1 });
    }
    if (event.histogram !== undefined) await this.#onHistogram(event.histogram);
  }

  annotate(given: Omit<Extract<OutputCommand, { kind: "annotation" }>, "kind">): void {
    if (this.#annotations.length >= MOST.annotations) {
      this.#warnOnce("annotations");
      return;
    }
    const { place } = this.#options;
    this.#annotations.push({
      path: given.path ?? place.path,
      line: given.line ?? (given.path === null ? place.line : 1),
      level: given.level,
      title: given.title,
      message: given.message,
    });
  }

  /** Outputs known so far, masked. */
  outputs(): Readonly<Record<string, Json>> {
    return fittedOutputs(this.#maskedOutputs());
  }

  #maskedOutputs(): Readonly<Record<string, Json>> {
    return Object.fromEntries([...this.#outputs].map(([key, value]) => [key, this.#options.masks.json(value)]));
  }

  /** The whole record as the coordinator gets it: masked, then cut to what a report may carry. */
  async report(
    about: Pick<
      AttemptReport,
      "stage" | "attempt" | "task" | "startedAt" | "endedAt" | "end" | "ballot" | "laterTasks"
    >,
  ): Promise<AttemptReport> {
    const { masks, tellsOutput, warn } = this.#options;
    if (this.#unmeasured > 0) warn(`${this.#unmeasured} measurements of warmup and cooldown do not count`);
    const histograms: Record<string, string> = {};
    if (this.#histograms.size > 0) {
      const hdr = await import("hdr-histogram-js");
      for (const [name, histogram] of this.#histograms)
        histograms[masks.text(name)] = hdr.encodeIntoCompressedBase64(histogram);
    }
    const { report, leftOut } = fitted({
      ...about,
      end: maskedEnd(about.end, masks),
      progress: this.progress,
      metrics: [...this.#metrics.values()].map((metric) => ({
        ...metric,
        name: masks.text(metric.name),
        unit: masks.text(metric.unit),
      })),
      histograms,
      outputs: this.#maskedOutputs(),
      // Masked only now: a value may have been masked after it was told.
      annotations: this.#annotations.map(({ path, title, message, ...rest }) => ({
        ...rest,
        path: masks.text(path),
        title: title === null ? null : masks.text(title),
        message: masks.text(message),
      })),
      tail: tellsOutput ? masks.text(this.tail.toString()) : "",
    });
    if (leftOut.length > 0) {
      this.#options.warn(`${leftOut.join(", ")} left out: more than one attempt may report, or no histogram`);
    }
    return report;
  }

  #onProgress(progress: Progress): void {
    const before = this.progress ?? { done: 0, total: null, errors: 0 };
    this.progress = progress;
    this.#options.onProgress(progress);
    // What lies between two reports is not known in its order: any success among them breaks the series.
    const { series } = this.#options;
    if (progress.done > before.done) series.inARow = 0;
    else series.inARow += Math.max(0, progress.errors - before.errors);
    const over = this.#overThreshold(progress);
    if (over !== null && !this.#over) {
      this.#over = true;
      this.#options.onThreshold(over);
    }
  }

  #overThreshold(progress: Progress): Extract<AttemptEnd, { kind: "threshold" }> | null {
    const limits = this.#options.thresholds;
    if (limits === null) return null;
    // More than the stage as a whole may have. What the others add, and every rate, is the group's to judge.
    const tooMany = overMaxErrors(limits, progress.errors);
    if (tooMany !== null) return threshold("max_errors", tooMany);
    const { inARow } = this.#options.series;
    if (limits.maxConsecutiveErrors !== null && inARow > limits.maxConsecutiveErrors) {
      const message = `${inARow} errors in a row, at most ${limits.maxConsecutiveErrors} are allowed`;
      return threshold("max_consecutive_errors", message);
    }
    return null;
  }

  #onMetric(metric: Metric): void {
    if (this.#outOfRange.has(metric.name)) return;
    const before = this.#metrics.get(metric.name);
    if (before === undefined) {
      if (this.#metrics.size + this.#outOfRange.size < MOST.metrics) this.#metrics.set(metric.name, metric);
      else this.#warnOnce("metrics");
      return;
    }
    if (before.agg !== metric.agg) {
      this.#options.warn(
        `metric ${metric.name} was ${before.agg} before and is now said to be ${metric.agg}; ${before.agg} stays`,
      );
    }
    const both = combined(before, metric);
    if (isTellable(both)) {
      this.#metrics.set(metric.name, both);
      return;
    }
    // A total that lacks something is no total: what is expected of it must not be met by chance.
    this.#metrics.delete(metric.name);
    this.#outOfRange.add(metric.name);
    this.#options.warn(
      `metric ${metric.name} was left out: its ${both.agg} is beyond ${LARGEST_METRIC}, or it has more samples than can be counted`,
    );
  }

  async #onHistogram(given: NonNullable<CommandEvent["histogram"]>): Promise<void> {
    const hdr = await import("hdr-histogram-js");
    let histogram = this.#histograms.get(given.name);
    if (histogram === undefined) {
      if (this.#histograms.size >= MOST.histograms) {
        this.#warnOnce("histograms");
        return;
      }
      histogram = hdr.build({ lowestDiscernibleValue: 1, highestTrackableValue: 2, numberOfSignificantValueDigits: 3 });
      histogram.autoResize = true;
      this.#histograms.set(given.name, histogram);
    }
    try {
      if ("encoded" in given) histogram.add(hdr.decodeFromCompressedBase64(given.encoded));
      else for (const value of "values" in given ? given.values : [given.value]) histogram.recordValue(value);
    } catch (error) {
      this.#options.warn(
        `histogram ${given.name} could not be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  #onOutput(key: string, value: Json): void {
    const bytes = jsonBytes([key, value]) + 1;
    const before = this.#outputs.get(key);
    const freed = before === undefined ? 0 : jsonBytes([key, before]) + 1;
    if (this.#outputBytes - freed + bytes > MOST.outputBytes) {
      this.#options.warn(`output ${key} was left out: one attempt's outputs may have ${MOST.outputBytes / 1024} KiB`);
      return;
    }
    this.#outputBytes += bytes - freed;
    this.#outputs.set(key, value);
  }

  #warnOnce(what: "metrics" | "histograms" | "annotations"): void {
    if (this.#full.has(what)) return;
    this.#full.add(what);
    this.#options.warn(`more than ${MOST[what]} ${what} in one attempt: the rest is left out`);
  }
}

function threshold(
  name: Extract<AttemptEnd, { kind: "threshold" }>["threshold"],
  message: string,
): Extract<AttemptEnd, { kind: "threshold" }> {
  return { kind: "threshold", threshold: name, message };
}

function maskedEnd(end: AttemptEnd, masks: Masks): AttemptEnd {
  if ("message" in end) return { ...end, message: masks.text(end.message) };
  return end.kind === "stopped" ? { ...end, why: masks.text(end.why) } : end;
}

/** `stagewright report RESULT…`: results that were written down, for people to read and for other programs. */
import { readHistogram } from "../coordinator/hosting/histograms.ts";
import { formatProblem } from "../plan/read.ts";
import { htmlReport } from "../report/html/page.ts";
import {
  bencherMetrics,
  comparisonJson,
  DIRECTIONS,
  type Direction,
  githubActionBenchmark,
} from "../report/record/exports.ts";
import { reportOfResult } from "../report/record/from-result.ts";
import { LARGEST_RESULT_BYTES, readResult } from "../report/record/read-result.ts";
import type { Result } from "../report/record/result-schema.ts";
import { summaryOf } from "../report/summary.ts";
import { EXIT, type ExitCode, UsageError } from "./exit.ts";
import { readBounded } from "./files.ts";
import { print } from "./print.ts";
import { writeWhole } from "./write-whole.ts";

export const REPORT_FORMATS = ["summary", "html", "json", "bencher", "github-action-benchmark"] as const;
type Format = (typeof REPORT_FORMATS)[number];

/** All of them together are held in memory. */
const MOST_RESULTS = 20;

export interface ReportOptions {
  readonly format?: string;
  readonly better?: string;
  readonly outputFile?: string;
}

interface Named {
  readonly file: string;
  readonly result: Result;
}

/** @throws UsageError with everything that is wrong with the files */
export function report(files: readonly string[], options: ReportOptions): ExitCode {
  const format = oneOf(options.format ?? "summary", REPORT_FORMATS, "--format");
  const better = options.better === undefined ? null : oneOf(options.better, DIRECTIONS, "--better");
  if ((format === "github-action-benchmark") !== (better !== null)) {
    throw new UsageError("--better bigger|smaller belongs to --format github-action-benchmark, which needs it");
  }
  if (files.length > MOST_RESULTS)
    throw new UsageError(`expected at most ${MOST_RESULTS} results, got ${files.length}`);
  const results = readAll(files);
  const text = textOf(results, format, better);
  const { outputFile } = options;
  if (outputFile === undefined) {
    print(text);
    return EXIT.success;
  }
  const problem = writeWhole(outputFile, text);
  if (problem !== null) throw new UsageError(`--output-file ${outputFile}: could not be written: ${problem}`);
  return EXIT.success;
}

function readAll(files: readonly string[]): readonly Named[] {
  const problems: string[] = [];
  const results = files.flatMap((file) => {
    const read = readResult(readBounded(file, LARGEST_RESULT_BYTES), file);
    problems.push(...read.problems.map(formatProblem));
    return read.result === null ? [] : [{ file, result: read.result }];
  });
  if (problems.length > 0) throw new UsageError(...problems);
  return results;
}

function textOf(results: readonly Named[], format: Format, better: Direction | null): string {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  switch (format) {
    case "summary":
      return results.map(({ result }) => summaryOf(reportOfResult(result))).join("\n");
    case "html":
      return htmlReport(results, { readHistogram });
    case "json":
      return json(comparisonJson(results));
    case "bencher":
      return json(bencherMetrics(single(results, format)));
    case "github-action-benchmark":
      return json(githubActionBenchmark(single(results, format), better ?? "bigger"));
  }
}

function single(results: readonly Named[], format: Format): Result {
  const [first] = results;
  if (first === undefined || results.length > 1) throw new UsageError(`--format ${format}: expected one result`);
  return first.result;
}

function oneOf<T extends string>(said: string, words: readonly T[], option: string): T {
  const known = words.find((word) => word === said);
  if (known === undefined) throw new UsageError(`${option} ${said}: expected ${words.join(" | ")}`);
  return known;
}

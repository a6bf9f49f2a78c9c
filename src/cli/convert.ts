/** `stagewright convert FILE`: a sai3-bench configuration becomes a plan on stdout; what became of each key, on stderr. */
import { convertBench } from "../plan/conversion/convert.ts";
import { formatNote } from "../plan/conversion/notes.ts";
import { LARGEST_FILE_BYTES } from "../plan/parsing/source.ts";
import { formatProblem } from "../plan/read.ts";
import { EXIT, type ExitCode, UsageError } from "./exit.ts";
import { readBounded } from "./files.ts";
import { print } from "./print.ts";
import { writeWhole } from "./write-whole.ts";

export interface ConvertOptions {
  readonly outputFile?: string;
}

/** @throws UsageError when the file cannot be read, or no plan comes of it */
export function convert(file: string, { outputFile }: ConvertOptions): ExitCode {
  const { plan, notes, problems } = convertBench(readBounded(file, LARGEST_FILE_BYTES), file);
  for (const note of notes) process.stderr.write(`${formatNote(file, note)}\n`);
  if (plan === null) throw new UsageError(...problems.map(formatProblem));
  if (outputFile === undefined) {
    print(plan);
    return EXIT.success;
  }
  const problem = writeWhole(outputFile, plan);
  if (problem !== null) throw new UsageError(`--output-file ${outputFile}: could not be written: ${problem}`);
  return EXIT.success;
}

/** `stagewright validate FILE…`: everything that is wrong with all files. */
import { formatProblem } from "../plan/read.ts";
import { EXIT, type ExitCode, UsageError } from "./exit.ts";
import { readPlanFile } from "./files.ts";

/** @returns 2 when at least one file has an error. */
export function validate(files: readonly string[], params: Readonly<Record<string, string>>): ExitCode {
  let code: ExitCode = EXIT.success;
  for (const file of files) {
    try {
      const { plan, problems } = readPlanFile(file, params);
      for (const problem of problems) process.stdout.write(`${formatProblem(problem)}\n`);
      if (plan === null) code = EXIT.usage;
      else process.stdout.write(`${file}: ok, ${plan.stages.length} stage${plan.stages.length === 1 ? "" : "s"}\n`);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      for (const line of error.lines) process.stdout.write(`${line}\n`);
      code = EXIT.usage;
    }
  }
  return code;
}

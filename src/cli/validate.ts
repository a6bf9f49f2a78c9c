/** `stagewright validate FILE…`: everything that is wrong with all files, plans and policies. */
import { basename, dirname, resolve } from "node:path";
import { readPolicy } from "../lifecycle/policy/read-policy.ts";
import { fileKindOf } from "../plan/parsing/file-kind.ts";
import { Problems } from "../plan/parsing/problems.ts";
import { LARGEST_FILE_BYTES, readSource } from "../plan/parsing/source.ts";
import { formatProblem, readPlan } from "../plan/read.ts";
import { EXIT, type ExitCode, UsageError } from "./exit.ts";
import { readBounded } from "./files.ts";

/** `asPolicy`: whatever the files look like. @returns 2 when at least one file has an error. */
export function validate(
  files: readonly string[],
  params: Readonly<Record<string, string>>,
  asPolicy = false,
): ExitCode {
  let code: ExitCode = EXIT.success;
  for (const file of files) {
    try {
      const content = readBounded(file, LARGEST_FILE_BYTES);
      const right =
        asPolicy || isPolicy(file, content) ? validatePolicy(file, content) : validatePlan(file, content, params);
      if (!right) code = EXIT.usage;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      for (const line of error.lines) process.stdout.write(`${line}\n`);
      code = EXIT.usage;
    }
  }
  return code;
}

function validatePlan(file: string, content: Buffer, params: Readonly<Record<string, string>>): boolean {
  const { plan, problems } = readPlan(content, file, { params });
  for (const problem of problems) process.stdout.write(`${formatProblem(problem)}\n`);
  if (plan !== null) process.stdout.write(`${file}: ok, ${stages(plan.stages.length)}\n`);
  return plan !== null;
}

function validatePolicy(file: string, content: Buffer): boolean {
  const { policy, parts, extends: other, problems } = readPolicy(content, file);
  for (const problem of problems) process.stdout.write(`${formatProblem(problem)}\n`);
  if (parts === null) return false;
  const said =
    policy === null
      ? `a policy that extends ${other ?? "another"} (not read here)`
      : `a policy with ${stages(policy.stages.length)}`;
  process.stdout.write(`${file}: ok, ${said}\n`);
  return true;
}

/** By its place (`.github/stagewright.yml`), else by what only policies say. */
function isPolicy(file: string, content: Buffer): boolean {
  const path = resolve(file);
  if (/^stagewright\.ya?ml$/.test(basename(path)) && basename(dirname(path)) === ".github") return true;
  return fileKindOf(readSource(content, new Problems(file))?.value) === "policy";
}

function stages(count: number): string {
  return `${count} stage${count === 1 ? "" : "s"}`;
}

/** Bad inputs and plans that are not valid: everything wrong at once, at its place, and exit code 2. */
import type { Problem } from "../../plan/plan.ts";
import { COMMANDS_PER_LEVEL, commandLine, hiddenLine, limited, problemAnnotations } from "../../report/annotations.ts";
import { clip, codeSpan, markdown, oneLine } from "../../report/escape.ts";
import { count } from "../../report/format.ts";
import type { RunnerConsole, RunnerFiles } from "../runner.ts";

export const BAD_INPUT = 2;

/** A run cannot go on from the state that it was given: its lines are for whoever asked for that. */
export class UnusableState extends Error {
  override readonly name = "UnusableState";
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join("; "));
    this.lines = lines;
  }
}

interface Places {
  readonly console: RunnerConsole;
  readonly files: RunnerFiles;
}

/** Inputs that make no sense. Each names its input. */
export function refuseInputs(problems: readonly string[], places: Places): number {
  const shown = problems.slice(0, COMMANDS_PER_LEVEL);
  for (const problem of shown) places.console.error(`input ${problem}`);
  for (const problem of problems.slice(shown.length)) places.console.text(`input ${problem}`);
  const lines = problems.map((problem) => `- ${markdown(problem)}`);
  return refused(`${count(problems.length, "input")} cannot be used: ${problems[0] ?? ""}`, lines, places);
}

/** A plan that is not valid, or that cannot be carried out here. */
export function refusePlan(file: string, problems: readonly Problem[], places: Places): number {
  annotateProblems(problems, places);
  const errors = problems.filter(({ severity }) => severity === "error");
  const lines = errors.map(
    ({ line, column, message }) => `- ${codeSpan(`${file}:${line}:${column}`)} ${markdown(message)}`,
  );
  const first = errors[0];
  const message = `${file} cannot be run: ${first === undefined ? "" : `line ${first.line}: ${first.message}`}`;
  return refused(errors.length > 1 ? `${message} (and ${errors.length - 1} more)` : message, lines, places);
}

/** What keeps this agent from its group, said where people look. */
export function failStep(message: string, { console, files }: Places): number {
  console.error(message);
  files.output("result", "failure");
  files.output("message", clip(oneLine(message), 4000));
  files.summary(`## ❌ ${markdown(message)}\n`);
  return 1;
}

/** As annotations up to GitHub's limit for a step; all of them in the log. */
export function annotateProblems(problems: readonly Problem[], { console }: Places): void {
  const { shown, hidden } = limited(problemAnnotations(problems), { perLevel: COMMANDS_PER_LEVEL });
  for (const annotation of shown) console.command(commandLine(annotation));
  const note = hiddenLine(hidden);
  if (note === null) return;
  console.text(`${note}; all of them:`);
  for (const { file, line, column, message } of problems) console.text(`${file}:${line}:${column}: ${message}`);
}

function refused(message: string, lines: readonly string[], { console, files }: Places): number {
  files.output("result", "failure");
  files.output("message", message);
  files.summary(`## ❌ ${markdown(message)}\n\n${lines.slice(0, 200).join("\n")}\n`);
  console.text(message);
  return BAD_INPUT;
}

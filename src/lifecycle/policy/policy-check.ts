/** What the check run about the policy itself says: which policy is in force, what is wrong with it, what it lacks. */
import type { Problem } from "../../plan/plan.ts";
import { clip, codeSpan, markdown, oneLine } from "../../report/escape.ts";
import { CHECK_NAME_PREFIX, POLICY_STAGE_NAME, type Policy } from "./policy.ts";
import type { MissingRequirement } from "./requirements.ts";

export const POLICY_CHECK_NAME = `${CHECK_NAME_PREFIX}${POLICY_STAGE_NAME}`;

/** Of our check runs those that show stages: others (the policy's, started runs', plans') belong to somebody else. */
export function isStageCheck(name: string): boolean {
  return name.startsWith(CHECK_NAME_PREFIX) && name !== POLICY_CHECK_NAME;
}

export interface PolicyCheckInput {
  /** The file's path. */
  readonly file: string;
  /** Whether there is such a file. */
  readonly found: boolean;
  /** Of the file, errors and warnings. */
  readonly problems: readonly Problem[];
  readonly missing: readonly MissingRequirement[];
  /** Null: none can be. */
  readonly inForce: Policy | null;
  /** It is only proposed (by a pull request): nothing of it is in force. */
  readonly proposed: boolean;
}

export interface PolicyCheckOutput {
  readonly conclusion: "success" | "failure" | "neutral" | "action_required";
  readonly title: string;
  /** Markdown, escaped and bounded. */
  readonly summary: string;
}

const MOST_LISTED = 20;
const LONGEST_LINE = 500;
const LONGEST_TITLE = 200;

export function policyCheckOutput(input: PolicyCheckInput): PolicyCheckOutput {
  const { file, found, problems, missing } = input;
  const errors = problems.filter((problem) => problem.severity === "error");
  const warnings = problems.filter((problem) => problem.severity === "warning");
  const name = codeSpan(file);
  if (errors.length > 0) {
    const first = errors[0];
    const title = `${count(errors.length, "error")}: ${first === undefined ? "" : `line ${first.line}: ${first.message}`}`;
    return verdict("failure", title, [
      `${name} cannot be used. ${stillInForce(input)}`,
      "",
      ...listed(problems.map(sayProblem)),
    ]);
  }
  if (!found && input.proposed) {
    return verdict("success", "The file is removed; the three default stages are then in force", [
      `This pull request removes ${name}: the three default stages are in force once that is on the default branch.`,
    ]);
  }
  if (!found) {
    return verdict("success", "There is no policy file: the three default stages are in force", [
      `There is no ${name}: the three default stages are in force.`,
    ]);
  }
  const findings = [...missing.map((each) => markdown(clip(each.text, LONGEST_LINE))), ...warnings.map(sayProblem)];
  const stages = (input.inForce?.stages ?? []).map((stage) => stage.name);
  const says = input.proposed
    ? `${name} of this pull request is valid. It has no force before it is on the default branch.`
    : `${name} is in force.`;
  const body = [says, "", `Stages: ${stages.map((stage) => codeSpan(stage)).join(" → ")}`];
  if (findings.length === 0) {
    const title = input.proposed
      ? `Valid; in force once it is on the default branch: ${count(stages.length, "stage")}`
      : `In force: ${stages.join(" → ")}`;
    return verdict("success", title, body);
  }
  const [first] = [...missing.map((each) => each.text), ...warnings.map((warning) => warning.message)];
  const hard = missing.some((each) => each.kind !== "reviews" && each.kind !== "names") && !input.proposed;
  const title = `${input.proposed ? "Valid" : "In force"}, but: ${first}${findings.length > 1 ? ` (and ${findings.length - 1} more)` : ""}`;
  return verdict(hard ? "action_required" : "neutral", title, [...body, "", ...listed(findings)]);
}

function stillInForce({ inForce, proposed }: PolicyCheckInput): string {
  if (proposed) {
    return "It has no force here in any case: only the default branch's counts.";
  }
  return inForce === null
    ? "No policy without errors is known, so no pull request is moved until there is one."
    : `The policy from before stays in force: ${inForce.stages.map((stage) => codeSpan(stage.name)).join(" → ")}.`;
}

function sayProblem({ line, column, severity, message }: Problem): string {
  return `${line}:${column}: ${severity}: ${markdown(clip(message, LONGEST_LINE))}`;
}

function listed(lines: readonly string[]): string[] {
  const rest = lines.length - MOST_LISTED;
  return [...lines.slice(0, MOST_LISTED).map((line) => `- ${line}`), ...(rest > 0 ? [`- …and ${rest} more`] : [])];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function verdict(
  conclusion: PolicyCheckOutput["conclusion"],
  title: string,
  summary: readonly string[],
): PolicyCheckOutput {
  return { conclusion, title: clip(oneLine(title), LONGEST_TITLE), summary: summary.join("\n") };
}

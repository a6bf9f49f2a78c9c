/** What people and branch protection see of an evaluation: one label, and check runs on the head commit. */
import { clip, codeSpan, markdown, oneLine } from "../../report/escape.ts";
import type { Evaluation, ResultNode } from "../evaluation/evaluation.ts";
import type { Act, Facts, Reset } from "../facts/facts.ts";
import { isAtOrBefore, isPlaced } from "../facts/order-in-second.ts";
import { sayTicket } from "../facts/ticket.ts";
import { CHECK_NAME_PREFIX, type Policy, policyStage, STAGE_LABEL_PREFIX } from "../policy/policy.ts";
import { closedBy, type DesiredCheck, skippedGate } from "./gate-checks.ts";
import { sayDate, sayHold, unholdOf } from "./hold.ts";
import { sayInactive } from "./inactive.ts";

/** GitHub takes 65,535 characters of text and of summary; of titles it shows about this many. */
const LONGEST_TEXT = 65_535;
const LONGEST_TITLE = 200;
const LONGEST_REASON = 500;

export interface DesiredDisplay {
  /** `stage/<name>`; null: no stage label at all. */
  readonly label: string | null;
  /** Labels on it now that must go: other stages' labels, and trigger labels that a reset has made void. */
  readonly removeLabels: readonly string[];
  readonly checks: readonly DesiredCheck[];
}

export interface DisplayInput {
  readonly evaluation: Evaluation;
  readonly policy: Policy;
  readonly facts: Facts;
}

/**
 * The outward state that this evaluation asks for; null: what is shown is to be left as it is (closed, or nothing is
 * known yet). Opting out takes the label away and ends the checks without success, so that it opens no gate.
 */
export function desiredDisplay({ evaluation, policy, facts }: DisplayInput): DesiredDisplay | null {
  if (evaluation.inactive === "closed" || evaluation.inactive === "unknown") {
    return null;
  }
  const label = evaluation.stage === null ? null : stageLabel(evaluation.stage);
  return {
    label,
    removeLabels: removals(label, { evaluation, policy, facts }),
    checks: checksOf({ evaluation, policy, facts }),
  };
}

export function stageLabel(stage: string): string {
  return `${STAGE_LABEL_PREFIX}${stage}`;
}

/** The stage that a label stands for; null: it is no stage label. */
export function stageOfLabel(label: string): string | null {
  return label.toLowerCase().startsWith(STAGE_LABEL_PREFIX) ? label.slice(STAGE_LABEL_PREFIX.length) : null;
}

function removals(label: string | null, { evaluation, policy, facts }: DisplayInput): string[] {
  const others = facts.labels.filter((name) => stageOfLabel(name) !== null && name.toLowerCase() !== label);
  if (evaluation.inactive === "opted_out") {
    return others;
  }
  const reached = evaluation.stages.filter((stage) => stage.reached).map((stage) => stage.name);
  const needed = labelsInForce(evaluation, facts);
  const spent = new Set<string>();
  for (const [index, stage] of policy.stages.entries()) {
    if (reached.includes(stage.name)) {
      continue;
    }
    const counted = evaluation.usedLabels.flatMap((each) =>
      each.stage === stage.name ? [each.label.toLowerCase()] : [],
    );
    for (const reset of evaluation.resets) {
      const earlier = policy.stages.findIndex((each) => each.name === reset.stage) < index;
      for (const name of earlier ? counted : []) {
        if (isOlder(facts, name, reset) && !isAskedFor(evaluation, facts, name)) {
          spent.add(name);
        }
      }
    }
  }
  for (const { label: unclear } of evaluation.unclear) {
    spent.add(unclear.toLowerCase());
  }
  const on = (name: string): boolean => spent.has(name.toLowerCase()) && !needed.has(name.toLowerCase());
  return [...others, ...facts.labels.filter((name) => stageOfLabel(name) === null && on(name))];
}

/** In lower case: those that are evidence, now, of a stage that is reached. */
function labelsInForce({ stages }: Evaluation, facts: Facts): Set<string> {
  const evidence = new Set<string>();
  const add = (node: ResultNode): void => {
    node.evidence.forEach((id) => {
      evidence.add(id);
    });
    node.children.forEach(add);
  };
  stages
    .filter((stage) => stage.reached)
    .forEach(({ result }) => {
      add(result);
    });
  return new Set(
    facts.acts.flatMap((act) => (act.kind === "labeled" && evidence.has(act.id) ? [act.label.toLowerCase()] : [])),
  );
}

/** Whether the label was last given before this reset, or nobody can say. A label whose giving is not known stays. */
function isOlder(facts: Facts, label: string, { at, place = Number.POSITIVE_INFINITY, id }: Reset): boolean {
  const given = lastGiving(facts, label);
  if (given === undefined || given.at !== at) {
    return given !== undefined && given.at < at;
  }
  const seenGone = (facts.absences ?? []).some(
    (each) => each.label === label && each.at === at && each.after.includes(id),
  );
  return isAtOrBefore(given, place, facts.orders ?? []) && !(seenGone && !isPlaced(given, facts.orders ?? []));
}

/** Whether GitHub is still to be asked when in its second the label was given. */
function isAskedFor({ lookups }: Evaluation, facts: Facts, label: string): boolean {
  const at = lastGiving(facts, label)?.at;
  return lookups.some((lookup) => lookup.kind === "timeline" && lookup.at === at);
}

function lastGiving(facts: Facts, label: string): Act | undefined {
  return facts.acts.findLast((act) => act.kind === "labeled" && act.label.toLowerCase() === label);
}

function checksOf(input: DisplayInput): DesiredCheck[] {
  const { evaluation, policy } = input;
  const next = evaluation.stages.findIndex((stage) => !stage.reached);
  const checks = evaluation.stages.flatMap((stage, index) => {
    const shown = stage.gate || (policy.checks === "all" && (stage.reached || index === next));
    return shown ? [checkOf(input, index, next)] : [];
  });
  return [...checks, ...gatesThatDoNotApply(input)];
}

/** Branch protection that requires them would wait for ever. */
function gatesThatDoNotApply({ evaluation, policy }: DisplayInput): DesiredCheck[] {
  return evaluation.notApplying
    .filter((each) => each.gate)
    .map(({ name, reason }) => {
      const base = { name: `${CHECK_NAME_PREFIX}${name}`, stage: name, text: "" };
      const check: DesiredCheck =
        evaluation.inactive === "opted_out"
          ? { ...base, ...optedOut(policy), summary: "" }
          : { ...base, ...skippedGate(reason) };
      return evaluation.held === null ? check : closedBy(check, evaluation.held);
    });
}

function optedOut({ optOutLabel }: Policy): Pick<DesiredCheck, "status" | "conclusion" | "title"> {
  const title = clip(`Opted out by the label ${optOutLabel}`, LONGEST_TITLE);
  return { status: "completed", conclusion: "cancelled", title };
}

function checkOf(input: DisplayInput, index: number, next: number): DesiredCheck {
  const { evaluation, policy } = input;
  const stage = evaluation.stages[index];
  const name = stage?.name ?? "";
  const closed = stage?.gate === true && stage.reached ? evaluation.held : null;
  const base = {
    name: `${CHECK_NAME_PREFIX}${name}`,
    stage: name,
    // A closed gate says in its own words who holds it.
    summary: tellsOfAll(input, index, next) ? summaryOf(input, name, closed === null) : ownSummary(input, name),
    text: stage === undefined ? "" : treeText(stage.result),
  };
  if (evaluation.inactive === "opted_out") {
    return { ...base, ...optedOut(policy) };
  }
  if (stage?.reached === true) {
    const title = titleText(`Reached: ${stage.result.reason}`);
    const reached: DesiredCheck = { ...base, status: "completed", conclusion: "success", title };
    return closed === null ? reached : closedBy(reached, closed);
  }
  if (index === next) {
    const held = evaluation.held === null ? "" : `${sayHold(evaluation.held)}. `;
    return {
      ...base,
      status: "in_progress",
      conclusion: null,
      title: titleText(`${held}${titleText(stage?.result.reason ?? "")}`),
    };
  }
  const before = evaluation.stages[policy.checks === "all" ? index - 1 : next]?.name ?? "";
  return { ...base, status: "queued", conclusion: null, title: titleText(`Waits for ${before}`) };
}

/**
 * Whether a check run tells of all stages. It does where people look for what is next, and is written at each move
 * anyway: on the next stage's, and on the last one's in the end. The others tell of their own stage alone, which stays
 * true while the pull request goes on, so that a move does not have to write them again.
 */
function tellsOfAll({ evaluation, policy }: DisplayInput, index: number, next: number): boolean {
  if (index === next || evaluation.inactive === "opted_out") {
    return true;
  }
  if (next < 0) {
    return index === evaluation.stages.length - 1;
  }
  // Where only gates are shown, the next stage may have no check run of its own.
  return policy.checks === "gates" && evaluation.stages[index]?.reached === false;
}

function titleText(text: string): string {
  const line = clip(oneLine(text), LONGEST_TITLE);
  return line.charAt(0).toUpperCase() + line.slice(1);
}

function summaryOf(input: DisplayInput, name: string, tellsOfHold = true): string {
  const hold = input.evaluation.held;
  const held =
    hold === null || !tellsOfHold
      ? []
      : [`${markdown(clip(sayHold(hold), LONGEST_REASON))}. It goes no further until ${codeSpan(unholdOf(hold))}.`, ""];
  return boundedLines([...held, ...stageTable(input, name, input.evaluation.stages), ...ticketLines(input)]);
}

/** One stage's line, and nothing that a move of the pull request would make wrong. */
function ownSummary(input: DisplayInput, name: string): string {
  const own = input.evaluation.stages.filter((stage) => stage.name === name);
  return boundedLines([...stageTable(input, name, own), ...ticketLines(input)]);
}

function stageTable({ evaluation, policy }: DisplayInput, name: string, stages: Evaluation["stages"]): string[] {
  const lines = stages.map((stage) => {
    const mark = stage.reached ? "✓" : stage.name === evaluation.missing?.stage ? "→" : "·";
    const owner = policyStage(policy, stage.name)?.owner ?? "";
    const reason = markdown(clip(stage.result.reason, LONGEST_REASON));
    const title = stage.name === name ? `**${markdown(stage.name)}**` : markdown(stage.name);
    return `| ${mark} | ${title} | ${codeSpan(owner)} | ${reason} |`;
  });
  return ["| | Stage | Owner | |", "|---|---|---|---|", ...lines];
}

function ticketLines({ facts, policy }: DisplayInput): string[] {
  const ticket = sayTicket(facts, policy.taskId);
  return ticket === null ? [] : ["", ticket];
}

/** Where it is, since when, and what is missing for the next stage: the answer to `/stage status`, in Markdown. */
export function statusText(input: DisplayInput): string {
  const { evaluation } = input;
  const { stage, since, missing } = evaluation;
  const here =
    stage === null
      ? `It is in no stage: ${markdown(sayInactive(evaluation))}.`
      : `It is in **${markdown(stage)}**${since === null ? "" : ` since ${sayDate(since)}`}.`;
  const next = evaluation.stages.find((each) => each.name === missing?.stage);
  const lacks =
    missing === null || next === undefined
      ? []
      : ["", `Missing for **${markdown(missing.stage)}**: ${markdown(missing.summary)}`, "", treeText(next.result)];
  const away = evaluation.notApplying.map(
    ({ name, reason }) => `- **${markdown(name)}** does not apply: ${markdown(clip(reason, LONGEST_REASON))}`,
  );
  const others = away.length === 0 ? [] : ["", ...away];
  return boundedLines([here, "", summaryOf(input, stage ?? ""), ...others, ...lacks]);
}

/** The conditions of one stage, as a nested list. */
export function treeText(result: ResultNode): string {
  const lines: string[] = [];
  const add = (node: ResultNode, depth: number): void => {
    const reason = node.children.length > 0 ? "" : `: ${markdown(clip(node.reason, LONGEST_REASON))}`;
    lines.push(`${"  ".repeat(depth)}- ${node.holds ? "✓" : "✗"} ${markdown(sayCondition(node))}${reason}`);
    for (const child of node.children) {
      add(child, depth + 1);
    }
  };
  add(result, 0);
  return boundedLines(lines);
}

function sayCondition(node: ResultNode): string {
  switch (node.condition) {
    case "all":
      return "all of";
    case "any":
      return "any of";
    case "not":
      return "not";
    case "override":
      return node.reason;
    default:
      return node.condition;
  }
}

/** Whole lines as far as GitHub's limit allows, with a word on what did not fit. */
function boundedLines(parts: readonly string[]): string {
  const lines = parts.flatMap((part) => part.split("\n"));
  let text = "";
  for (const [index, line] of lines.entries()) {
    const more = `\n\n…and ${lines.length - index} more lines`;
    if (text.length + line.length + 1 + more.length > LONGEST_TEXT) {
      return `${text}${more}`;
    }
    text += index === 0 ? line : `\n${line}`;
  }
  return text;
}

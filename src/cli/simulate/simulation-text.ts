/** What `stagewright simulate` prints for people. */
import type { PlannedEffect } from "../../lifecycle/actions/action.ts";
import type { Evaluation, ResultNode } from "../../lifecycle/evaluation/evaluation.ts";
import type { Simulation } from "../../lifecycle/evaluation/simulate.ts";
import type { Facts } from "../../lifecycle/facts/facts.ts";
import type { Policy } from "../../lifecycle/policy/policy.ts";
import { clip, oneLine } from "../../report/escape.ts";
import { date, sayLookup } from "./simulation-json.ts";

/** Of one reason or text on the screen. */
const LONGEST_LINE = 300;

export function simulationText(facts: Facts, simulation: Simulation, policy: Policy): string {
  const { evaluation, from } = simulation;
  const moved = from === null || from === evaluation.stage ? "" : `${from} → `;
  const lines = [
    line(`#${facts.number} ${facts.title}`.trim(), `by ${facts.author.login}, head ${facts.head.sha.slice(0, 12)}`),
    evaluation.stage === null
      ? field("stage", `${moved}none (${sayInactive(evaluation)})`)
      : field("stage", `${moved}${evaluation.stage}, since ${date(evaluation.since) ?? "unknown"}`),
  ];
  if (evaluation.missing !== null) {
    lines.push(field("missing", `${evaluation.missing.stage}: ${evaluation.missing.summary}`));
  }
  if (evaluation.dueAt !== null) lines.push(field("overdue", `at ${date(evaluation.dueAt)}`));
  if (evaluation.rounds > 0) lines.push(field("rounds", `${evaluation.rounds}${limit(policy)}`));
  if (evaluation.held !== null) {
    lines.push(field("on hold", `by ${evaluation.held.by?.login ?? "the policy"}: ${evaluation.held.reason}`));
  }
  lines.push("", "why");
  for (const stage of evaluation.stages) {
    const entry = evaluation.entries.find((each) => each.stage === stage.name);
    const entered =
      entry === undefined ? "" : `, entered ${date(entry.at)}${entry.by === null ? "" : ` by ${entry.by.login}`}`;
    lines.push(line(`  ${stage.reached ? "✓" : "✗"} ${stage.name}${stage.gate ? " (gate)" : ""}${entered}`));
    lines.push(...treeLines(stage.result, 2));
  }
  for (const { name, gate, reason } of evaluation.notApplying) {
    lines.push(line(`  – ${name}${gate ? " (gate)" : ""} does not apply`, reason));
  }
  for (const reset of evaluation.resets) {
    lines.push(
      line(
        `  ↩ back to ${reset.stage ?? "the start"} at ${date(reset.at)} by ${reset.by.login} (${reset.why})`,
        reset.note,
      ),
    );
  }
  const would = wouldDo(simulation);
  lines.push("", "would", ...(would.length === 0 ? ["  change nothing"] : would.map((each) => line(`  ${each}`))));
  if (simulation.unknown.length > 0) {
    lines.push("", "not known, so it grants nothing");
    for (const lookup of simulation.unknown) lines.push(line(`  ${sayLookup(lookup)}`));
  }
  return lines.join("\n");
}

function wouldDo(simulation: Simulation): string[] {
  return [
    ...simulation.addLabels.map((label) => `add the label ${label}`),
    ...simulation.removeLabels.map((label) => `take off the label ${label}`),
    ...simulation.checks.map(
      ({ name, status, conclusion, title }) =>
        `show the check "${name}": ${conclusion ?? status.replace("_", " ")}, ${title}`,
    ),
    ...(simulation.cancelsRuns ? ["cancel the runs that were started for the commit before"] : []),
    ...simulation.actions.flatMap(({ stage, passed, effects }) =>
      effects.map((effect) => `${sayEffect(effect)} (${stage}${passed ? ", passed on the way" : ""})`),
    ),
  ];
}

function sayEffect(effect: PlannedEffect): string {
  switch (effect.kind) {
    case "comment":
      return `comment: ${effect.body}`;
    case "start": {
      const inputs = Object.entries(effect.inputs).map(([name, value]) => `${name}=${value}`);
      const most = effect.limit === null ? "" : `, at most ${effect.limit} at once`;
      return `start ${effect.workflow} for ${effect.sha.slice(0, 12)}${inputs.length === 0 ? "" : ` with ${inputs.join(", ")}`}${most}`;
    }
    case "repository_dispatch":
      return `send repository_dispatch ${effect.eventType}`;
    case "release":
      return `open the gate of the environment ${effect.environment} for ${effect.sha.slice(0, 12)}`;
    case "request_review":
      return `request reviews from ${[...effect.users, ...effect.teams.map((team) => `@${team.replace(/^@/, "")}`)].join(", ") || "nobody"}`;
    case "assign":
      return `assign ${effect.users.join(", ")}`;
    case "label":
      return [...effect.add.map((name) => `label +${name}`), ...effect.remove.map((name) => `label -${name}`)].join(
        ", ",
      );
    case "auto_merge":
      return effect.method === "queue"
        ? `put ${effect.sha.slice(0, 12)} into the merge queue`
        : `merge ${effect.sha.slice(0, 12)} (${effect.method}) as soon as GitHub's rules allow`;
    case "disable_auto_merge":
      return "turn auto-merge off, if Stagewright turned it on";
    case "note":
      return `note in the history: ${effect.text}`;
    case "refused":
      return `refuse ${effect.action}: ${effect.reason}`;
  }
}

function treeLines(result: ResultNode, depth: number): string[] {
  const mark = result.holds ? "✓" : "✗";
  const reason = result.children.length > 0 ? "" : `: ${result.reason}`;
  const own = line(`${"  ".repeat(depth)}${mark} ${result.condition}${reason}`);
  return [own, ...result.children.flatMap((child) => treeLines(child, depth + 1))];
}

function sayInactive(evaluation: Evaluation): string {
  switch (evaluation.inactive) {
    case "draft":
      return "it is a draft";
    case "closed":
      return "it is closed";
    case "opted_out":
      return "it is opted out by a label";
    case "unknown":
      return "nothing is known of it";
    case "conditions":
    case null:
      return "the first stage's conditions do not hold";
  }
}

function limit(policy: Policy): string {
  return policy.maxRounds === null ? "" : ` of ${policy.maxRounds}`;
}

function field(name: string, value: string): string {
  return `${name.padEnd(9)}${line(value)}`;
}

/** One line: its indentation kept, what comes from the file made harmless and short. */
function line(text: string, more = ""): string {
  const indent = /^ */.exec(text)?.[0] ?? "";
  return `${indent}${clip(oneLine(text), LONGEST_LINE)}${more === "" ? "" : `, ${clip(oneLine(more), LONGEST_LINE)}`}`;
}

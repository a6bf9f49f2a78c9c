/** What `stagewright simulate --json` prints. */
import type { ResultNode } from "../../lifecycle/evaluation/evaluation.ts";
import type { Simulation } from "../../lifecycle/evaluation/simulate.ts";
import type { Facts, Lookup } from "../../lifecycle/facts/facts.ts";

/** The contract of `--json`. Dates are ISO 8601 in UTC. */
export function simulationJson(facts: Facts, simulation: Simulation) {
  const { evaluation } = simulation;
  return {
    number: facts.number,
    head: facts.head.sha,
    from: simulation.from,
    stage: evaluation.stage,
    inactive: evaluation.inactive,
    since: date(evaluation.since),
    due_at: date(evaluation.dueAt),
    rounds: evaluation.rounds,
    held:
      evaluation.held === null
        ? null
        : {
            why: evaluation.held.why,
            by: evaluation.held.by?.login ?? null,
            at: date(evaluation.held.at),
            reason: evaluation.held.reason,
          },
    entries: evaluation.entries.map((entry) => ({
      stage: entry.stage,
      at: date(entry.at),
      by: entry.by?.login ?? null,
      reason: entry.reason,
      evidence: entry.evidence,
    })),
    missing: evaluation.missing,
    stages: evaluation.stages.map(({ name, gate, reached, result }) => ({ name, gate, reached, result: node(result) })),
    resets: evaluation.resets.map((reset) => ({
      stage: reset.stage,
      at: date(reset.at),
      by: reset.by.login,
      why: reset.why,
      note: reset.note,
    })),
    label: simulation.label,
    add_labels: simulation.addLabels,
    remove_labels: simulation.removeLabels,
    checks: simulation.checks.map(({ name, status, conclusion, title }) => ({ name, status, conclusion, title })),
    actions: simulation.actions.map(({ stage, occasion, passed, effects }) => ({ stage, occasion, passed, effects })),
    cancels_runs: simulation.cancelsRuns,
    unknown: simulation.unknown.map(sayLookup),
  };
}

interface JsonNode {
  readonly condition: string;
  readonly holds: boolean;
  readonly reason: string;
  readonly at: string | null;
  readonly by: string | null;
  readonly evidence: readonly string[];
  readonly children: readonly JsonNode[];
}

function node(result: ResultNode): JsonNode {
  const { condition, holds, reason, evidence } = result;
  const by = result.by?.login ?? null;
  return { condition, holds, reason, at: date(result.at), by, evidence, children: result.children.map(node) };
}

export function sayLookup(lookup: Lookup): string {
  switch (lookup.kind) {
    case "permission":
      return `the permission of ${lookup.actor.login}`;
    case "team":
      return `whether ${lookup.actor.login} is in @${lookup.team}`;
    case "identity":
      return `who ${lookup.login} is`;
    case "files":
      return "which files are changed";
    case "suites":
      return "which check suites there are";
    case "run":
      return `who wrote what run ${lookup.runId} of ${lookup.workflow} executed`;
    case "timeline":
      return `in which order things were done at ${date(lookup.at)}`;
  }
}

export function date(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

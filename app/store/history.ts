/** What the history says of a confirmed move: each stage passed, who brought it there, why, and the evidence. */
import type { Evaluation, StageEntry } from "../../src/lifecycle/evaluation/evaluation.ts";
import type { Act, Actor, Facts, Reset } from "../../src/lifecycle/facts/facts.ts";
import type { HistoryKind, NewHistory, PullId } from "./model.ts";

export interface Move {
  readonly id: PullId;
  readonly from: string | null;
  readonly to: string | null;
  readonly evaluation: Evaluation;
  readonly facts: Facts;
  readonly now: number;
}

/** Empty when nothing moved. */
export function movedLines({ id, from, to, evaluation, facts, now }: Move): NewHistory[] {
  if (from === to) {
    return [];
  }
  const order = evaluation.stages.map((stage) => stage.name);
  const line = (entry: Omit<NewHistory, keyof PullId | "at" | "kind">): NewHistory => ({
    repositoryId: id.repositoryId,
    number: id.number,
    at: now,
    kind: "moved",
    ...entry,
  });
  const start = from === null ? -1 : order.indexOf(from);
  const forward = to !== null && order.indexOf(to) > start;
  if (!forward) {
    const cause = causeOfReturn(evaluation, facts);
    return [line({ from, to, ...cause })];
  }
  let before = from;
  return evaluation.entries
    .filter((entry) => order.indexOf(entry.stage) > start)
    .map((entry) => {
      const passed = line({ from: before, to: entry.stage, reason: entry.reason, ...evidenceOf(entry, facts) });
      before = entry.stage;
      return passed;
    });
}

/** Other lines: oddities on the way, blocked and unblocked moves. */
export function noteLine(
  id: PullId,
  kind: HistoryKind,
  reason: string,
  now: number,
  actor: Actor | null = null,
): NewHistory {
  const { repositoryId, number } = id;
  return { repositoryId, number, at: now, kind, from: null, to: null, actor, reason, evidence: [] };
}

/** Where only states speak for an entry: the opening for the first, else the commit whose states they are. */
function evidenceOf(entry: StageEntry, facts: Facts): Pick<Cause, "actor" | "evidence"> {
  if (entry.evidence.length > 0) {
    return { actor: entry.by, evidence: entry.evidence };
  }
  const opened = facts.acts.find((act) => act.kind === "opened" && act.at === entry.at);
  return opened === undefined
    ? { actor: entry.by, evidence: [`head:${facts.head.sha}`] }
    : { actor: opened.by, evidence: [opened.id] };
}

interface Cause {
  readonly actor: Actor | null;
  readonly reason: string;
  readonly evidence: readonly string[];
}

const WITHDRAWALS: ReadonlySet<Act["kind"]> = new Set(["unlabeled", "review_dismissed", "drafted", "closed"]);
const RESET_REASONS = {
  push: "new commits were pushed",
  back: "the policy sent it back",
  draft: "it was made a draft",
  reopened: "it was reopened",
  base_changed: "its base was changed",
  command: "it was sent back by hand",
} as const satisfies Record<Reset["why"], string>;

/** Why it is not as far as it was: the newest reset or withdrawn act, else what is missing now. */
function causeOfReturn(evaluation: Evaluation, facts: Facts): Cause {
  const reset = evaluation.resets.at(-1);
  const withdrawn = facts.acts.findLast((act) => WITHDRAWALS.has(act.kind));
  if (reset !== undefined && (withdrawn === undefined || reset.at >= withdrawn.at)) {
    const note = reset.note === "" ? "" : `: ${reset.note}`;
    return { actor: reset.by, reason: `${RESET_REASONS[reset.why]}${note}`, evidence: [reset.id] };
  }
  const missing = evaluation.missing?.summary ?? inactiveReason(evaluation);
  if (withdrawn !== undefined) {
    return { actor: withdrawn.by, reason: `${sayWithdrawn(withdrawn)}: ${missing}`, evidence: [withdrawn.id] };
  }
  return { actor: null, reason: missing, evidence: [] };
}

function sayWithdrawn(act: Act): string {
  switch (act.kind) {
    case "unlabeled":
      return `the label ${act.label} was removed`;
    case "review_dismissed":
      return "a review was dismissed";
    case "drafted":
      return "it was made a draft";
    default:
      return "it was closed";
  }
}

function inactiveReason(evaluation: Evaluation): string {
  switch (evaluation.inactive) {
    case "draft":
      return "it is a draft";
    case "opted_out":
      return "it has the label that opts it out";
    case "closed":
      return "it is closed";
    case "unknown":
      return "nothing is known of it yet";
    case "conditions":
    case null:
      return "no stage's conditions hold any more";
  }
}

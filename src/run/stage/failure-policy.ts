/** What becomes of an agent that fails, is lost or late: by the policy of the barrier that is in force. */
import type { Barrier } from "../../plan/plan.ts";
import type { Draft } from "../draft.ts";
import { failRun, isFailing } from "../group/abort.ts";
import type { RunState } from "../state.ts";
import { withdrawLeases } from "../tasks/leases.ts";
import { loseBackground } from "./background.ts";
import { consequenceOf } from "./barriers.ts";
import { outcome, recordRemaining } from "./record-result.ts";

/** The stage whose barrier the group stands before, or is going to: null when none is left. */
export function stageInForce(draft: Draft): number | null {
  return stageInForceOf(draft.head);
}

export function stageInForceOf({
  segment,
  position,
  plan,
}: Pick<RunState, "segment" | "position" | "plan">): number | null {
  if (segment !== null) return segment.last;
  return position < plan.stages.length ? position : null;
}

/** `why`: in words that stand after the agent's name. `stage`: where it happened. */
export function applyFailurePolicy(
  draft: Draft,
  slot: number,
  kind: "loss" | "failure" | "late",
  why: string,
  stage: number | null,
): void {
  const agent = draft.agent(slot);
  if (agent.membership === "excluded") return;
  if (isFailing(draft)) {
    if (kind !== "failure") putAway(draft, slot, why);
    return;
  }
  const inForce = stageInForce(draft);
  const barrier = inForce === null ? null : draft.planned(inForce).barrier;
  const consequence = barrier === null ? "away" : consequenceOf(barrier, kind);
  if (kind !== "failure" && loseBackgrounds(draft, slot, why)) return;
  switch (consequence) {
    case "abort":
      if (kind !== "failure") putAway(draft, slot, why);
      failRun(draft, { kind: "failed", stage, reason: `${at(draft, stage)}${agent.name} ${why}` });
      return;
    case "exclude":
      exclude(draft, slot, why, stage);
      return;
    case "away":
      putAway(draft, slot, why);
      draft.notice(`${agent.name} ${why}: the group goes on without it${barrier === null ? "" : policy(barrier)}`);
      return;
    default:
      consequence satisfies never;
  }
}

/** Takes an agent out of the group for good. It runs its own cleanup and gets the run's verdict. */
export function exclude(draft: Draft, slot: number, why: string, stage: number | null): void {
  withdrawLeases(draft, slot);
  recordRemaining(draft, slot, outcome(draft, "excluded", why));
  draft.editAgent(slot, { membership: "excluded", why: `${at(draft, stage)}${why}`, excludedAt: draft.now });
  draft.notice(`${draft.agent(slot).name} is excluded: ${at(draft, stage)}${why}`);
  loseBackgrounds(draft, slot, `is excluded (${why})`);
}

function putAway(draft: Draft, slot: number, why: string): void {
  draft.editAgent(slot, { membership: "away", why });
}

/** Background commands that end with their agent end the run, but for optional ones. @returns whether it has failed */
function loseBackgrounds(draft: Draft, slot: number, why: string): boolean {
  const { name, backgrounds: all } = draft.agent(slot);
  if (all.length === 0) return false;
  draft.editAgent(slot, { backgrounds: [] });
  // Nobody relies any more on those that are being ended.
  const backgrounds = all.filter(({ ending }) => ending === undefined);
  if (backgrounds.some(({ stage }) => !draft.planned(stage).optional)) putAwayUnlessExcluded(draft, slot, why);
  for (const { stage } of backgrounds) {
    const gone = `is gone: ${name} ${why}`;
    loseBackground(draft, stage, `${name} ${why}`, `background stage ${draft.planned(stage).name} ${gone}`);
  }
  return isFailing(draft);
}

function putAwayUnlessExcluded(draft: Draft, slot: number, why: string): void {
  if (draft.agent(slot).membership === "member") putAway(draft, slot, why);
}

function at(draft: Draft, stage: number | null): string {
  return stage === null ? "" : `${draft.planned(stage).name}: `;
}

function policy({ rule }: Barrier): string {
  return rule.kind === "none" ? "" : ` (${rule.kind})`;
}

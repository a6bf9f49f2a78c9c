/** Who is there: silence, loss, and coming back. */

import { deadlineOf, limitsOf } from "../deadlines.ts";
import type { Draft } from "../draft.ts";
import { beginAssignment, finishAssignment, overdueAfterMs, preempt } from "../stage/assignments.ts";
import { restartId } from "../stage/attempt-id.ts";
import { loseBackground } from "../stage/background.ts";
import { applyFailurePolicy, stageInForce } from "../stage/failure-policy.ts";
import { outcome, recordRemaining, unreached } from "../stage/record-result.ts";
import { mayEnterLate } from "../stage/start.ts";
import { withdrawLeases } from "../tasks/leases.ts";

/** Looks through all agents for what is over: silences, timeouts that nobody reported. */
export function sweep(draft: Draft): void {
  const { now } = draft;
  draft.head.sweepAt = null;
  for (let slot = 0; slot < draft.agents.size; slot++) if (deadlineOf(draft, slot) <= now) act(draft, slot);
  for (let slot = 0; slot < draft.agents.size; slot++) draft.wake(Math.max(now + 1, deadlineOf(draft, slot)));
}

function act(draft: Draft, slot: number): void {
  const agent = draft.agent(slot);
  const { now } = draft;
  const { warnAfterMs, lostAfterMs } = limitsOf(draft.plan, stageInForce(draft));
  const silence = now - agent.silentSince;
  const isThere = agent.presence === "here" || agent.presence === "silent";
  if (isThere && silence >= lostAfterMs) {
    lose(draft, slot, "lost", `was lost: silent for ${Math.round(silence / 1000)} s, last seen ${agent.doing}`);
    return;
  }
  if (agent.presence === "here" && silence >= Math.min(warnAfterMs, lostAfterMs)) {
    draft.editAgent(slot, { presence: "silent" });
    if (agent.membership === "member") {
      draft.notice(`${agent.name} has been silent for ${Math.round(silence / 1000)} s (last seen ${agent.doing})`);
    }
  }
  const { assignment } = draft.agent(slot);
  if (assignment !== null && now >= assignment.overdueAt) {
    withdrawLeases(draft, slot);
    finishAssignment(draft, slot, outcome(draft, "failure", "did not end within its timeout"));
  }
  if (assignment?.dismissed != null && now >= assignment.dismissed.until) {
    draft.editAssignment(slot, { dismissed: null });
    rejoin(draft, slot);
  }
  const overdue = draft.agent(slot).backgrounds.find(({ ready, overdueAt }) => !ready && now >= overdueAt);
  if (overdue !== undefined) {
    const { name } = draft.planned(overdue.stage);
    draft.editAgent(slot, { backgrounds: draft.agent(slot).backgrounds.filter((one) => one !== overdue) });
    const what = `did not get ready again on ${agent.name}`;
    loseBackground(draft, overdue.stage, what, `background stage ${name} ${what}`);
  }
}

/** An agent is gone: silent for too long, or by its own word. `why`: in words that stand after its name. */
export function lose(draft: Draft, slot: number, how: "lost" | "left", why: string): void {
  const agent = draft.agent(slot);
  if (agent.presence === "lost" || agent.presence === "left") return;
  draft.editAgent(slot, { presence: how, ...(how === "left" ? { session: null } : {}) });
  if (agent.membership === "excluded") return;
  draft.notice(`${agent.name} ${why}`);
  if (draft.head.status === "assembling") return;
  withdrawLeases(draft, slot);
  const stage = agent.assignment !== null && !agent.assignment.finished ? agent.assignment.stage : null;
  recordRemaining(draft, slot, outcome(draft, "lost", why));
  applyFailurePolicy(draft, slot, "loss", why, stage ?? stageInForce(draft));
  draft.editAgent(slot, { backgrounds: [] });
}

/** A sign of life. What had been given up comes back to the group's stage, if the policy left it the way. */
export function seen(draft: Draft, slot: number): void {
  const agent = draft.agent(slot);
  const { now } = draft;
  const wasGone = agent.presence === "lost" || agent.presence === "left";
  const keep = agent.presence !== "here";
  draft.editAgent(slot, { lastSeenAt: now, silentSince: now, presence: "here" }, keep);
  if (!keep) return;
  draft.wake(deadlineOf(draft, slot));
  if (!wasGone) return;
  draft.notice(`${agent.name} is back`);
  if (draft.head.status === "assembling" || agent.membership === "excluded") return;
  draft.editAgent(slot, { membership: "away", why: agent.why ?? "was gone" });
  rejoin(draft, slot);
}

/** Who is away and there takes part in the stage that the group is in, or waits for the next. */
export function rejoin(draft: Draft, slot: number): void {
  const { name, membership, presence, assignment } = draft.agent(slot);
  if (membership !== "away" || presence === "lost" || presence === "left" || assignment?.dismissed != null) return;
  const { segment, stopping } = draft.head;
  if (segment === null || stopping !== null) return;
  const stages: number[] = [];
  for (let stage = segment.first; stage <= segment.last; stage++)
    if (mayEnterLate(draft, stage, slot)) stages.push(stage);
  const [first, ...later] = stages;
  if (first === undefined) return;
  draft.editAgent(slot, { membership: "member", why: null });
  for (const stage of stages) {
    if (draft.results(stage).at(slot) == null) draft.editStage(stage, { workers: draft.stage(stage).workers + 1 });
    draft.countPending(stage, slot, 1);
  }
  // Not before the group's own start: a new round may begin after a pause.
  beginAssignment(draft, slot, first, Math.max(draft.now, draft.stage(first).startAt ?? draft.now));
  for (const stage of later) draft.setResult(stage, slot, unreached(draft.agent(slot)));
  draft.wake(deadlineOf(draft, slot));
  draft.notice(`${name} takes part in ${draft.planned(first).name} again`, name);
}

/** It dropped what it was doing (restart, SIGHUP): everything of it that was under way is begun again. */
export function restart(draft: Draft, slot: number, why: string): void {
  const { now } = draft;
  const { assignment } = draft.agent(slot);
  if (assignment?.dismissed != null) draft.editAssignment(slot, { dismissed: null });
  const { backgrounds } = draft.agent(slot);
  draft.editAgent(slot, {
    backgrounds: backgrounds.flatMap((run) => {
      // Nothing begins anew that nobody relies on any more.
      if (run.ending === true) return [];
      const attempts = run.attempts + 1;
      const overdueAt = now + draft.planned(run.stage).timeoutMs + overdueAfterMs(draft.planned(run.stage));
      return {
        ...run,
        attempts,
        attempt: restartId(draft.head, draft.stage(run.stage), slot, attempts),
        ready: false,
        startAt: now,
        overdueAt,
      };
    }),
  });
  draft.wake(deadlineOf(draft, slot));
  preempt(draft, slot, why);
  rejoin(draft, slot);
}

/** The coordinator was away for `awayMs`: nobody's silence counts for it, and every wait gets the time back. */
export function forgiveAbsence(draft: Draft, awayMs: number): void {
  const { head, now } = draft;
  const later = (at: number): number => at + awayMs;
  if (head.status === "assembling") head.assemblyUntil = later(head.assemblyUntil);
  if (head.stopping !== null) head.stopping = { ...head.stopping, until: later(head.stopping.until) };
  if (head.segment !== null) {
    for (let stage = head.segment.first; stage <= head.segment.last; stage++) {
      const { stopping, firstArrivalAt, metAt, overdueAt } = draft.stage(stage);
      draft.editStage(stage, {
        stopping: stopping === null ? null : { ...stopping, until: later(stopping.until) },
        firstArrivalAt: firstArrivalAt === null ? null : later(firstArrivalAt),
        metAt: metAt === null ? null : later(metAt),
        overdueAt: overdueAt === 0 ? 0 : later(overdueAt),
      });
    }
  }
  head.sweepAt = null;
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const { presence, assignment, backgrounds } = draft.agent(slot);
    draft.editAgent(slot, {
      silentSince: now,
      presence: presence === "silent" ? "here" : presence,
      assignment:
        assignment === null
          ? null
          : {
              ...assignment,
              overdueAt: later(assignment.overdueAt),
              dismissed: assignment.dismissed && { ...assignment.dismissed, until: later(assignment.dismissed.until) },
            },
      backgrounds: backgrounds.map((run) => ({ ...run, overdueAt: later(run.overdueAt) })),
    });
    draft.wake(deadlineOf(draft, slot));
  }
}

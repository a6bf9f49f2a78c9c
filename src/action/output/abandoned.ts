/**
 * What a follower does for a leader that is gone: the check runs that only the leader would have concluded say what
 * became of the group. Its own silence proves nothing: it may be this agent that is cut off, while the group goes on.
 * So nothing is touched unless GitHub says that the leader's job is over.
 */
import type { LoopEnd } from "../../agent/loop-end.ts";
import type { LeaderIsOver } from "../../coordinator/client/connect.ts";
import type { AbandonedChecks } from "../../github/checks/abandoned-checks.ts";
import type { Pace } from "../../github/checks/checks.ts";
import type { GitHubClient } from "../../github/port.ts";
import type { Entry } from "../entry.ts";
import { describe } from "./publish.ts";

const CONCLUDE_MS = 30_000;
/** Followers notice at the same moment: one after the other they find what the first has done. */
const STAGGER_MS = 1_000;
const LONGEST_STAGGER_MS = 15_000;

const LEADER_RUNS =
  "the job of the group's leader is not over: the group may go on without this agent, which knows of itself alone";
const LEADER_UNKNOWN =
  "whether the job of the group's leader is over is not known here (`permissions: { actions: read }` lets it be asked): its check runs are left alone";

export interface Abandoned {
  readonly checks: readonly AbandonedChecks[];
  /** Null: there is no token, and nothing can be done. */
  readonly client: (() => Promise<GitHubClient>) | null;
  /** This agent's, counted from 0 with the leader. */
  readonly index: number;
  readonly agent: string;
  /** Whether the leader's job is over, as GitHub says; null: it does not say. */
  readonly leaderIsOver: LeaderIsOver | null;
}

/** Why the leader may be gone, as this agent's end shows; null: it is not. */
export function leaderMayBeGone(end: LoopEnd): string | null {
  switch (end.kind) {
    case "finished":
      return null;
    case "unreachable":
      return end.why;
    case "left":
      return end.told ? null : `the coordinator could not be told that this agent leaves (${end.why})`;
  }
}

/** Never rejects; what cannot be concluded is said. */
export async function endAbandoned(
  { checks, client, index, agent, leaderIsOver }: Abandoned,
  why: string,
  { console, pace }: { readonly console: Pick<Entry["console"], "text">; readonly pace: Pace },
  deadline: AbortSignal,
): Promise<void> {
  if (client === null || checks.length === 0) return;
  const signal = AbortSignal.any([deadline, AbortSignal.timeout(CONCLUDE_MS)]);
  try {
    await pace.sleep(Math.min(LONGEST_STAGGER_MS, Math.max(0, index - 1) * STAGGER_MS), signal);
    const isOver = (await leaderIsOver?.(signal)) ?? null;
    if (isOver !== true) {
      console.text(isOver === false ? LEADER_RUNS : LEADER_UNKNOWN);
      return;
    }
    const text = {
      title: "the group's leader is gone",
      summary: `The job that led the group is over, and did not say how the run ended. ${agent} noticed: ${why}.`,
      text: null,
    };
    const { concludeAbandoned } = await import("../../github/checks/abandoned-checks.ts");
    const { concluded, failure } = await concludeAbandoned(await client(), checks, text, pace, signal);
    if (concluded > 0) console.text(`the leader left ${concluded} check run(s) in progress: concluded as failed`);
    if (failure !== null) console.text(`⚠ the leader's check runs could not be concluded: ${describe(failure)}`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.text(`⚠ the leader's check runs could not be looked for: ${message}`);
  }
}

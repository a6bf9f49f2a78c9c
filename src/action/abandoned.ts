/**
 * What a follower does for a leader that is gone: the check runs that only the leader would have concluded say what
 * became of the group.
 */
import type { LoopEnd } from "../agent/loop.ts";
import { type AbandonedChecks, concludeAbandoned } from "../github/abandoned-checks.ts";
import { githubClient } from "./client.ts";
import type { Entry } from "./entry.ts";
import { describe } from "./publish.ts";

const CONCLUDE_MS = 30_000;
/** Followers notice at the same moment: one after the other they find what the first has done. */
const STAGGER_MS = 1_000;
const LONGEST_STAGGER_MS = 15_000;

export interface Abandoned {
  readonly checks: readonly AbandonedChecks[];
  /** Empty: none, and then nothing can be done. */
  readonly token: string;
  /** This agent's, counted from 0 with the leader. */
  readonly index: number;
  readonly agent: string;
}

/** Why the leader must be gone, as this agent's end shows; null: it need not be. */
export function leaderIsGone(end: LoopEnd): string | null {
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
  { checks, token, index, agent }: Abandoned,
  why: string,
  { console, pace }: Entry,
  deadline: AbortSignal,
): Promise<void> {
  if (token === "" || checks.length === 0) return;
  const signal = AbortSignal.any([deadline, AbortSignal.timeout(CONCLUDE_MS)]);
  try {
    await pace.sleep(Math.min(LONGEST_STAGGER_MS, Math.max(0, index - 1) * STAGGER_MS), signal);
    const text = {
      title: "the group's leader is gone",
      summary: `The job that led the group ended before the run did. ${agent} noticed: ${why}.`,
      text: null,
    };
    const { concluded, failure } = await concludeAbandoned(await githubClient(token), checks, text, pace, signal);
    if (concluded > 0) console.text(`the leader left ${concluded} check run(s) in progress: concluded as failed`);
    if (failure !== null) console.text(`⚠ the leader's check runs could not be concluded: ${describe(failure)}`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.text(`⚠ the leader's check runs could not be looked for: ${message}`);
  }
}

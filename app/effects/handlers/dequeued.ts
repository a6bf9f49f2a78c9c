/** A pull request left the merge queue without being merged: said in the history, and where the policy wants it merged. */
import { z } from "zod";
import { readMergeState } from "../../../src/github/pulls/merging.ts";
import { clip, oneLine } from "../../../src/report/escape.ts";
import type { Effect, NewEffect, Pull, PullId } from "../../store/model.ts";
import { causeOf, newEffect } from "../effect.ts";
import { reportOf } from "../failure-report.ts";
import type { EffectHandler, Performed } from "../handler.ts";
import { isUnsettled, stageNow } from "../staleness.ts";

/** GitHub's copies may be behind its webhooks: so long is it asked again whether the queue still has it. */
const BEHIND_MS = 5_000;
const BEHIND_PAUSE_MS = 1_000;
const LONGEST_WORD = 60;

/** As GitHub's webhook names them. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["MERGE_CONFLICT", "it conflicts with its base, or with what is before it in the queue"],
  ["CI_FAILURE", "a check that the queue requires failed"],
  ["CI_TIMEOUT", "the checks that the queue requires did not end in time"],
  ["QUEUE_CLEARED", "the queue was cleared"],
  ["ROLL_BACK", "the queue was rolled back"],
  ["BRANCH_PROTECTIONS", "the base's protection does not let it be merged"],
  ["GIT_TREE_INVALID", "GitHub could not make its merge commit"],
  ["INVALID_MERGE_COMMIT", "GitHub could not make its merge commit"],
  ["UNKNOWN_REMOVAL_REASON", "GitHub gives no reason"],
]);

/** `occasion`: tells this time from others, also when it is heard of twice. `reason`: as GitHub names it. */
export function dequeuedEffect(
  pull: PullId,
  installationId: number,
  { reason, by, occasion }: { readonly reason: string; readonly by: string; readonly occasion: string },
  now: number,
): NewEffect {
  const about = { installationId, occasion: { of: "dequeued", content: occasion }, at: now } as const;
  return newEffect("dequeued", pull, about, { reason, by, at: now });
}

export const dequeued: EffectHandler<"dequeued"> = async ({ reason, by, at }, context): Promise<Performed> => {
  const { pull, effect, client, appId, signal, store, now, timings } = context;
  if (pull === null) {
    return { state: "dropped", reason: "the pull request is not known any more" };
  }
  const state = await readMergeState(client, pull.facts.nodeId, appId, signal);
  if (state === null || state.state !== "open") {
    return { state: "done", note: null };
  }
  const wait = (why: string, pause: number): Performed => ({ state: "again", at: now() + pause, reason: why });
  // A push takes it out, too: where it goes back, nothing is amiss.
  if (isUnsettled(pull, now()) || state.headSha !== pull.facts.head.sha) {
    return wait("something new about it is being looked at", timings.reevaluationPause);
  }
  if (state.queued !== null && now() < at + BEHIND_MS) {
    return wait("GitHub does not show yet that it left the merge queue", BEHIND_PAUSE_MS);
  }
  const why = sayReason(reason, by);
  if (state.queued !== null) {
    return { state: "done", note: `it left the merge queue (${why}), and is in it again` };
  }
  const asked = askedFor(await store.effectsOf(effect), pull);
  if (asked !== null) {
    const error = `it left the merge queue: ${why}`;
    const settled = [{ ...asked, status: "dead" as const, error }];
    await store.commit({ settled, effects: [reportOf(asked, now())], now: now() });
  }
  return { state: "done", note: `it left the merge queue without being merged: ${why}` };
};

function sayReason(reason: string, by: string): string {
  return reason === "MANUAL"
    ? `${by} took it out`
    : (REASONS.get(reason) ?? `GitHub's reason is ${clip(oneLine(reason), LONGEST_WORD)}`);
}

const left = z.object({ dropped: z.string() });

/** What had it merged, where it still is to be merged: given up now, so that it is reported and may be tried again. */
function askedFor(effects: readonly Effect[], pull: Pull): Effect | null {
  const stage = stageNow(pull);
  const merging = effects.filter((each) => each.kind === "auto_merge" && causeOf(each)?.stage === stage).at(-1);
  const done = merging?.status === "done" && !left.safeParse(merging.result).success;
  return merging !== undefined && done && (pull.evaluation?.held ?? null) === null ? merging : null;
}

/** What the conditions about reviews share: whose word stands, and since when. Not a condition itself. */

import { actorKey } from "../evaluation/permissions.ts";
import type { ReviewAct } from "../facts/act-index.ts";
import type { Act, Actor } from "../facts/facts.ts";

export type SubmittedReview = Extract<Act, { kind: "review" }>;

/** The reviews of one person that say the same now, oldest first. */
export interface Opinion {
  readonly by: Actor;
  readonly state: "approved" | "changes_requested";
  readonly reviews: readonly SubmittedReview[];
}

/**
 * For each reviewer the newest approval or request for changes, with those before it that said the same.
 * A comment changes nothing; a dismissed review leaves its author without an opinion: an older one does not revive.
 */
export function opinions(history: readonly ReviewAct[]): Opinion[] {
  const dismissed = new Set(history.flatMap((act) => (act.kind === "review_dismissed" ? [act.reviewId] : [])));
  const byReviewer = new Map<string, { by: Actor; state: Opinion["state"]; reviews: SubmittedReview[] } | null>();
  for (const act of history) {
    if (act.kind !== "review" || act.state === "commented") {
      continue;
    }
    const key = actorKey(act.by);
    const before = byReviewer.get(key) ?? null;
    if (dismissed.has(act.reviewId)) {
      byReviewer.set(key, null);
    } else if (before !== null && before.state === act.state) {
      before.reviews.push(act);
    } else {
      byReviewer.set(key, { by: act.by, state: act.state, reviews: [act] });
    }
  }
  return [...byReviewer.values()].filter((opinion) => opinion !== null);
}

/** The first seven digits of a commit, as GitHub shows it. */
export function shortSha(sha: string): string {
  return sha.slice(0, 7);
}

import { z } from "zod";
import { compareText } from "../../ids.ts";
import { sameActor, whoMay } from "../evaluation/permissions.ts";
import { concernsReviews, firstThatCounts, opinions, type SubmittedReview } from "../evidence/reviews.ts";
import { bare, names, strictMapping } from "../policy/value-schemas.ts";
import { type ConditionDefinition, fails, holds, unknown } from "./condition.ts";

export const changesRequested: ConditionDefinition<"changes_requested"> = {
  kind: "changes_requested",
  basis: "act",
  help: "Someone of `by` (else: with write permission) requests changes on the head commit, and has not approved or been dismissed since.",
  examples: ["changes_requested", 'changes_requested: { by: ["tess[bot]"] }'],
  schema: z.union(
    [
      bare.transform(() => ({ kind: "changes_requested" as const, by: null })),
      strictMapping({ by: names.optional() }).transform((value) => ({
        kind: "changes_requested" as const,
        by: value.by ?? null,
      })),
    ],
    { error: "expected true, or { by }" },
  ),
  title: () => "changes requested",
  concerns: () => concernsReviews,
  evaluate(leaf, context) {
    const { commits, facts, authority } = context;
    const first: SubmittedReview[] = [];
    let open = false;
    for (const opinion of opinions(context)) {
      const onHead =
        opinion.state === "changes_requested" &&
        !sameActor(opinion.by, facts.author) &&
        opinion.reviews.some((review) => commits.includes(review.sha));
      const truth = onHead ? authority(opinion.by, leaf.by).truth : "no";
      const review = truth === "yes" ? firstThatCounts(opinion, context) : undefined;
      if (review !== undefined) {
        first.push(review);
      }
      // An old request still stands: it sends nobody back again, and `not` does not hold either.
      open ||= truth !== "no";
    }
    const [review] = first.sort((a, b) => a.at - b.at || compareText(a.id, b.id));
    if (review !== undefined) {
      return holds(`${review.by.login} requests changes`, review);
    }
    const reason = `nobody of ${whoMay(leaf.by)} requests changes on the head commit`;
    return open ? unknown(reason) : fails(leaf.by === null ? "nobody with write permission requests changes" : reason);
  },
};

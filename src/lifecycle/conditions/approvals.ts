import { z } from "zod";
import { compareText } from "../../ids.ts";
import { sameActor, whoMay } from "../evaluation/permissions.ts";
import { concernsReviews, firstThatCounts, opinions, type SubmittedReview, shortSha } from "../evidence/reviews.ts";
import { names, strictMapping, wholeNumber } from "../policy/value-schemas.ts";
import { type ConditionDefinition, fails, holds, unknown } from "./condition.ts";

const count = wholeNumber(1, 100);

export const approvals: ConditionDefinition<"approvals"> = {
  kind: "approvals",
  basis: "act",
  help: "So many people of `by` (else: with write permission) have approved the head commit. The author never counts.",
  examples: ["approvals: 1", 'approvals: { count: 2, by: ["tess[bot]", "@org/testing"] }'],
  schema: z.union(
    [
      count.transform((value) => ({ kind: "approvals" as const, count: value, by: null })),
      strictMapping({ count: count.optional(), by: names.optional() }).transform((value) => ({
        kind: "approvals" as const,
        count: value.count ?? 1,
        by: value.by ?? null,
      })),
    ],
    { error: "expected a whole number from 1 to 100, or { count, by }" },
  ),
  title: (leaf) => (leaf.count === 1 ? "an approval" : `${leaf.count} approvals`),
  concerns: () => concernsReviews,
  evaluate(leaf, context) {
    const counted: SubmittedReview[] = [];
    const refused: string[] = [];
    let open = 0;
    for (const opinion of opinions(context)) {
      if (opinion.state !== "approved") {
        continue;
      }
      const who = opinion.by.login;
      if (sameActor(opinion.by, context.facts.author)) {
        refused.push(`${who} is the author`);
        continue;
      }
      const first = firstThatCounts(opinion, context);
      if (first === undefined) {
        const last = opinion.reviews.findLast((review) => context.commits.includes(review.sha));
        const old = opinion.reviews.at(-1);
        refused.push(
          last === undefined
            ? `${who} approved ${shortSha(old?.sha ?? "")}, not the head commit`
            : `${who} approved ${context.window.exclusion(last) ?? ""}`,
        );
        continue;
      }
      const authority = context.authority(opinion.by, leaf.by);
      if (authority.truth === "yes") {
        counted.push(first);
      } else {
        open += authority.truth === "unknown" ? 1 : 0;
        refused.push(`${who} ${authority.reason}`);
      }
    }
    // The moment at which there were enough: later approvals do not date the entry anew.
    const inOrder = counted.sort((a, b) => a.at - b.at || compareText(a.id, b.id));
    const decisive = inOrder[leaf.count - 1];
    if (decisive !== undefined) {
      const enough = inOrder.slice(0, leaf.count);
      const verdict = holds(`approved by ${enough.map((review) => review.by.login).join(", ")}`, decisive);
      return { ...verdict, evidence: enough.map((review) => review.id) };
    }
    const lacking = leaf.count - counted.length;
    const missing = lacking === 1 ? "an approval is" : `${lacking} approvals are`;
    const why = refused.length > 0 ? ` (${refused.slice(0, 5).join("; ")})` : "";
    const reason = `${missing} missing on the head commit: ${whoMay(leaf.by)} can give it${why}`;
    return counted.length + open >= leaf.count ? unknown(reason) : fails(reason);
  },
};

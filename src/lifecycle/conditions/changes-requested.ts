import { z } from "zod";
import { sameActor, whoMay } from "../evaluation/permissions.ts";
import { bare, mapping, names } from "../policy/value-schemas.ts";
import { type ConditionDefinition, fails, holds, unknown } from "./condition.ts";
import { opinions } from "./reviews.ts";

export const changesRequested: ConditionDefinition<"changes_requested"> = {
  kind: "changes_requested",
  basis: "act",
  help: "Someone of `by` (else: with write permission) requests changes on the head commit, and has not approved or been dismissed since.",
  examples: ["changes_requested", 'changes_requested: { by: ["tess[bot]"] }'],
  schema: z.union(
    [
      bare.transform(() => ({ kind: "changes_requested" as const, by: null })),
      mapping({ by: names.optional() }).transform((value) => ({
        kind: "changes_requested" as const,
        by: value.by ?? null,
      })),
    ],
    { error: "expected true, or { by }" },
  ),
  title: () => "changes requested",
  evaluate(leaf, context) {
    let open = false;
    const onHead = opinions(context.acts.reviews())
      .filter((opinion) => opinion.state === "changes_requested" && !sameActor(opinion.by, context.facts.author))
      .flatMap((opinion) => opinion.reviews.filter((review) => context.commits.includes(review.sha)))
      .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
    for (const review of onHead) {
      const authority = context.authority(review.by, leaf.by);
      if (authority.truth === "yes" && context.exclusion(review) === null) {
        return holds(`${review.by.login} requests changes`, review);
      }
      // An old request still stands: it sends nobody back again, and `not` does not hold either.
      open ||= authority.truth !== "no";
    }
    const reason = `nobody of ${whoMay(leaf.by)} requests changes on the head commit`;
    return open ? unknown(reason) : fails(leaf.by === null ? "nobody with write permission requests changes" : reason);
  },
};

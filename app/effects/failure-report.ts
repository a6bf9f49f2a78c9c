/**
 * One comment that says what could not be done for a pull request, why, and what to do about it. It is made from what
 * the store holds when it is written, so that it is right however often and whenever that happens.
 */
import { markerOf } from "../../src/github/pulls/comments.ts";
import { clip, codeSpan, markdown } from "../../src/report/escape.ts";
import type { Effect, NewEffect } from "../store/model.ts";
import { causeOf, newEffect } from "./effect.ts";
import type { EffectHandler } from "./handler.ts";
import { notCertain, putComment } from "./handlers/comment.ts";

/** With a space: no stage, whose comments are found by its name, is called so. */
const MARKER = markerOf("trouble report");
const MOST_SHOWN = 10;
const LONGEST_REASON = 1_000;

export function isReport({ kind }: Pick<Effect, "kind">): boolean {
  return kind === "failure_report";
}

/** What tells of the outcome of this effect. */
export function reportOf(effect: Effect, now: number): NewEffect {
  const { id, installationId } = effect;
  const occasion = { of: "effect ended", id, at: now } as const;
  return newEffect("failure_report", effect, { installationId, occasion, at: now }, {});
}

export const failureReport: EffectHandler<"failure_report"> = async (_, context) => {
  const unsure = notCertain(context);
  if (unsure !== null) {
    return { state: "again", at: unsure, reason: "whether it was written already is not certain yet" };
  }
  const failed = inForce(await context.store.effectsOf(context.effect));
  const body = failed.length === 0 ? RESOLVED : report(failed);
  const put = await putComment(context, MARKER, body, failed.length > 0);
  // Null: the comment says of nothing that it was not done.
  return { state: "done", result: failed.length === 0 ? null : { ...put, listed: failed.length }, note: null };
};

/** Given up, and not queued anew by a newer occasion of the same stage. */
function inForce(effects: readonly Effect[]): Effect[] {
  return effects.filter((effect) => {
    const cause = causeOf(effect);
    const newer = effects
      .map(causeOf)
      .some((other) => other !== null && cause !== null && other.stage === cause.stage && other.at > cause.at);
    return effect.status === "dead" && !isReport(effect) && !newer;
  });
}

const RESOLVED = "What could not be done before has been done, or is not needed any more.";

function report(failed: readonly Effect[]): string {
  const lines = failed.slice(0, MOST_SHOWN).map((effect) => {
    const cause = causeOf(effect);
    const where = cause === null ? "" : ` (${SAY[cause.occasion]} ${codeSpan(cause.stage)})`;
    return `- ${codeSpan(effect.kind)}${where}: ${markdown(clip(effect.error ?? "", LONGEST_REASON))}`;
  });
  const more = failed.length > MOST_SHOWN ? [`- …and ${failed.length - MOST_SHOWN} more, see the history`] : [];
  const tail = "When the cause is gone, a comment `/stage retry` has it done.";
  return ["**Not everything that the policy asks for could be done.**", "", ...lines, ...more, "", tail].join("\n");
}

const SAY = {
  enter: "on entering",
  back: "on coming back to",
  overdue: "overdue in",
  hold: "on hold in",
  unhold: "off hold in",
} as const;

/** How many of the gates that a hold has to close are closed: a line below the answer to the command, kept up to date. */
import { z } from "zod";
import type { Policy } from "../../../src/lifecycle/policy/policy.ts";
import { clip, codeSpan, markdown } from "../../../src/report/escape.ts";
import { newEffect } from "../../effects/effect.ts";
import type { EffectContext, EffectHandler, Performed } from "../../effects/handler.ts";
import { putComment } from "../../effects/handlers/comment.ts";
import type { OpenGates } from "../../evaluation/holds/close-gates.ts";
import { openGates } from "../../evaluation/holds/open-gates.ts";
import type { Policies } from "../../policies/policy.ts";
import type { NewEffect, PullId } from "../../store/model.ts";

/** Doubled from `reevaluationPause` on: it competes with the gates for the installation's writes. */
const LONGEST_PAUSE = 60_000;
/** What is not closed by then is named, and left to the retries of its own transition. */
const LONGEST_WAIT = 60 * 60_000;
const MOST_NAMED = 10;
const LONGEST_REASON = 200;

/** What the holder waits for. */
export interface Closing {
  readonly hold: "pull" | "repository";
  /** The date of the hold. */
  readonly at: number;
  readonly gates: readonly OpenGates[];
}

/** What keeps the answer up to date, once for each answer. */
export function holdProgressEffect(
  pull: PullId,
  installationId: number,
  answer: { readonly key: string; readonly marker: string; readonly said: string },
  { hold, at, gates }: Closing,
  now: number,
): NewEffect {
  const { key, marker, said } = answer;
  const about = { installationId, occasion: { of: "hold answered", answer: key }, at: now } as const;
  const counted = gates.map(([of, count]): [number, number] => [of, count]);
  return newEffect("hold_progress", pull, about, { marker, said, hold, at, gates: counted, since: now });
}

/** How far it is. */
export interface HoldProgress {
  readonly all: number;
  readonly closed: number;
  /** Merged while its gate was open. */
  readonly merged: readonly number[];
  /** Not closed yet, with why not where that is known. */
  readonly open: readonly { readonly number: number; readonly reason: string | null }[];
}

/** The line, in Markdown. `ended`: nothing more is done about it. */
export function sayProgress(
  { all, closed, merged, open }: HoldProgress,
  ended: "no" | "given up" | "unheld" = "no",
): string {
  if (all === 0) {
    return "No gate was open.";
  }
  const slipped = merged.length === 0 ? "" : ` Merged before that: ${numbers(merged)}.`;
  const count = `${closed} of ${all} ${all === 1 ? "gate" : "gates"} closed`;
  if (open.length === 0) {
    return `${count}.${slipped}`;
  }
  switch (ended) {
    case "no":
      return `${count}. Until its gate is closed a pull request can still be merged.${slipped}`;
    case "unheld":
      return `${count} when the hold was ended.${slipped}`;
    case "given up": {
      const which = open
        .slice(0, MOST_NAMED)
        .map(
          ({ number, reason }) => `#${number}${reason === null ? "" : ` (${markdown(clip(reason, LONGEST_REASON))})`}`,
        );
      const more = open.length > which.length ? ` and ${open.length - which.length} more` : "";
      return `${count}. **Still open: ${which.join(", ")}${more}**; see ${codeSpan("/stage retry")} there.${slipped}`;
    }
  }
}

function numbers(of: readonly number[]): string {
  const named = of.slice(0, MOST_NAMED).map((number) => `#${number}`);
  return `${named.join(", ")}${of.length > named.length ? ` and ${of.length - named.length} more` : ""}`;
}

/** Nothing is closed yet. */
export function noneClosed({ gates }: Pick<Closing, "gates">): HoldProgress {
  const all = gates.reduce((sum, [, count]) => sum + count, 0);
  return { all, closed: 0, merged: [], open: gates.map(([number]) => ({ number, reason: null })) };
}

export function holdProgressHandler(policies: Pick<Policies, "of">): EffectHandler<"hold_progress"> {
  return async ({ marker, said, hold, at, gates, since }, context): Promise<Performed> => {
    const { repository, effect, now, timings } = context;
    const progress = await progressOf(gates, await policies.of(repository), context);
    const held = await isHeld(hold, at, context);
    const late = now() - since > LONGEST_WAIT;
    const ended = !held ? "unheld" : late ? "given up" : "no";
    await putComment(context, marker, `${said}\n\n${sayProgress(progress, ended)}`, false);
    if (progress.open.length === 0 || ended !== "no") {
      return { state: "done", note: null };
    }
    const before = z.object({ pause: z.number() }).safeParse(effect.result).data?.pause;
    const pause = before === undefined ? timings.reevaluationPause : Math.min(before * 2, LONGEST_PAUSE);
    const reason = `${progress.closed} of ${progress.all} gates closed`;
    return { state: "again", at: now() + pause, reason, result: { pause } };
  };
}

async function progressOf(
  gates: readonly OpenGates[],
  policy: Policy,
  { store, repository }: EffectContext,
): Promise<HoldProgress> {
  const merged: number[] = [];
  const open: { readonly number: number; readonly reason: string | null }[] = [];
  let all = 0;
  let left = 0;
  for (const [number, count] of gates) {
    all += count;
    const row = await store.pull({ repositoryId: repository.id, number });
    const still = row === null ? 0 : Math.min(count, openGates(row, policy));
    if (row === null || still === 0 || (row.facts.state === "closed" && !row.facts.merged)) {
      continue;
    }
    left += still;
    if (row.facts.merged) {
      merged.push(number);
    } else {
      open.push({ number, reason: row.blocked?.reason ?? null });
    }
  }
  return { all, closed: all - left, merged, open };
}

async function isHeld(
  hold: Closing["hold"],
  at: number,
  { store, repository, pull, now }: EffectContext,
): Promise<boolean> {
  if (hold === "repository") {
    return (await store.holds.of(repository.id))?.at === at;
  }
  // Not evaluated since: whether the hold stands is not known yet.
  const waits =
    pull !== null && (pull.evaluation === null || (pull.reevaluateAt !== null && pull.reevaluateAt <= now()));
  return waits || (pull?.evaluation?.held ?? null) !== null;
}

import { z } from "zod";
import type { GitHubClient } from "../../../src/github/port.ts";
import {
  enableAutoMerge,
  enqueue,
  type MergeMethod,
  type MergeRefusal,
  type MergeState,
  mergeNow,
  readMergeState,
} from "../../../src/github/pulls/merging.ts";
import type { Pull } from "../../store/model.ts";
import type { EffectContext, EffectHandler, Performed } from "../handler.ts";
import { permissionHint } from "../permission-hints.ts";
import { isUnsettled, staleReason } from "../staleness.ts";

type Method = MergeMethod | "queue";

/** How long checks that GitHub does not require are waited for. */
const LONGEST_WAIT = 24 * 60 * 60_000;
/** While nothing is heard of it. */
const WAIT_PAUSE = 60_000;
/** Refusals without a reason that we know: GitHub may only be behind itself. */
const MOST_TRIES = 3;

/**
 * Has GitHub merge the commit that has been judged, and no other: at once if GitHub lets it, else with auto-merge, or
 * through the merge queue. Checks that failed hold it back, required or not.
 */
export const autoMerge: EffectHandler<"auto_merge"> = async ({ method }, context) => {
  const { pull, client, appId, signal, now, timings } = context;
  const late = await staleReason(context);
  if (late !== null || pull === null) {
    return { state: "dropped", reason: late ?? "the pull request is not known any more" };
  }
  const held = pull.evaluation?.held ?? null;
  if (held !== null) {
    return { ...waiting(context, "it is on hold", WAIT_PAUSE), result: null };
  }
  if (isUnsettled(pull, now())) {
    return waiting(context, "something new about it is being looked at", timings.reevaluationPause);
  }
  const state = await readMergeState(client, pull.facts.nodeId, appId, signal);
  if (state === null) {
    return { state: "refused", reason: "GitHub does not show the pull request" };
  }
  return settled(state, method) ?? (await go(state, method, pull, context));
};

/** What needs no doing; null: there is something to do. */
function settled(state: MergeState, method: Method): Performed | null {
  if (state.state !== "open") {
    return state.state === "merged"
      ? // By somebody else, or by us, with the answer lost: either way the history says so.
        { state: "done", result: { merged: true }, note: "it is merged" }
      : { state: "dropped", reason: "it is closed" };
  }
  if (state.queued !== null) {
    return { state: "done", result: { queued: true }, note: null };
  }
  if (state.autoMerge !== null) {
    const { by, method: theirs } = state.autoMerge;
    const other =
      theirs === method || method === "queue" ? null : `auto-merge (${theirs}) was turned on by ${by} already`;
    return { state: "done", result: { autoMerge: theirs }, note: other };
  }
  return null;
}

async function go(state: MergeState, method: Method, pull: Pull, context: EffectContext): Promise<Performed> {
  const { timings } = context;
  const sha = pull.facts.head.sha;
  if (state.headSha !== sha) {
    return waiting(context, "GitHub has a newer commit, of which nothing was heard yet", timings.reevaluationPause);
  }
  if (state.draft) {
    return { state: "refused", reason: "it is a draft, which GitHub does not merge" };
  }
  const way = wayOf(state, method);
  if (typeof way !== "function") {
    return "again" in way ? waiting(context, way.again, way.pause) : { state: "refused", reason: way.refused };
  }
  const { note, send } = way(sha);
  const target = { pullNodeId: pull.facts.nodeId, sha };
  const refusal = await context.write(async (client) =>
    (await isStillWanted(context)) ? await send(client, target, context.signal) : "new",
  );
  if (refusal === "new") {
    return waiting(context, "something new about it is being looked at", timings.reevaluationPause);
  }
  return refusal === null ? { state: "done", result: { note }, note } : await refusedBy(refusal, method, context);
}

/** Writing may wait long for its turn: a hold that was given meanwhile counts, and so does all else that is new. */
async function isStillWanted({ store, effect, repository, pull, now }: EffectContext): Promise<boolean> {
  const row = await store.pull(effect);
  return (
    row !== null &&
    row.facts.head.sha === pull?.facts.head.sha &&
    !isUnsettled(row, now()) &&
    row.evaluation?.held === null &&
    (await store.holds.of(repository.id)) === null
  );
}

interface Way {
  readonly note: string;
  readonly send: (
    client: GitHubClient,
    target: { readonly pullNodeId: string; readonly sha: string },
    signal: AbortSignal,
  ) => Promise<MergeRefusal>;
}
type Choice =
  | ((sha: string) => Way)
  | { readonly again: string; readonly pause: number }
  | { readonly refused: string };

function wayOf(state: MergeState, method: Method): Choice {
  const queue = state.queue || method === "queue";
  if (queue && !state.queue) {
    return {
      refused:
        "its base has no merge queue: require one in the base's branch protection or ruleset, or let the policy name a method",
    };
  }
  const chosen: MergeMethod = method === "queue" ? (state.allows.methods[0] ?? "merge") : method;
  if (!queue && !state.allows.methods.includes(chosen)) {
    return {
      refused: `the repository's settings do not allow “${chosen}”: allow it under Pull Requests, or let the policy name another`,
    };
  }
  switch (state.status) {
    case "unknown":
      return { again: "GitHub is still finding out whether it can be merged", pause: 2_000 };
    case "dirty":
      return { refused: "it conflicts with its base: resolve the conflicts" };
    case "unstable":
      if (state.openChecks.length > 0) {
        return { again: sayOpen(state), pause: WAIT_PAUSE };
      }
      return atOnce(queue, chosen);
    case "clean":
      return atOnce(queue, chosen);
    case "blocked":
    case "behind":
      if (!state.allows.autoMerge) {
        return {
          refused:
            "auto-merge is turned off in the repository: turn it on in its settings (General, Pull Requests, Allow auto-merge)",
        };
      }
      return (sha) => ({
        note: `auto-merge (${queue ? "queue" : chosen}) was turned on for ${sha.slice(0, 7)}`,
        send: (client, target, signal) => enableAutoMerge(client, target, chosen, signal),
      });
  }
}

function atOnce(queue: boolean, method: MergeMethod): Choice {
  return queue
    ? (sha) => ({ note: `${sha.slice(0, 7)} was put into the merge queue`, send: enqueue })
    : (sha) => ({
        note: `${sha.slice(0, 7)} was merged (${method})`,
        send: (client, target, signal) => mergeNow(client, target, method, signal),
      });
}

function sayOpen({ openChecks }: MergeState): string {
  const names = (pending: boolean): string =>
    openChecks
      .filter((check) => check.pending === pending)
      .map((check) => check.name)
      .join(", ");
  const [failed, pending] = [names(false), names(true)];
  return [
    ...(failed === "" ? [] : [`${failed} failed, though GitHub does not require it`]),
    ...(pending === "" ? [] : [`${pending} has not ended`]),
  ].join("; ");
}

/** Not for ever: who waits in vain is told. */
function waiting({ effect, now }: EffectContext, reason: string, pause: number): Performed {
  const since = z.object({ waitsSince: z.number() }).safeParse(effect.result).data?.waitsSince ?? now();
  return now() - since > LONGEST_WAIT
    ? { state: "refused", reason: `waited a day in vain: ${reason}` }
    : { state: "again", at: now() + pause, reason, result: { waitsSince: since } };
}

/** GitHub's own trouble, told in a good answer: another try may do what this one did not. */
function isHiccup({ message }: NonNullable<MergeRefusal>): boolean {
  return /something went wrong|timed? ?out|try again|internal error/iu.test(message);
}

/** It may have been done nevertheless, or the pull request has changed since it was read. */
async function refusedBy(
  refusal: NonNullable<MergeRefusal>,
  method: Method,
  context: EffectContext,
): Promise<Performed> {
  const { client, pull, appId, signal, effect, now, timings } = context;
  if (refusal.type === "FORBIDDEN") {
    const reason = `${refusal.message}${permissionHint("auto_merge", { kind: "permission" })}`;
    return { state: "refused", code: "permission", reason };
  }
  const state = pull === null ? null : await readMergeState(client, pull.facts.nodeId, appId, signal);
  const done = state === null ? null : settled(state, method);
  if (done !== null) {
    return done;
  }
  if (isHiccup(refusal)) {
    throw new Error(refusal.message);
  }
  const tried = z.object({ refused: z.number() }).safeParse(effect.result).data?.refused ?? 0;
  return tried + 1 >= MOST_TRIES
    ? { state: "refused", reason: `GitHub refused it: ${refusal.message}` }
    : {
        state: "again",
        at: now() + timings.reevaluationPause,
        reason: refusal.message,
        result: { refused: tried + 1 },
      };
}

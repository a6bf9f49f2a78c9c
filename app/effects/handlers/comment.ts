import { z } from "zod";
import { githubId } from "../../../src/github/id.ts";
import type { GitHubClient } from "../../../src/github/port.ts";
import {
  createComment,
  findComment,
  markerOf,
  type PullPlace,
  updateComment,
} from "../../../src/github/pulls/comments.ts";
import { failureOfWork } from "../../work/failure.ts";
import { type EffectContext, type EffectHandler, placeOf } from "../handler.ts";
import { staleReason } from "../staleness.ts";

/** One comment for each marker: written once, then updated. */
export const comment: EffectHandler<"comment"> = async ({ marker, body }, context) => {
  const late = await staleReason(context);
  if (late !== null) {
    return { state: "dropped", reason: late };
  }
  const unsure = notCertain(context);
  if (unsure !== null) {
    return { state: "again", at: unsure, reason: "whether it was written already is not certain yet" };
  }
  const result = await putComment(context, markerOf(marker), body, true);
  return { state: "done", result, note: null };
};

/** Kept as an effect's result. */
const put = z.object({ id: githubId, marker: z.string() });
export type PutComment = z.infer<typeof put>;

const sending = z.object({ creatingSince: z.number() });

/**
 * A request to write a comment was sent and its answer never came: GitHub may still be at it, and would not show it
 * yet. Until when; null: nothing is on its way.
 */
export function notCertain({ effect, now, timings }: EffectContext): number | null {
  const sent = sending.safeParse(effect.result).data?.creatingSince;
  const over = sent === undefined ? null : sent + timings.requestTimeout;
  return over === null || over <= now() ? null : over;
}

/** Our comment with this marker says so afterwards. `make`: also if there was none. Returns null where there is none. */
export async function putComment(
  context: EffectContext,
  hidden: string,
  body: string,
  make: boolean,
): Promise<PutComment | null> {
  const { client, appId, botLogin, signal, write, remember, now } = context;
  const place = placeOf(context);
  const text = `${hidden}\n${body}`;
  const known = await findComment(client, place, hidden, { appId, botLogin }, signal);
  if (known !== null) {
    if (known.body !== text) {
      await write((writer) => updateComment(writer, place, known.id, text, signal));
    }
    return { id: known.id, marker: hidden };
  }
  if (!make) {
    return null;
  }
  // GitHub may show a list without what was written a moment ago.
  const earlier = await putEarlier(context, hidden);
  if (earlier !== null && (await write((writer) => updateIfThere(writer, place, earlier, text, signal)))) {
    return { id: earlier, marker: hidden };
  }
  const id = await write(async (writer) => {
    await remember({ creatingSince: now() });
    return await createComment(writer, place, text, signal);
  });
  return { id, marker: hidden };
}

/** Id of the comment with this marker that we remember; null: none. It may have been deleted since. */
async function putEarlier({ store, effect }: EffectContext, hidden: string): Promise<string | null> {
  const known = (await store.effectsOf(effect)).flatMap(({ result }) => put.safeParse(result).data ?? []);
  return known.findLast(({ marker }) => marker === hidden)?.id ?? null;
}

/** False: it has been deleted. */
async function updateIfThere(
  client: GitHubClient,
  place: PullPlace,
  id: string,
  text: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await updateComment(client, place, id, text, signal);
    return true;
  } catch (error) {
    if (failureOfWork(error, 0).status === 404) {
      return false;
    }
    throw error;
  }
}

import { z } from "zod";
import { createComment, findComment, markerOf, updateComment } from "../../src/github/comments.ts";
import { type EffectContext, handler, placeOf } from "./handler.ts";
import { tooLate } from "./late.ts";

/** One comment for each marker: written once, then updated. */
export const comment = handler({
  kind: "comment",
  schema: z.object({ marker: z.string().min(1), body: z.string().min(1) }),
  perform: async ({ marker, body }, context) => {
    const late = await tooLate(context);
    if (late !== null) {
      return { state: "dropped", reason: late };
    }
    const unsure = notCertain(context);
    if (unsure !== null) {
      return { state: "again", at: unsure, reason: "whether it was written already is not certain yet" };
    }
    const id = await putComment(context, markerOf(marker), body, true);
    return { state: "done", result: { id }, note: null };
  },
});

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

/** Our comment with this marker says so afterwards. `make`: also if there was none. Returns its id; null: there is none. */
export async function putComment(
  context: EffectContext,
  hidden: string,
  body: string,
  make: boolean,
): Promise<number | null> {
  const { client, appId, botLogin, signal, write, remember, now } = context;
  const place = placeOf(context);
  const text = `${hidden}\n${body}`;
  const known = await findComment(client, place, hidden, { appId, botLogin }, signal);
  if (known === null) {
    return make
      ? await write(async (writer) => {
          await remember({ creatingSince: now() });
          return await createComment(writer, place, text, signal);
        })
      : null;
  }
  if (known.body !== text) {
    await write((writer) => updateComment(writer, place, known.id, text, signal));
  }
  return known.id;
}

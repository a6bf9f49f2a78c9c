import { z } from "zod";
import { createComment, findComment, markerOf, updateComment } from "../../src/github/comments.ts";
import { handler, placeOf } from "./handler.ts";
import { tooLate } from "./late.ts";

/** One comment for each marker: written once, then updated. */
export const comment = handler({
  kind: "comment",
  schema: z.object({ marker: z.string().min(1), body: z.string().min(1) }),
  perform: async ({ marker, body }, context) => {
    const { client, appId, botLogin, signal, write } = context;
    const late = await tooLate(context);
    if (late !== null) {
      return { state: "dropped", reason: late };
    }
    const place = placeOf(context);
    const hidden = markerOf(marker);
    const text = `${hidden}\n${body}`;
    const known = await findComment(client, place, hidden, { appId, botLogin }, signal);
    if (known === null) {
      const id = await write((writer) => createComment(writer, place, text, signal));
      return { state: "done", result: { id }, note: null };
    }
    if (known.body !== text) {
      await write((writer) => updateComment(writer, place, known.id, text, signal));
    }
    return { state: "done", result: { id: known.id }, note: null };
  },
});

import { z } from "zod";
import { handler } from "../handler.ts";

/** For the history alone: as an effect it is written once, whoever asks for it again. */
export const note = handler({
  kind: "note",
  schema: z.object({ text: z.string() }),
  perform: async ({ text }) => ({ state: "done", note: text }),
});

import { z } from "zod";
import { handler } from "../handler.ts";

/** What the policy asks for and may not be done here: people read why in the history. */
export const refused = handler({
  kind: "refused",
  schema: z.object({ action: z.string(), reason: z.string() }),
  perform: async ({ reason }) => ({ state: "refused", reason }),
});

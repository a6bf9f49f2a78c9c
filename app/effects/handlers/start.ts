import { z } from "zod";
import { handler } from "../handler.ts";

const text = z.string();

/** Puts the workflow into its line; `../../starts` does the rest, and says how it goes on the pull request. */
export const start = handler({
  kind: "start",
  schema: z.object({
    key: text.min(1),
    workflow: text.min(1),
    inputs: z.record(text, text),
    sha: text.min(1),
    limit: z.number().int().positive().nullable(),
  }),
  perform: async (payload, { effect, cause, store, wakeups, now }) => {
    const { repositoryId, number, key } = effect;
    const { workflow, inputs, sha, limit } = payload;
    const occasion = payload.key;
    const stage = cause?.stage ?? null;
    await store.starts.add({ repositoryId, number, key, occasion, stage, workflow, inputs, sha, limit }, now());
    wakeups.notify("workflow-runs");
    return { state: "done", result: { queued: workflow }, note: null };
  },
});

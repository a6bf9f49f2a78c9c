import type { EffectHandler } from "../handler.ts";

/** Puts the workflow into its line; `../../starts` does the rest, and says how it goes on the pull request. */
export const start: EffectHandler<"start"> = async (payload, { effect, cause, store, wakeups, now }) => {
  const { repositoryId, number, key } = effect;
  const { workflow, inputs, sha, limit } = payload;
  const occasion = payload.key;
  const stage = cause?.stage ?? null;
  await store.starts.add({ repositoryId, number, key, occasion, stage, workflow, inputs, sha, limit }, now());
  // An earlier one of the same stage sees that this one has taken its place.
  await store.starts.wakePull(effect, now());
  wakeups.notify("workflow-runs");
  return { state: "done", result: { queued: workflow }, note: null };
};

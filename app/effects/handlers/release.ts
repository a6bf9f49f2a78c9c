import type { EffectHandler } from "../handler.ts";

/**
 * The jobs that wait for the environment are looked at. What opens it is the stage that was reached, not this moment:
 * a job that comes later finds it open, too.
 */
export const releaseJob: EffectHandler<"release"> = async ({ environment }, { effect, store, wakeups, now }) => {
  await store.gates.wake(effect.repositoryId, now());
  wakeups.notify("deployment-gates");
  return { state: "done", result: null, note: `the environment ${environment} is released` };
};

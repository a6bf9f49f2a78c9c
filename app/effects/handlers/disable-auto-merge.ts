import { dequeue, disableAutoMerge, readMergeState } from "../../../src/github/pulls/merging.ts";
import type { EffectHandler, Performed } from "../handler.ts";
import { permissionHint } from "../permission-hints.ts";

/** A pull request that was sent back, or is on hold, must not merge itself. What people turned on is left to them. */
export const disableAutoMergeAction: EffectHandler<"disable_auto_merge"> = async (
  { stage },
  context,
): Promise<Performed> => {
  const { pull, client, appId, botLogin, signal, write } = context;
  if (pull === null) {
    return { state: "dropped", reason: "the pull request is not known any more" };
  }
  const { evaluation, facts } = pull;
  const there = evaluation?.entries.some((entry) => entry.stage === stage) === true;
  if (there && evaluation?.held === null) {
    return { state: "dropped", reason: `it has come to ${stage} again` };
  }
  const state = await readMergeState(client, facts.nodeId, appId, signal);
  if (state === null || state.state !== "open") {
    return { state: "done", note: null };
  }
  const { queued, autoMerge } = state;
  const on = queued ?? autoMerge;
  if (on === null) {
    return { state: "done", note: null };
  }
  if (!on.byApp || `${on.by}[bot]` !== botLogin) {
    const what = queued === null ? "auto-merge, which" : "the merge queue, into which";
    return {
      state: "done",
      note: `${what} ${on.by} ${queued === null ? "turned on, was left on" : "put it, was left alone"}`,
    };
  }
  const undo = queued === null ? disableAutoMerge : dequeue;
  const refusal = await write((writer) => undo(writer, facts.nodeId, signal));
  if (refusal !== null) {
    const code = refusal.type === "FORBIDDEN" ? "permission" : "refused";
    const hint = code === "permission" ? permissionHint("auto_merge", { kind: code }) : "";
    return { state: "refused", code, reason: `GitHub refused it: ${refusal.message}${hint}` };
  }
  return {
    state: "done",
    note: queued !== null ? "it was taken out of the merge queue" : "auto-merge was turned off",
  };
};

import { sendRepositoryDispatch } from "../../../src/github/workflows/dispatch.ts";
import { type EffectHandler, placeOf } from "../handler.ts";
import { staleReason } from "../staleness.ts";

/** Sent at least once: GitHub does not tell what became of it, so the key in its payload tells doubled ones. */
export const repositoryDispatch: EffectHandler<"repository_dispatch"> = async (
  { key, eventType, payload },
  context,
) => {
  const late = await staleReason(context);
  if (late !== null) {
    return { state: "dropped", reason: late };
  }
  const { owner, repo } = placeOf(context);
  const input = { owner, repo, eventType, payload: { ...payload, stagewright_key: key } };
  await context.write((client) => sendRepositoryDispatch(client, input, context.signal));
  return { state: "done", note: `repository_dispatch ${eventType} was sent` };
};

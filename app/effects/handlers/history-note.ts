import type { EffectHandler } from "../handler.ts";

/** For the history alone: as an effect it is written once, whoever asks for it again. */
export const note: EffectHandler<"note"> = async ({ text }) => ({ state: "done", note: text });

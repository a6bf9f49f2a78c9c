import type { EffectHandler } from "../handler.ts";

/** What the policy asks for and may not be done here: people read why in the history. */
export const refused: EffectHandler<"refused"> = async ({ reason }) => ({ state: "refused", reason });

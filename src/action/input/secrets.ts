/** The tokens that the step holds for itself, and that no command of a plan is given. */
import { tokenOf } from "./inputs.ts";

const HELD = /^ACTIONS_(?:.*_TOKEN|ID_TOKEN_REQUEST_URL)$|^STAGEWRIGHT_COORDINATOR_SECRET$/u;

export function heldTokens(env: Readonly<Record<string, string | undefined>>): readonly (string | undefined)[] {
  return [
    tokenOf(env),
    ...Object.entries(env)
      .filter(([name]) => HELD.test(name))
      .map(([, value]) => value),
  ];
}

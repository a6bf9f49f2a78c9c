/** What to do about an effect that GitHub refused. */
import type { RequestFailure } from "../../src/github/request-failure.ts";
import { ACTIONS } from "../../src/lifecycle/actions/index.ts";

const NEEDS: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map(
  Object.values(ACTIONS).map(({ kind, requiredPermissions: required }) => [kind, required]),
);

/** Begins with a full stop; empty: nothing that we know of. */
export function permissionHint(kind: string, failure: Pick<RequestFailure, "kind">): string {
  if (failure.kind !== "permission") {
    return "";
  }
  const required = Object.entries(NEEDS.get(kind) ?? {}).map(([permission, level]) => `${permission}: ${level}`);
  return required.length === 0
    ? ". The app may not do that here: see its permissions in the installation's settings"
    : `. It takes the app's permission ${required.join(", ")}: give it in the app's settings, and accept it in the installation's`;
}

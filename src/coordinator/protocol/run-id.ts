/** How a run is addressed. */
import { createHash } from "node:crypto";
import type { RunKey } from "../../run/types.ts";

/** The id of a run in addresses: derived from its key, so that all its agents find the same one. 22 characters. */
export function runIdOf(key: RunKey): string {
  const parts = [key.repositoryId, key.runId, String(key.attempt), key.group, key.plan];
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22);
}

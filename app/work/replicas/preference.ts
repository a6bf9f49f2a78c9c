/** Who takes what, without anybody to decide it: each key has an order of all replicas, and the first that lives takes it. */
import { createHash } from "node:crypto";

/** Of those, by rendezvous hashing: when one comes or goes, only what it gets or had moves. Null: there are none. */
export function preferredReplica(key: string, replicas: readonly string[]): string | null {
  let best: { readonly id: string; readonly weight: string } | null = null;
  for (const id of replicas) {
    const weight = createHash("sha256").update(`${key}\n${id}`).digest("hex");
    if (best === null || weight > best.weight) {
      best = { id, weight };
    }
  }
  return best?.id ?? null;
}

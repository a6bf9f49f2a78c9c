/** The thread of `PolicyReader`: says once that it is there, then answers one question after the other. */
import { parentPort } from "node:worker_threads";
import type { PolicyParts } from "../../src/lifecycle/merge-policies.ts";
import { type PolicyReading, readPolicy } from "../../src/lifecycle/read-policy.ts";

export interface PolicyQuestion {
  readonly content: string | Uint8Array;
  readonly file: string;
  readonly base: PolicyParts | null;
}

/** Both ways what is sent is plain data. `error`: reading threw, which it never should. */
export type ReaderAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "read"; readonly reading: PolicyReading }
  | { readonly kind: "failed"; readonly error: string };

parentPort?.on("message", ({ content, file, base }: PolicyQuestion) => {
  let answer: ReaderAnswer;
  try {
    answer = { kind: "read", reading: readPolicy(content, file, base) };
  } catch (error) {
    answer = { kind: "failed", error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  parentPort?.postMessage(answer);
});
parentPort?.postMessage({ kind: "ready" } satisfies ReaderAnswer);

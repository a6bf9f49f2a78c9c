/** The thread of `YamlReader`: says once that it is there, then answers one question after the other. */
import { parentPort } from "node:worker_threads";
import { localUses } from "../../src/github/workflows/local-uses.ts";
import type { PolicyParts } from "../../src/lifecycle/policy/merge-policies.ts";
import { type PolicyReading, readPolicy } from "../../src/lifecycle/policy/read-policy.ts";

export type Question =
  | {
      readonly kind: "policy";
      readonly content: string | Uint8Array;
      readonly file: string;
      readonly base: PolicyParts | null;
    }
  /** What a workflow or an action calls of its own repository. */
  | { readonly kind: "uses"; readonly content: string };

/** Both ways what is sent is plain data. `error`: reading threw, which it never should. */
export type ReaderAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "policy"; readonly reading: PolicyReading }
  | { readonly kind: "uses"; readonly paths: readonly string[] | null }
  | { readonly kind: "failed"; readonly error: string };

parentPort?.on("message", (question: Question) => {
  let answer: ReaderAnswer;
  try {
    answer =
      question.kind === "policy"
        ? { kind: "policy", reading: readPolicy(question.content, question.file, question.base) }
        : { kind: "uses", paths: localUses(question.content) };
  } catch (error) {
    answer = { kind: "failed", error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  parentPort?.postMessage(answer);
});
parentPort?.postMessage({ kind: "ready" } satisfies ReaderAnswer);

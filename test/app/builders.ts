/** Short ways to say what a test is about. */
import type { PullState } from "../../src/lifecycle/facts/facts.ts";

export const ALICE = { kind: "user", id: 101, login: "alice" } as const;
export const SHA = "a".repeat(40);

export function pullState(overrides: Partial<PullState> = {}): PullState {
  return {
    repository: { id: 1, owner: "acme", name: "widget", defaultBranch: "main", private: false },
    nodeId: "PR_7",
    title: "Add a gadget",
    body: "",
    author: ALICE,
    state: "open",
    merged: false,
    draft: false,
    openedAt: 1_000,
    head: { sha: SHA, ref: "gadget", repositoryId: 1 },
    base: { sha: "b".repeat(40), ref: "main" },
    labels: [],
    updatedAt: 1_000,
    ...overrides,
  };
}

/** Deliberately broken variants of the app: each must be caught, or the invariants are worth nothing. */
import type { Commit, Store } from "../../app/store/store.ts";
import type { Facts } from "../../src/lifecycle/facts.ts";
import type { Breakage } from "./process.ts";

/** What is broken -> how. */
export const BROKEN: Readonly<Record<string, Breakage>> = {
  "never sweeps and asks for no missed webhook": { sweeps: false },
  "forgets that it has sent something": {
    store: (store) =>
      withCommit(store, async (commit) => ({
        ...commit,
        pulls: (commit.pulls ?? []).map((pull) =>
          pull.intent === null ? pull : { ...pull, intent: { ...pull.intent, sentAt: null } },
        ),
      })),
  },
  "writes no history of moves back": {
    store: (store) =>
      withCommit(store, async (commit) => ({
        ...commit,
        history: (commit.history ?? []).filter((line) => line.kind !== "moved" || line.to !== "pr-created"),
      })),
  },
  "believes every run": {
    store: (store) =>
      withCommit(store, async (commit) => ({
        ...commit,
        pulls: (commit.pulls ?? []).map((pull) => ({ ...pull, facts: { ...pull.facts, ...believed(pull.facts) } })),
      })),
  },
  "takes every label for the one that it wanted": {
    store: (store) =>
      withCommit(store, async (commit) => ({
        ...commit,
        pulls: (commit.pulls ?? []).map((pull) =>
          pull.intent === null || pull.shown === null ? pull : { ...pull, intent: null, intentAt: null },
        ),
      })),
  },
};

function believed({ runOrigins }: Facts): Pick<Facts, "runOrigins"> {
  return runOrigins === undefined
    ? {}
    : { runOrigins: runOrigins.map((each) => ({ ...each, origin: "unchanged" as const, detail: "" })) };
}

function withCommit(store: Store, change: (commit: Commit) => Promise<Commit>): Store {
  return new Proxy(store, {
    get(target, key, receiver) {
      return key === "commit"
        ? async (commit: Commit) => target.commit(await change(commit))
        : Reflect.get(target, key, receiver);
    },
  });
}

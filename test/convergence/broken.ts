/** Deliberately broken variants of the app: each must be caught, or the invariants are worth nothing. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Claim, Commit, Pull, Repository, Store } from "../../app/store/model.ts";
import type { Evaluation } from "../../src/lifecycle/evaluation/evaluation.ts";
import type { Facts } from "../../src/lifecycle/facts/facts.ts";
import { placeKey } from "../../src/lifecycle/facts/order-in-second.ts";
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
  "takes the order in which it hears of acts for the order in which they happened": {
    store: (store) => withPulls(store, inOrderOfHearing()),
  },
  "takes a label that is on now for one given after every reset": {
    store: (store) =>
      withPulls(store, (pull) => ({
        ...pull,
        facts: { ...pull.facts, ...givenAfterAll(pull.facts, pull.evaluation) },
      })),
  },
  "leaves gates open when a hold is given": {
    store: (store) =>
      withCommit(store, async (commit) => ({
        ...commit,
        pulls: (commit.pulls ?? []).map((pull) =>
          pull.evaluation?.held == null || pull.intent?.from !== pull.intent?.to
            ? pull
            : { ...pull, intent: null, intentAt: null },
        ),
      })),
  },
  "does not listen to holds of the repository": {
    store: (store) => withHolds(store, { ...store.holds, of: async () => null }),
  },
  "never ends a hold of the repository": {
    store: (store) =>
      withHolds(store, { ...store.holds, put: async (word) => (word.held ? await store.holds.put(word) : true) }),
  },
  "shows no gate that does not apply": {
    policy: (now) => ({
      ...now,
      stages: now.stages.map((stage) => (stage.when === null ? stage : { ...stage, gate: false })),
    }),
  },
  "goes by the policy that it read first": { policy: (_, first) => first },
  "does not evaluate again when people's rights change": {
    store: (store) =>
      new Proxy(store, {
        get: (target, key, receiver) =>
          key === "requestReevaluation"
            ? async (...asked: Parameters<Store["requestReevaluation"]>) =>
                asked[0].people === true ? 0 : await store.requestReevaluation(...asked)
            : Reflect.get(target, key, receiver),
      }),
  },
  "keeps to the installation that it knew first": { store: withFirstInstallation },
  "takes every label for the one that it wanted": {
    store: (store) =>
      withCommit(store, async (commit) => ({
        ...commit,
        pulls: (commit.pulls ?? []).map((pull) =>
          pull.intent === null || pull.confirmed === null ? pull : { ...pull, intent: null, intentAt: null },
        ),
      })),
  },
  "writes what others own by now": {
    replicas: 3,
    store: (store) => withClaims(store, unfenced(store.claims)),
  },
  "takes over while requests of the owner before are on their way": {
    replicas: 3,
    store: (store) =>
      withClaims(store, {
        ...store.claims,
        claim: async (request) => (await store.claims.claim(request)).map((taken) => ({ ...taken, waitMs: 0 })),
      }),
  },
};

/** Knows what claim is in force, and checks none. */
function unfenced(claims: Store["claims"]): Store["claims"] {
  const inForce = new AsyncLocalStorage<Claim | null>();
  return {
    ...claims,
    within: (claim, work) => inForce.run(claim, work),
    inForce: () => inForce.getStore() ?? null,
    outside: (work) => inForce.run(null, () => claims.outside(work)),
  };
}

function believed({ runOrigins }: Facts): Pick<Facts, "runOrigins"> {
  return runOrigins === undefined
    ? {}
    : { runOrigins: runOrigins.map((each) => ({ ...each, origin: "unchanged" as const, detail: "" })) };
}

function withFirstInstallation(store: Store): Store {
  const first = new Map<number, number>();
  const kept = (repository: Repository): Repository => {
    const { id, installationId } = repository;
    if (installationId !== null && !first.has(id)) {
      first.set(id, installationId);
    }
    return { ...repository, installationId: first.get(id) ?? null };
  };
  const committing = withCommit(store, async (commit) => ({
    ...commit,
    repositories: (commit.repositories ?? []).map(kept),
  }));
  return new Proxy(committing, {
    get(target, key, receiver) {
      return key === "putRepository"
        ? async (repository: Repository) => await target.putRepository(kept(repository))
        : Reflect.get(target, key, receiver);
    },
  });
}

/** Each second's acts as they came first, in place of GitHub's own order. */
function inOrderOfHearing(): (pull: Pull) => Pull {
  const heard = new Map<string, string[]>();
  return (pull) => {
    const own = `${pull.repositoryId}#${pull.number}`;
    const ids = heard.get(own) ?? [];
    const fresh = pull.facts.acts.filter((act) => !ids.includes(act.id));
    heard.set(own, [...ids, ...fresh.map((act) => act.id)]);
    const order = heard.get(own) ?? [];
    const seconds = Map.groupBy(pull.facts.acts, (act) => act.at);
    const orders = [...seconds].map(([at, acts]) => ({
      at,
      keys: acts.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id)).flatMap((act) => placeKey(act) ?? []),
      givers: {},
      asked: acts.map((act) => act.id),
    }));
    return { ...pull, facts: { ...pull.facts, orders } };
  };
}

function givenAfterAll({ acts }: Facts, evaluation: Evaluation | null): Pick<Facts, "orders" | "absences"> {
  const after = (evaluation?.resets ?? []).map((reset) => reset.id);
  const seconds = Map.groupBy(acts, (act) => act.at);
  return {
    orders: [...seconds].map(([at, of]) => ({ at, keys: [], givers: {}, asked: of.map((act) => act.id) })),
    absences: acts.flatMap((act) =>
      act.kind === "labeled" ? [{ label: act.label.toLowerCase(), at: act.at, after }] : [],
    ),
  };
}

function withPulls(store: Store, change: (pull: Pull) => Pull): Store {
  return withCommit(store, async (commit) => ({ ...commit, pulls: (commit.pulls ?? []).map(change) }));
}

function withClaims(store: Store, claims: Store["claims"]): Store {
  return new Proxy(store, {
    get: (target, key, receiver) => (key === "claims" ? claims : Reflect.get(target, key, receiver)),
  });
}

function withHolds(store: Store, holds: Store["holds"]): Store {
  return new Proxy(store, {
    get: (target, key, receiver) => (key === "holds" ? holds : Reflect.get(target, key, receiver)),
  });
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

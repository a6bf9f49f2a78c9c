/** Whatever writes to the store is fenced: a method that is new and in neither list fails here. */
import type { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newPull } from "../../../app/store/change-pull.ts";
import { type Claim, ClaimLost, type Effect, type StartedRun, type Store } from "../../../app/store/model.ts";
import { isPostgresUrl, openStore, sqliteFile } from "../../../app/store/open.ts";
import { SessionTable } from "../../../src/coordinator/hosting/session-table.ts";
import { snapshotOf } from "../../../src/coordinator/hosting/snapshot.ts";
import { record } from "../../../src/lifecycle/facts/record.ts";
import { begin } from "../../../src/run/machine.ts";
import { openBeside } from "../../beside.ts";
import { created, plan } from "../../run/builders.ts";
import { pullState } from "../builders.ts";
import { DATABASES, type EmptyDatabase } from "./databases.ts";

const LOST: Claim = { key: "installation:5", owner: "frozen", fence: 1 };
const PULL = { repositoryId: 1, number: 7 };
const why = { code: "not_yet", text: "not yet" } as const;
const by = { kind: "user", id: 3, login: "olga" } as const;
const gate = { repositoryId: 1, runId: "9", environment: "prod", ref: "main", event: "push" };
const start = {
  ...PULL,
  key: "start",
  occasion: "o",
  stage: null,
  workflow: "ci.yml",
  inputs: {},
  sha: "a",
  limit: 1,
};
const policy = { inForce: null, source: null, problems: [], readAt: 1, head: null, branch: "main", private: false };
const state = { ...policy, reviewsRequired: null, shown: null, toShow: false };
const repository = {
  id: 1,
  nodeId: "R",
  installationId: 5,
  owner: "o",
  name: "n",
  defaultBranch: "main",
  private: false,
};
const delivery = { id: "d", event: "ping", payload: "{}", key: "k", receivedAt: 1 };
const records = [{ event: { type: "ticked", at: 1 } as const }];

/** What was stored before. */
interface Stored {
  readonly effect: Effect;
  readonly started: StartedRun;
  readonly seq: number;
}

const WRITES: Readonly<Record<string, (store: Store, stored: Stored) => Promise<unknown>>> = {
  acceptDeliveries: (store) => store.acceptDeliveries([{ ...delivery, id: "another" }]),
  postponeDelivery: (store, { seq }) => store.postponeDelivery(seq, 2, "later"),
  buryDelivery: (store, { seq }) => store.buryDelivery(seq, "never"),
  reviveDelivery: (store) => store.reviveDelivery("d", 1),
  pruneDeliveries: (store) => store.pruneDeliveries(9),
  commit: (store, { seq }) => store.commit({ done: [seq], now: 1 }),
  requestReevaluation: (store) => store.requestReevaluation({}, 1),
  postponeEffect: (store, { effect }) => store.postponeEffect(effect, 2, why, null),
  deferEffect: (store, { effect }) => store.deferEffect(effect, 2, why, null),
  noteEffect: (store, { effect }) => store.noteEffect(effect, {}),
  hastenEffects: (store) => store.hastenEffects(PULL, "label", 1),
  reviveEffects: (store) => store.reviveEffects(PULL, 1),
  reopenEffects: (store) => store.reopenEffects(1, "label", 0, 1),
  reviveEffect: (store, { effect }) => store.reviveEffect(effect.id, 1),
  pruneEffects: (store) => store.pruneEffects(9),
  putRepository: (store) => store.putRepository({ ...repository, name: "other" }),
  cache: (store) => store.cache([{ key: "k", scope: "s", value: 1 }], 1),
  dropCache: (store) => store.dropCache("s"),
  pruneCache: (store) => store.pruneCache(9),
  setMeta: (store) => store.setMeta("k", "v"),
  firstMeta: (store) => store.firstMeta("first", "v"),
  "runs.append": (store) => store.runs.append("a", 1, records),
  "runs.replace": (store) =>
    store.runs.replace("b", 0, 1, snapshotOf(begin(created(plan([{ name: "work" }]), 2, 5)), new SessionTable())),
  "runs.close": (store) => store.runs.close("a", 1),
  "runs.setNote": (store) => store.runs.setNote("a", {}),
  "runs.prune": (store) => store.runs.prune(9),
  "starts.add": (store) => store.starts.add({ ...start, key: "another" }, 1),
  "starts.claim": (store, { started }) => store.starts.claim(started, 1),
  "starts.save": (store, { started }) => store.starts.save(started),
  "starts.wakePull": (store) => store.starts.wakePull(PULL, 1),
  "starts.wakeQueue": (store) => store.starts.wakeQueue(1, "ci.yml", 1),
  "starts.wakeRun": (store) => store.starts.wakeRun(1, "9", 1),
  "starts.wakeAll": (store) => store.starts.wakeAll(1),
  "starts.wakeRuns": (store) => store.starts.wakeRuns(1, 1),
  "starts.retry": (store) => store.starts.retry({ repositoryId: 1, number: 8 }, 1),
  "starts.prune": (store) => store.starts.prune(9),
  "gates.asked": (store) => store.gates.asked(gate, 2),
  "gates.save": async (store) => {
    const [waiting] = await store.gates.waiting(1);
    return waiting && (await store.gates.save(waiting));
  },
  "gates.wake": (store) => store.gates.wake(1, 1),
  "gates.wakePull": (store) => store.gates.wakePull({ ...PULL, headSha: "a" }, 1),
  "gates.wakeAll": (store) => store.gates.wakeAll(1),
  "gates.wakeRun": (store) => store.gates.wakeRun(1, "9", 1),
  "gates.prune": (store) => store.gates.prune(9),
  "policies.mark": (store) => store.policies.mark([1], 1),
  "policies.save": (store) =>
    store.policies.save({
      repositoryId: 1,
      version: 0,
      observedGeneration: 1,
      dueAt: null,
      tries: 0,
      state,
      bases: null,
    }),
  "policies.postpone": (store) => store.policies.postpone(1, 1),
  "holds.put": (store) => store.holds.put({ repositoryId: 1, held: true, at: 1, by, reason: "" }),
  "sweeps.request": (store) => store.sweeps.request([1], 1),
  "sweeps.noteActivity": (store) => store.sweeps.noteActivity(1, 1, 1),
  "sweeps.settle": async (store) => {
    const sweep = await store.sweeps.of(1);
    return sweep && (await store.sweeps.settle(sweep, { failures: 0, activeSince: 0, activeAt: 1, idleAt: 2 }));
  },
  "sweeps.setPeopleAt": (store) => store.sweeps.setPeopleAt(1, 1),
  "forget.pulls": (store) => store.forget.pulls(9),
  "forget.deadDeliveries": (store) => store.forget.deadDeliveries(9),
  "forget.openEffects": (store) => store.forget.openEffects(9),
  "forget.history": (store) => store.forget.history(9),
  "forget.repository": (store) => store.forget.repository(1),
};

/** What reads, what is about claims themselves, and what ends the store. */
const OTHERS = `
  pendingDeliveries pendingInstallations delivery deadDeliveries knownDeliveries countDeliveries pull pulls pullIds history effectsDue effect deadEffects
  effectsOf repository repositoryByName repositories installedRepositories cached meta ping close
  replicas.beat replicas.leave claims.claim claims.release claims.heldBy claims.ownerOf claims.within claims.inForce claims.outside
  claims.keepPace claims.paces claims.prune
  runs.load runs.has runs.orphans runs.unfinished runs.note runs.list runs.open starts.byKey starts.ofPull starts.ofRun starts.open gates.ofRun
  gates.waiting gates.known policies.of policies.dependents holds.of counts.all counts.overdue forget.uninstalled
  due.pulls.outlook due.pulls.of due.transitions.outlook due.transitions.of due.effects.outlook due.effects.of
  due.starts.outlook due.starts.of due.gates.outlook due.gates.of due.policies.outlook due.policies.of
  due.sweeps.outlook due.sweeps.of due.people.outlook due.people.of sweeps.of sweeps.peopleAt
`
  .split(/\s+/u)
  .filter((name) => name !== "");

describe.each(DATABASES)("the store on $name", ({ empty }) => {
  let database: EmptyDatabase;
  let store: Store;
  let stored: Stored;
  let beside: DatabaseSync | null = null;
  beforeAll(async () => {
    database = await empty();
    store = await openStore(database.url);
    await store.putRepository(repository);
    const [accepted] = await store.acceptDeliveries([delivery]);
    const effect = { ...PULL, key: "e", installationId: 5, kind: "label", payload: {}, nextAt: 1 };
    const facts = record(null, {
      kind: "acts",
      pull: { installationId: 5, repository: pullState().repository, number: 7 },
      acts: [],
    });
    await store.commit({ effects: [effect], pulls: [newPull(PULL, facts, 5)], now: 1 });
    await store.starts.add(start, 1);
    await store.starts.add({ ...start, key: "refused", number: 8 }, 1);
    const refused = await store.starts.byKey("refused");
    if (refused === null) throw new Error("it is stored");
    await store.starts.save({ ...refused, state: "done", conclusion: "failure" });
    await store.gates.asked(gate, 1);
    await store.policies.mark([1], 1);
    await store.runs.append("a", 0, records);
    const [effectRead] = await store.effectsOf(PULL);
    const started = await store.starts.byKey("start");
    if (accepted === undefined || effectRead === undefined || started === null) throw new Error("it is stored");
    stored = { effect: effectRead, started, seq: accepted.seq };
    beside = isPostgresUrl(database.url) ? null : openBeside(sqliteFile(database.url));
  });
  afterAll(async () => {
    beside?.close();
    await store.close();
    database.remove();
  });

  /** Of SQLite; it changes with every commit of another connection that writes. */
  const dataVersion = () => beside?.prepare("PRAGMA data_version").get();

  it("knows of each method of the store whether it writes", () => {
    expect(methodsOf(store, "").sort()).toEqual([...Object.keys(WRITES), ...OTHERS].sort());
  });

  it.each(Object.entries(WRITES))("%s writes nothing under a claim that is lost", async (_, write) => {
    const before = dataVersion();
    await expect(store.claims.within(LOST, () => write(store, stored))).rejects.toThrow(ClaimLost);
    expect(dataVersion()).toEqual(before);
  });

  it("has its connection as before when a write was refused", async () => {
    const before = dataVersion();
    await expect(store.claims.within(LOST, () => store.setMeta("k", "v"))).rejects.toThrow(ClaimLost);
    await store.setMeta("k", "w");
    expect(await store.meta("k")).toBe("w");
    expect(beside !== null && dataVersion() === before).toBe(false);
  });

  it("writes under a claim that stands, several methods' writes under their own", async () => {
    await store.replicas.beat({ id: "a", address: null, version: "1" }, 3_600_000);
    const [taken] = await store.claims.claim({ keys: ["x"], owner: "a", requestMs: 0 });
    if (taken === undefined) throw new Error("it is free");
    for (const [name, write] of Object.entries(WRITES)) {
      await expect(store.claims.within(taken.claim, () => write(store, stored)).then(() => name)).resolves.toBe(name);
    }
  });

  it("keeps runs' records that are written in one commit under different claims apart", async () => {
    await store.replicas.beat({ id: "a", address: null, version: "1" }, 3_600_000);
    const [taken] = await store.claims.claim({ keys: ["x"], owner: "a", requestMs: 0 });
    if (taken === undefined) throw new Error("it is free");
    const outcomes = await Promise.allSettled([
      store.claims.within(LOST, () => store.runs.append("lost", 0, records)),
      store.claims.within(taken.claim, () => store.runs.append("ours", 0, records)),
      store.runs.append("nobody's", 0, records),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(await store.runs.load("lost")).toBeNull();
    expect(await store.runs.load("ours")).toMatchObject({ version: 1 });
  });
});

function methodsOf(of: object, path: string): string[] {
  return Object.entries(of).flatMap(([name, value]) =>
    typeof value === "function"
      ? [`${path}${name}`]
      : typeof value === "object" && value !== null
        ? methodsOf(value, `${path}${name}.`)
        : [],
  );
}

/** Runs are stored as snapshots and a bounded journal, and are gone on with from there. */
import { describe, expect, it } from "vitest";
import type { GroupRun } from "../../../src/coordinator/hosting/group-run.ts";
import type { RunRecord } from "../../../src/coordinator/hosting/run-store.ts";
import { Runs, type RunsOptions } from "../../../src/coordinator/hosting/runs.ts";
import { SessionTable } from "../../../src/coordinator/hosting/session-table.ts";
import { restoreRun, SNAPSHOT_VERSION, snapshotOf } from "../../../src/coordinator/hosting/snapshot.ts";
import { PROTOCOL, syncBodySchema } from "../../../src/coordinator/protocol/protocol.ts";
import { runIdOf } from "../../../src/coordinator/protocol/run-id.ts";
import { apply, type RunState } from "../../../src/run/machine.ts";
import type { RunEvent } from "../../../src/run/types.ts";
import { joined, report } from "../../run/builders.ts";
import { machine } from "../../simulation/machine.ts";
import { simulate } from "../../simulation/world.ts";
import { idle, joinOf, NEVER, planOf } from "../builders.ts";
import { MemoryRunStore } from "./memory-store.ts";

const PLAN = planOf(`
name: stored
agents: 2
stages:
${Array.from({ length: 40 }, (_, n) => `  - { name: stage-${n}, run: "true" }`).join("\n")}
`);
const ID = runIdOf(joinOf(PLAN, "node-0").key);
const NOBODY = { checkRunId: null, repository: null };

function runsOf(store: MemoryRunStore, options: Partial<RunsOptions> = {}): Runs {
  return new Runs({ store, onError: () => undefined, ...options });
}

/** A client of the run in this process: numbered requests, as they come from the wire. */
class Client {
  readonly #run: GroupRun;
  readonly #agent: string;
  #session = "";
  #sequence = 0;

  constructor(run: GroupRun, agent: string, session = "", sequence = 0) {
    this.#run = run;
    this.#agent = agent;
    this.#session = session;
    this.#sequence = sequence;
  }

  async join(): Promise<void> {
    const opened = await this.#run.join(joinOf(PLAN, this.#agent), `nonce-of-${this.#agent}`, NOBODY);
    this.#session = opened.session;
  }

  /** In the run as another process took it up. */
  in(run: GroupRun): Client {
    return new Client(run, this.#agent, this.#session, this.#sequence);
  }

  async sync(overrides: Parameters<typeof idle>[0] = {}, repeated = false): Promise<Record<string, unknown>> {
    if (!repeated) this.#sequence += 1;
    const request = { session: this.#session, sequence: this.#sequence, digest: JSON.stringify(overrides) };
    const known = { roster: null, outputs: null, notice: 0 };
    const said = { protocol: PROTOCOL, seq: this.#sequence, holdMs: 0, reset: null, sync: idle(overrides), known };
    const { instruction } = JSON.parse(await this.#run.sync(request, syncBodySchema.parse(said), NEVER));
    return instruction;
  }

  /** Does what it is told to, at once. @returns whether the run goes on */
  async step(): Promise<boolean> {
    const told = await this.sync();
    if (told.do === "execute") {
      const stage = Number(told.stage);
      const done = report({ stage, attempt: String(told.attempt), tail: "x".repeat(500) });
      await this.sync({ status: "running", stage, finished: [done] });
    }
    return told.do !== "finish";
  }
}

async function begun(store: MemoryRunStore, options: Partial<RunsOptions> = {}): Promise<[GroupRun, Client, Client]> {
  const run = await runsOf(store, options).open(joinOf(PLAN, "node-0"));
  const clients = [new Client(run, "node-0"), new Client(run, "node-1")] as const;
  for (const client of clients) await client.join();
  return [run, ...clients];
}

describe("what is written of a run", () => {
  it("is bounded, however long it goes on, and whole states are written seldom", async () => {
    const store = new MemoryRunStore();
    const leastJournalBytes = 8_192;
    const [run, first, second] = await begun(store, { leastJournalBytes });
    let largest = 0;
    let events = 0;
    while (!run.host.isOver) {
      await first.step();
      await second.step();
      events += 4;
      const kept = store.runs.get(ID);
      const journal = (kept?.records ?? []).reduce((sum, text) => sum + text.length, 0);
      largest = Math.max(largest, journal / Math.max(leastJournalBytes, kept?.snapshot?.length ?? 0));
    }
    expect(largest).toBeLessThan(1.2);
    expect(store.written.snapshots).toBeGreaterThan(1);
    expect(store.written.snapshots).toBeLessThan(events / 10);
  });

  it("is its end alone when it is over: nobody works it out again", async () => {
    const store = new MemoryRunStore();
    const [run, first, second] = await begun(store);
    await run.host.cancel("ann", "enough");
    while (!run.host.isOver) for (const client of [first, second]) await client.step();
    await run.host.saved();
    const stored = await store.load(ID);
    expect(stored?.records).toEqual([]);
    expect(stored?.snapshot).toMatchObject({ state: { status: "cancelled" } });
    const again = await runsOf(store).find(ID);
    expect(again?.host.summary()).toEqual(run.host.summary());
  });
});

describe("a run that is taken up again", () => {
  it("goes on from its snapshot and the records since, and knows the requests of before", async () => {
    const store = new MemoryRunStore();
    const [run, first, second] = await begun(store, { leastJournalBytes: 4_096 });
    for (let step = 0; step < 12; step += 1) for (const client of [first, second]) await client.step();
    await first.sync({ doing: "the last word" });
    await run.host.saved();
    const { snapshot, records } = (await store.load(ID)) ?? {};
    expect(snapshot).not.toBeNull();
    expect(records?.[0]?.event.type).not.toBe("created");
    const again = await runsOf(store).find(ID);
    if (again === null) throw new Error("it is gone");
    const { now: _now, notices: _notices, noticeSeq: _seq, ...state } = again.host.state;
    expect(state.position).toBe(run.host.state.position);
    const later = [first.in(again), second.in(again)];
    await expect(later[0]?.sync({ doing: "another word" }, true)).rejects.toThrow("accepted before with another body");
    expect(await later[0]?.sync({ doing: "the last word" }, true)).toMatchObject({ do: "execute" });
    while (!again.host.isOver) for (const client of later) await client.step();
    expect(again.host.summary()).toMatchObject({ verdict: "success" });
  });

  it("is what a replay of all events would have made of it, wherever the snapshot was taken", () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const [base, events] = lastLife(seed);
      const states = [base];
      for (const event of events) states.push(apply(states.at(-1) ?? base, event));
      for (const cut of [0, Math.floor(events.length / 3), events.length - 1]) {
        const state = states[cut] ?? base;
        const records = events.slice(cut).map((event) => ({ event }));
        const snapshot = written(snapshotOf(state, new SessionTable()));
        const restored = restoreRun({ version: events.length, snapshot, records: written(records) });
        expect(restored.state).toEqual(states.at(-1));
      }
    }
  });

  it("from records alone, as they were written before there were snapshots, is kept as a whole then", async () => {
    const store = new MemoryRunStore();
    const event = { type: "created", at: Date.now(), key: joinOf(PLAN, "").key, plan: PLAN, agentCount: 2 } as const;
    const created = { ...event, selection: { only: null, skip: [], stopAfter: null } };
    const opened = { id: "s-0", agent: "node-0", nonce: "nonce-of-node-0", checkRunId: null };
    await store.append(ID, 0, [{ event: created }, { event: joined("node-0", event.at, { session: "s-0" }), opened }]);
    const runs = runsOf(store);
    await runs.restore();
    const run = await runs.find(ID);
    expect(run?.host.state.agents[0]?.map(({ name }) => name)).toEqual(["node-0"]);
    const { version, snapshot, records } = (await store.load(ID)) ?? {};
    expect([version, records]).toEqual([3, []]);
    expect(snapshot).toMatchObject({ version: SNAPSHOT_VERSION, sessions: [{ id: "s-0", agent: "node-0" }] });
    run?.host.close();
  });
});

describe("a run that cannot be read", () => {
  const record = (event: RunEvent): RunRecord => ({ event });
  const cases: readonly (readonly [string, (store: MemoryRunStore) => Promise<unknown>, string])[] = [
    [
      "of a version that is not known",
      async (store) => {
        await begun(store);
        const kept = store.runs.get(ID);
        if (kept !== undefined) Object.assign(kept, { snapshot: '{"version":99,"state":{}}', records: [] });
      },
      "it was stored in version 99",
    ],
    [
      "whose beginning is lost",
      (store) => store.append(ID, 0, [record({ type: "ticked", at: 1 })]),
      "does not begin with its creation",
    ],
  ];
  it.each(cases)("%s is said to be so, ends for its agents, and holds nobody else up", async (_, spoil, why) => {
    const store = new MemoryRunStore();
    await spoil(store);
    const other = joinOf(PLAN, "node-0", { key: { ...joinOf(PLAN, "").key, runId: "2002" } });
    await runsOf(store).open(other);
    const errors: string[] = [];
    const told = Promise.withResolvers<readonly [string, string]>();
    const runs = runsOf(store, {
      onError: (error, what) => errors.push(`${what}: ${String(error)}`),
      onUnreadable: async (run, reason) => told.resolve([run, reason]),
    });
    await runs.restore();
    expect(await told.promise).toEqual([ID, expect.stringContaining(why)]);
    expect(errors).toEqual([expect.stringContaining(`run ${ID} cannot be gone on with: UnreadableRun: `)]);
    for (const asked of [runs.find(ID), runs.open(joinOf(PLAN, "node-0"))]) {
      await expect(asked).rejects.toMatchObject({ code: "ended", message: expect.stringContaining(why) });
    }
    expect(errors).toHaveLength(1);
    await expect.poll(() => store.unfinished()).toEqual([runIdOf(other.key)]);
    expect(await runs.find(runIdOf(other.key))).not.toBeNull();
    await runs.close();
  });

  it("stays open until those who follow it elsewhere have been told", async () => {
    const store = new MemoryRunStore();
    await store.append(ID, 0, [record({ type: "ticked", at: 1 })]);
    const errors: string[] = [];
    const onError = (_: unknown, what: string) => errors.push(what);
    const onUnreadable = async () => {
      throw new Error("GitHub does not answer");
    };
    await runsOf(store, { onError, onUnreadable }).restore();
    await expect.poll(() => errors).toEqual([`run ${ID} cannot be gone on with`, `the end of run ${ID}`]);
    expect(await store.unfinished()).toEqual([ID]);
  });
});

/** Plain JSON, as a store gives it back. */
function written<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

/** What happened to a simulated run since it began, or since its coordinator crashed last, and the state before that. */
function lastLife(seed: number): readonly [RunState, readonly RunEvent[]] {
  const before = new WeakMap<RunState, { readonly from: RunState; readonly event: RunEvent }>();
  let last: RunState | null = null;
  simulate(seed, {
    ...machine,
    apply: (state, event) => {
      const next = machine.apply(state, event);
      if (state !== null && next !== state) before.set(next, { from: state, event });
      last = next;
      return next;
    },
  });
  if (last === null) throw new Error("nothing happened");
  const events: RunEvent[] = [];
  let base: RunState = last;
  for (let link = before.get(base); link !== undefined; link = before.get(base)) {
    events.unshift(link.event);
    base = link.from;
  }
  return [base, events];
}

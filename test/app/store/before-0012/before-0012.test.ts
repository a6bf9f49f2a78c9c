/** What the version before migration 0012 stored is there, and goes on, in this one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { hostRuns } from "../../../../app/plan-runs/plan-runs.ts";
import { installedSince } from "../../../../app/reconciliation/installed-since.ts";
import type { Pull, Store } from "../../../../app/store/model.ts";
import { openStore } from "../../../../app/store/open.ts";
import { required } from "../../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../../house.ts";
import { githubOfThen, rowsOf, STOPPED_AT, writeDatabase } from "./database.ts";

const directory = mkdtempSync(join(tmpdir(), "stagewright-before-0012-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;
const newFile = (): string => {
  files += 1;
  return join(directory, `${files}.db`);
};
const parsed = (text: unknown): unknown => (text === null ? null : JSON.parse(String(text)));
/** In the words of now. */
const evaluationOf = (text: unknown): unknown => {
  const { spent, ...rest } = Object(parsed(text));
  return text === null ? null : { ...rest, usedLabels: spent };
};
const idOf = (row: Record<string, unknown>) => ({
  repositoryId: Number(row.repository_id),
  number: Number(row.number),
});

describe("a database of the version before 0012", () => {
  let store: Store;
  beforeAll(async () => {
    const file = newFile();
    writeDatabase(file);
    store = await openStore(`sqlite:${file}`);
  });
  afterAll(() => store.close());

  it("has all pull requests, as they were known and shown", async () => {
    const rows = rowsOf("pulls");
    expect(rows.length).toBeGreaterThan(8);
    for (const row of rows) {
      const pull = await store.pull(idOf(row));
      expect(pull).toMatchObject({
        installationId: row.installation_id,
        facts: parsed(row.facts_json),
        evaluation: evaluationOf(row.evaluation_json),
        intent: parsed(row.intent_json),
        intentAt: row.intent_at,
        blocked: parsed(row.blocked_json),
      } satisfies Partial<Record<keyof Pull, unknown>>);
      expect(pull?.confirmed).toEqual(parsed(row.shown_json));
    }
    const ids = { repositoryId: Number(rows[0]?.repository_id) };
    expect(await store.pullIds({ ...ids, blocked: true })).toHaveLength(rows.filter((row) => row.blocked_json).length);
    expect(await store.pullIds({ ...ids, open: true })).toHaveLength(7);
  });

  it("has the whole history", async () => {
    for (const row of rowsOf("pulls")) {
      const lines = rowsOf("history").filter((line) => JSON.stringify(idOf(line)) === JSON.stringify(idOf(row)));
      const { items } = await store.history(idOf(row), 1_000);
      expect(items).toEqual(
        lines.map((line) => ({
          ...idOf(line),
          id: line.id,
          at: line.at,
          kind: line.kind,
          from: line.from_stage,
          to: line.to_stage,
          actor: parsed(line.actor_json),
          reason: line.reason,
          evidence: parsed(line.evidence_json),
        })),
      );
    }
  });

  it("has the effects, done, waiting and given up, each once", async () => {
    const rows = rowsOf("effects");
    expect(new Set(rows.map((row) => row.status))).toEqual(new Set(["pending", "done", "dead"]));
    for (const row of rows) {
      expect(await store.effect(Number(row.id))).toMatchObject({
        ...idOf(row),
        key: String(row.key).replace("-trouble-", "-failure_report-"),
        status: row.status,
        tries: row.tries,
        nextAt: row.next_at,
        error: row.error,
        result: parsed(row.result_json),
      });
    }
    const [done] = rows.filter((row) => row.status === "done" && row.kind === "comment");
    const again = {
      ...idOf(required(done)),
      key: String(done?.key),
      installationId: 1,
      kind: "comment",
      payload: {},
      nextAt: 0,
    };
    await store.commit({ effects: [again], now: STOPPED_AT });
    expect(await store.effect(Number(done?.id))).toMatchObject({ status: "done" });
  });

  it("knows which deliveries are handled, which wait, and which were given up", async () => {
    const rows = rowsOf("deliveries");
    const of = (status: string) => rows.filter((row) => row.status === status);
    const waiting = await store.pendingDeliveries(0, 1_000);
    expect(waiting.map(({ id }) => id)).toEqual(of("pending").map((row) => row.id));
    for (const row of [...of("pending"), ...of("dead")]) {
      const { seq, id, event, key, payload, status, error } = row;
      expect(await store.delivery(Number(seq))).toMatchObject({ id, event, key, payload, status, error });
    }
    expect((await store.deadDeliveries(10)).items.map(({ id }) => id)).toEqual(of("dead").map((row) => row.id));
    const redelivered = of("done").map((row) => ({
      id: String(row.id),
      event: "label",
      payload: "{}",
      key: "k",
      receivedAt: STOPPED_AT,
    }));
    expect(redelivered.length).toBeGreaterThan(100);
    expect(await store.acceptDeliveries(redelivered)).toEqual([]);
    expect(await store.pruneDeliveries(STOPPED_AT + 1, 1_000)).toBe(redelivered.length);
  });

  it("knows what was in progress", async () => {
    expect(JSON.parse((await store.meta("in-progress")) ?? "")).toEqual({
      items: [
        { kind: "reevaluation", id: "3580001-2" },
        { kind: "transition", id: "3580001-7" },
      ],
      alone: null,
    });
  });

  it("has the workflow runs, the jobs that wait, policies, holds and since when it is installed", async () => {
    for (const row of rowsOf("started_runs")) {
      const detail = parsed(row.detail_json);
      expect(await store.starts.byKey(String(row.key))).toMatchObject({
        id: row.id,
        state: row.state,
        ...Object(detail),
      });
    }
    for (const row of rowsOf("waiting_gates")) {
      const [gate] = await store.gates.waiting(Number(row.repository_id));
      expect(gate).toMatchObject({
        runId: row.run_id,
        environment: row.environment,
        ...Object(parsed(row.detail_json)),
      });
    }
    for (const row of rowsOf("policies")) {
      const policy = await store.policies.of(Number(row.repository_id));
      expect(policy).toMatchObject({ observedGeneration: row.news_read, state: parsed(row.state_json) });
    }
    const [held] = rowsOf("repository_holds");
    const repositoryId = Number(held?.repository_id);
    expect(await store.holds.of(repositoryId)).toMatchObject({ reason: held?.reason, at: held?.at });
    expect(await installedSince(store, repositoryId)).toBe(1_796_074_645_000);
  });

  it("has the runs of groups, and takes up the one that goes on", async () => {
    const [going] = rowsOf("runs").filter((row) => row.over_at === null);
    const id = String(going?.id);
    for (const run of rowsOf("runs")) {
      const records = rowsOf("run_records", "version").filter((row) => row.run === run.id);
      expect(await store.runs.load(String(run.id))).toEqual({
        version: run.version,
        snapshot: null,
        records: records.map((row) => parsed(row.record_json)),
      });
    }
    const errors: string[] = [];
    const hosted = await hostRuns({
      store,
      publicUrl: "https://stagewright.example",
      issuer: "https://tokens.example",
      installation: async () => 7,
      client: async () => ({
        request: async () => ({
          status: 200,
          data: { id: 4711, head_sha: "a".repeat(40), total_count: 0, check_runs: [] },
          headers: {},
        }),
        graphql: async () => null,
      }),
      pace: { now: Date.now, sleep: async (ms, signal) => sleep(ms, undefined, { signal }) },
      onError: (error, what) => errors.push(`${what}: ${String(error)}`),
    });
    try {
      const run = await hosted.runs.find(id);
      const agents = required(run?.host.state.agents[0], "no agents");
      expect(agents.map((agent) => agent.name)).toEqual(["node-0", "node-1"]);
      await run?.host.cancel("somebody", "enough");
      await vi.waitFor(async () => expect(await store.runs.unfinished()).toEqual([]), { timeout: 30_000 });
    } finally {
      await hosted.close();
    }
  });
});

describe("an app that is started on it", () => {
  let house: House;
  const real = Date.now;
  beforeEach(async () => {
    // What was stored is a minute old, not years.
    let [from, began] = [STOPPED_AT, real()];
    Date.now = () => from + real() - began;
    const at = (ms: number): void => {
      [from, began] = [ms, real()];
    };
    const file = newFile();
    house = await openHouse({
      before: githubOfThen(file, at),
      databaseUrl: `sqlite:${file}`,
      manifest: "app-full.yml",
      events: ["deployment_protection_rule"],
      permissions: { actions: "write", deployments: "write" },
      timings: { reevaluationPause: 3_600_000 },
    });
  });
  afterEach(async () => {
    await house.close();
    Date.now = real;
  });

  it("does what was left to do, and what was done not again", async () => {
    await house.settled();
    const pull = (number: number) => required(house.repository.pulls.get(number));
    const stages = Object.fromEntries([1, 2, 3, 5, 6, 7, 8].map((each) => [each, house.stageLabels(pull(each))]));
    expect(stages).toEqual({
      1: ["stage/open"],
      // Approved while nobody was there to notice.
      2: ["stage/done"],
      3: ["stage/done"],
      5: ["stage/open"],
      6: ["stage/qa"],
      // It was on its way, and the other could not be shown.
      7: ["stage/qa"],
      8: ["stage/qa"],
    });
    expect(house.checks(pull(7))).toMatchObject({ "stagewright / qa": "success" });
    expect(await house.row(pull(8))).toMatchObject({ blocked: null, intent: null });
    expect((await house.row(pull(5)))?.evaluation?.held).toMatchObject({ reason: "until the release" });
    const [waiting] = rowsOf("effects").filter((row) => row.status === "pending");
    expect(await house.store.effect(Number(waiting?.id))).toMatchObject({ status: "done" });
    // Those who come to QA now are told so, and nobody else anew.
    const told = (number: number) => pull(number).comments.filter(({ body }) => body.includes("Over to QA"));
    expect([2, 3, 6, 7, 8].map((each) => told(each).length)).toEqual([0, 0, 0, 1, 1]);
    const started = await Promise.all(
      [6, 7, 8].map((number) => house.store.starts.ofPull({ repositoryId: house.repository.id, number })),
    );
    expect(started.map((each) => each.map(({ state }) => state))).toEqual([["queued"], ["queued"], ["queued"]]);
  });
});

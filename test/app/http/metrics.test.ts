/** What is counted, and who may read it. */
import { request } from "node:http";
import { connect } from "node:net";
import { Registry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { Metrics } from "../../../app/metrics/metrics.ts";
import { addComment, addLabelsByName, asUser, closePull, type PullRequest } from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";
import { openMemoryStore } from "../store/memory.ts";

let house: House;
afterEach(async () => {
  await house.close();
});

const POLICY = `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: ready, owner: tess, enter: { label: go }, max_age: 1s, on_overdue: [{ comment: "late" }, { label: late }] }
  - { name: approved, enter: { approvals: 1 } }
`;

const go = (pull: PullRequest) => addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["go"]);

/** The samples of the page: `name{labels}` -> value. */
async function metrics(): Promise<Record<string, number>> {
  const answer = await fetch(`${house.url}/metrics`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/u);
  const lines = (await answer.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space).replace(/^stagewright_/u, ""), Number(line.slice(space + 1))];
    }),
  );
}

const page = z.object({
  overdue: z.array(
    z.object({
      repository: z.string(),
      number: z.number(),
      title: z.string(),
      stage: z.string(),
      owner: z.string().nullable(),
      since: z.iso.datetime(),
      due: z.iso.datetime(),
    }),
  ),
  next: z.string().nullable(),
});
const overdue = async (query = "") => page.parse(await (await fetch(`${house.url}/api/overdue${query}`)).json());

describe("an overdue pull request", () => {
  it("is commented once, labelled, counted and listed with its owner, until it moves on", async () => {
    house = await openPolicyHouse(POLICY, { oneClock: true });
    const [late, other] = [house.open({ title: "Add a <gadget>" }), house.open()];
    await house.settled();
    expect(await metrics()).toMatchObject({ pull_requests_overdue: 0, 'pull_requests{stage="open"}': 2 });
    expect(await overdue()).toEqual({ overdue: [], next: null });

    go(late);
    await house.until("it is overdue", () => house.labels(late).includes("late"));
    await house.settled();
    expect(late.comments.filter((each) => each.appId === house.registered.id)).toHaveLength(1);
    expect(await metrics()).toMatchObject({
      pull_requests_overdue: 1,
      'pull_requests{stage="open"}': 1,
      'pull_requests{stage="ready"}': 1,
    });
    const listed = await overdue();
    expect(listed).toMatchObject({
      overdue: [
        { repository: "acme/widget", number: late.number, title: "Add a <gadget>", stage: "ready", owner: "tess" },
      ],
      next: null,
    });
    const [{ since, due } = { since: "", due: "" }] = listed.overdue;
    expect(Date.parse(due) - Date.parse(since)).toBe(1_000);

    // On hold it is not reminded of, and not counted.
    addComment(house.sandbox.world, asUser(house.cleo), late, "/stage hold");
    await house.settled();
    expect((await metrics()).pull_requests_overdue).toBe(0);
    house.later();
    addComment(house.sandbox.world, asUser(house.cleo), late, "/stage unhold");
    await house.settled();
    expect((await metrics()).pull_requests_overdue).toBe(1);

    closePull(house.sandbox.world, asUser(house.rex), late);
    closePull(house.sandbox.world, asUser(house.rex), other);
    await house.settled();
    const after = await metrics();
    expect(after.pull_requests_overdue).toBe(0);
    expect(Object.keys(after).filter((name) => name.startsWith("pull_requests{"))).toEqual([]);
    expect(await overdue()).toEqual({ overdue: [], next: null });
  });

  it("is listed in pages, the longest due first", async () => {
    house = await openPolicyHouse(POLICY, { oneClock: true });
    const pull = house.open();
    go(pull);
    await house.until("it is overdue", () => house.labels(pull).includes("late"));
    await house.settled();
    const row = await house.row(pull);
    if (row?.evaluation == null) throw new Error("it was not judged");
    const { evaluation } = row;
    const numbers = Array.from({ length: 204 }, (_, index) => 1_000 + index);
    await house.store.commit({
      pulls: numbers.map((number) => ({
        ...row,
        number,
        version: 0,
        // Two by two due at the same time.
        evaluation: { ...evaluation, dueAt: 5_000_000 - (number >> 1) },
      })),
      now: 1,
    });
    const seen: number[] = [];
    let next: string | null = "";
    while (next !== null) {
      const found: z.infer<typeof page> = await overdue(next === "" ? "" : `?after=${next}`);
      expect(found.overdue.length).toBeLessThanOrEqual(100);
      seen.push(...found.overdue.map((each) => each.number));
      next = found.next;
    }
    const expected = [...numbers].sort((a, b) => (b >> 1) - (a >> 1) || a - b);
    expect(seen).toEqual([...expected, pull.number]);
    expect((await fetch(`${house.url}/api/overdue?after=1-2`)).status).toBe(400);
    expect((await metrics()).pull_requests_overdue).toBe(205);

    // Nobody can do anything about those of a repository on which the app is not installed.
    const repository = await house.store.repository(house.repository.id);
    if (repository === null) throw new Error("it is not known");
    await house.store.putRepository({ ...repository, installationId: null });
    expect(await overdue()).toEqual({ overdue: [], next: null });
    expect(await metrics()).toMatchObject({ pull_requests_overdue: 0, moves_blocked: 0 });
  });
});

describe("the page of metrics", () => {
  it("counts moves, requests and what waits", async () => {
    house = await openPolicyHouse(POLICY, { oneClock: true });
    const pull = house.open();
    await house.settled();
    const before = await metrics();
    expect(before).toMatchObject({
      'moves_total{outcome="verified"}': 1,
      'moves_total{outcome="blocked"}': 0,
      transitions_total: 1,
      'event_to_verified_seconds_count{outcome="verified"}': 1,
      'event_to_verified_beyond_pace_seconds_count{outcome="verified"}': 1,
      'event_to_verified_seconds_count{outcome="blocked"}': 0,
      'inbox_deliveries{state="pending"}': 0,
      'inbox_deliveries{state="dead"}': 0,
      inbox_oldest_seconds: 0,
      'outbox_effects{state="due"}': 0,
      gates_waiting: 0,
      moves_pending: 0,
    });
    expect(before['github_requests_total{kind="graphql",status="2xx"}']).toBeGreaterThan(0);
    expect(before['github_rate_limit_remaining{resource="graphql"}']).toBeGreaterThan(0);

    // A move that GitHub does not do: tried again three times, then given up for now.
    const sandbox = house.sandbox;
    sandbox.faults.place({ kind: "status", match: { operation: "Transitions" }, status: 502, times: 4 });
    go(pull);
    await house.until("it is blocked", async () => (await house.row(pull))?.blocked != null);
    sandbox.faults.clear();
    await house.settled();
    const after = await metrics();
    expect(after).toMatchObject({ 'moves_total{outcome="blocked"}': 1, moves_blocked: 1, transitions_total: 1 });
    // A move that was given up counts once, as late as it is.
    expect(after['event_to_verified_seconds_count{outcome="blocked"}']).toBe(1);
    expect(after['moves_total{outcome="retried"}']).toBeGreaterThan(0);
    expect(after['github_requests_total{kind="graphql",status="5xx"}']).toBeGreaterThan(0);
    for (const name of Object.keys(after)) {
      expect(name).not.toMatch(/widget|acme|gadget/u);
    }
  });

  it("keeps the number of stages' names and kinds of requests within bounds", async () => {
    house = await openPolicyHouse(POLICY);
    const pull = house.open();
    await house.settled();
    const row = await house.row(pull);
    if (row?.confirmed == null) throw new Error("it is not shown");
    const { confirmed } = row;
    await house.store.commit({
      pulls: Array.from({ length: 200 }, (_, index) => ({
        ...row,
        number: 1_000 + index,
        version: 0,
        confirmed: { ...confirmed, stage: `stage-${index}` },
      })),
      now: 1,
    });
    const found = Object.entries(await metrics()).filter(([name]) => name.startsWith("pull_requests{"));
    expect(found).toHaveLength(51);
    expect(found.reduce((sum, [, count]) => sum + count, 0)).toBe(201);

    const store = await openMemoryStore();
    const registry = new Registry();
    const runs = (["running", "running", "failed"] as const).map((status) => ({ status, waitingSince: null, now: 0 }));
    const own = new Metrics({ store, now: () => 1_000, runs: async () => [...runs], registry });
    const limit = (resource: string, remaining: number, resetAt: number) => ({
      resource,
      limit: 100,
      remaining,
      resetAt,
    });
    own.requested({ installationId: 1, kind: "GET", status: 200, rateLimit: limit("core", 70, 2_000) });
    own.requested({ installationId: 2, kind: "GET", status: 404, rateLimit: limit("core", 30, 2_000) });
    own.requested({ installationId: 3, kind: "GET", status: 200, rateLimit: limit("core", 5, 1_000) });
    own.requested({ installationId: null, kind: "BREW", status: null, rateLimit: limit("coffee", 1, 2_000) });
    const [text, again] = await Promise.all([own.text(), own.text()]);
    expect(again).toBe(text);
    // The installation that has least, among those whose hour is not over.
    expect(text).toMatch(/github_rate_limit_remaining\{resource="core"\} 30\n/u);
    expect(text).toMatch(/github_rate_limit_remaining\{resource="other"\} 1\n/u);
    expect(text).toMatch(/github_requests_total\{kind="other",status="none"\} 1\n/u);
    expect(text).toMatch(/github_requests_total\{kind="GET",status="4xx"\} 1\n/u);
    expect(text).toMatch(/group_runs\{state="running"\} 2\n/u);
    await store.close();
  });
});

describe("what is told without a sign-in", () => {
  const PATHS = ["/metrics", "/api/overdue", "/api/deliveries/dead", "/api/pulls/acme/widget/1"];

  /** Status of a request with these headers. */
  const ask = (path: string, headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      request(`${house.url}${path}`, { headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      })
        .on("error", reject)
        .end();
    });

  it("is told to who is on this machine, and to nobody for whom a proxy asks", async () => {
    house = await openPolicyHouse(POLICY);
    house.open();
    await house.settled();
    const { port } = new URL(house.url);
    for (const path of PATHS) {
      expect(await ask(path, {}), path).toBe(200);
      expect(await ask(path, { host: `localhost:${port}` }), path).toBe(200);
      for (const header of [
        "Forwarded",
        "X-Forwarded-For",
        "X-Real-IP",
        "Via",
        "X-Forwarded-Proto",
        "CF-Connecting-IP",
      ]) {
        // Whatever it says: also an empty one, and one that names this machine.
        for (const value of ["", "for=127.0.0.1", "127.0.0.1"]) {
          expect(await ask(path, { [header]: value }), `${path} ${header}: ${value}`).toBe(403);
        }
      }
      for (const host of ["stagewright.example", "localhost.example", "127.0.0.1.example", "127.0.0.1@example"]) {
        expect(await ask(path, { host }), `${path} ${host}`).toBe(403);
      }
    }
    // Whether it lives is told to everybody.
    expect(await ask("/healthz", { "x-forwarded-for": "1.2.3.4" })).toBe(200);
  });

  it("is not told to nginx as it is without settings: HTTP 1.0, the name of this machine, and nothing added", async () => {
    house = await openPolicyHouse(POLICY);
    const { port } = new URL(house.url);
    for (const path of PATHS) {
      const answer = await new Promise<string>((resolve, reject) => {
        let text = "";
        const socket = connect(Number(port), "127.0.0.1", () => {
          socket.write(`GET ${path} HTTP/1.0\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
        });
        socket.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        socket.on("end", () => resolve(text)).on("error", reject);
      });
      expect(answer, path).toMatch(/^HTTP\/1\.[01] 403 /u);
    }
  });
});

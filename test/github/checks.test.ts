import { Octokit } from "@octokit/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CheckTarget, CheckText } from "../../src/github/checks/check-run.ts";
import { LiveCheck, openCheck, type Pace } from "../../src/github/checks/checks.ts";
import { requestFailure } from "../../src/github/request-failure.ts";
import { CheckServer } from "./check-server.ts";

const target: CheckTarget = {
  owner: "acme",
  repo: "widgets",
  headSha: "a".repeat(40),
  name: "stagewright / train",
  externalId: "77/1/train/train",
  detailsUrl: null,
};
const text = (title: string): CheckText => ({ title, summary: "s", text: null });
const never = new AbortController().signal;
const annotations = (n: number) =>
  Array.from({ length: n }, (_, i) => ({
    path: "plan.yml",
    start_line: i + 1,
    end_line: i + 1,
    annotation_level: "warning",
    message: `m${i}`,
  }));

let server: CheckServer;
let client: Octokit;
/** Pauses that were asked for; none is really waited. */
let pauses: number[];
let pace: Pace;

beforeEach(async () => {
  server = await new CheckServer().start();
  client = new Octokit({ baseUrl: server.url, log: { debug() {}, info() {}, warn() {}, error() {} } });
  pauses = [];
  pace = {
    now: () => 1_800_000_000_000,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      pauses.push(ms);
    },
  };
});
afterEach(() => server.stop());

async function open(): Promise<LiveCheck> {
  const opened = await openCheck(client, target, text("starting"), pace, never);
  if (!opened.opened) throw new Error(opened.failure.message);
  return opened.check;
}

describe("opening a check run", () => {
  it("creates it in progress, on the commit, with its external id", async () => {
    const check = await open();
    expect(check.handle).toEqual({ id: "1", url: "https://github.example/acme/widgets/runs/1" });
    expect(server.checks).toMatchObject([
      { name: target.name, head_sha: target.headSha, external_id: target.externalId, status: "in_progress" },
    ]);
  });

  it.each([
    [403, "Resource not accessible by integration"],
    [404, "Not Found"],
    [401, "Bad credentials"],
  ])("gives a refusal (%i) back as an answer, without trying again", async (status, message) => {
    server.faults.push({ status, message });
    const opened = await openCheck(client, target, text("x"), pace, never);
    expect(opened).toMatchObject({ opened: false, failure: { kind: "permission", status } });
    expect(server.requests).toEqual(["POST"]);
  });

  it("tries again after a 502, looking first for what the lost request may have made", async () => {
    server.faults.push({ method: "POST", status: 502, after: true });
    const check = await open();
    expect(server.checks).toHaveLength(1);
    expect(check.handle.id).toBe("1");
    expect(server.requests).toEqual(["POST", "GET"]);
    expect(pauses).toEqual([1000]);
  });

  it("creates it on the second try when the first did nothing", async () => {
    server.faults.push({ method: "POST", status: 500 });
    await open();
    expect(server.checks).toHaveLength(1);
    expect(server.requests).toEqual(["POST", "GET", "POST"]);
  });

  it("waits as long as GitHub asks for at a rate limit", async () => {
    server.faults.push({
      status: 403,
      message: "You have exceeded a secondary rate limit",
      headers: { "retry-after": "7" },
    });
    await open();
    expect(pauses).toEqual([7000]);
  });

  it("gives up where the wait is too long for a report", async () => {
    server.faults.push({ status: 429, headers: { "retry-after": "3600" } });
    const opened = await openCheck(client, target, text("x"), pace, never);
    expect(opened).toMatchObject({ opened: false, failure: { kind: "rate_limit", retryAfterMs: 3_600_000 } });
    expect(pauses).toEqual([]);
  });

  it("gives up after six tries when GitHub stays away", async () => {
    await server.stop();
    const opened = await openCheck(client, target, text("x"), pace, never);
    expect(opened).toMatchObject({ opened: false, failure: { kind: "temporary" } });
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000]);
    server = await new CheckServer().start();
  });
});

describe("updating", () => {
  it("sends the newest only, when several come while one is on its way", async () => {
    const check = await open();
    server.delayMs = 50;
    for (const title of ["one", "two", "three", "four"]) check.update(text(title));
    await expect.poll(() => server.titles.at(-1)).toBe("four");
    expect(server.titles).toEqual(["starting", "one", "four"]);
  });

  it("never overwrites the conclusion with an update on its way", async () => {
    const check = await open();
    server.delayMs = 50;
    check.update(text("running"));
    check.update(text("still running"));
    await check.conclude("success", text("done"), [], never);
    check.update(text("late"));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(server.titles).toEqual(["starting", "running", "done"]);
    expect(server.checks[0]).toMatchObject({ status: "completed", conclusion: "success" });
  });

  it("keeps a refused update as news, and can still conclude", async () => {
    const check = await open();
    server.faults.push({ method: "PATCH", status: 403, message: "Resource not accessible by integration" });
    check.update(text("running"));
    await expect.poll(() => check.failure?.kind).toBe("permission");
    expect(await check.conclude("failure", text("failed"), [], never)).toMatchObject({
      concluded: true,
      failure: null,
    });
  });
});

describe("concluding", () => {
  it("sends annotations in batches of 50, the conclusion with the first", async () => {
    const check = await open();
    const result = await check.conclude("failure", text("failed"), annotations(120), never);
    expect(result).toEqual({ concluded: true, annotationsSent: 120, failure: null });
    expect(server.requests).toEqual(["POST", "PATCH", "PATCH", "PATCH"]);
    expect(server.checks[0]?.annotations.map((a) => a.message)).toEqual(annotations(120).map((a) => a.message));
  });

  it("does not double a batch whose answer was lost", async () => {
    const check = await open();
    server.faults.push({ method: "PATCH", status: 502, after: true });
    await check.conclude("failure", text("failed"), annotations(60), never);
    expect(server.checks[0]?.annotations).toHaveLength(60);
  });

  it("sends a batch again that was lost before it arrived", async () => {
    const check = await open();
    server.faults.push({ method: "PATCH", status: 502 }, { method: "PATCH", status: 503 });
    await check.conclude("failure", text("failed"), annotations(60), never);
    expect(server.checks[0]?.annotations).toHaveLength(60);
  });

  it("says how many annotations arrived when the rest is refused; the verdict stands", async () => {
    const check = await open();
    server.faults.push({ method: "PATCH", skip: 1, status: 422, message: "Invalid request" });
    const result = await check.conclude("failure", text("failed"), annotations(60), never);
    expect(result).toMatchObject({ concluded: true, annotationsSent: 50, failure: { kind: "rejected" } });
    expect(server.checks[0]).toMatchObject({ status: "completed", conclusion: "failure" });
  });

  it("can be done by a later process that knows only the id", async () => {
    const { handle } = await open();
    const later = new LiveCheck(client, target, handle, pace);
    await later.conclude("cancelled", text("cancelled"), [], never);
    expect(server.checks[0]).toMatchObject({ status: "completed", conclusion: "cancelled" });
  });

  it("stops at once when its time is over", async () => {
    const check = await open();
    server.delayMs = 5000;
    const started = performance.now();
    const result = await check.conclude("cancelled", text("x"), [], AbortSignal.timeout(100));
    expect(performance.now() - started).toBeLessThan(3000);
    expect(result).toMatchObject({ concluded: false, annotationsSent: 0 });
  });
});

describe("requestFailure", () => {
  const now = 1_800_000_000_000;
  it.each([
    [{ status: 500, message: "x" }, "temporary", null],
    [
      {
        status: 403,
        message: "x",
        response: { headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000030" } },
      },
      "rate_limit",
      30_000,
    ],
    [{ status: 403, message: "Resource not accessible" }, "permission", null],
    [{ status: 422, message: "x" }, "rejected", null],
    [{ status: 429, message: "x", response: { headers: { "retry-after": "soon" } } }, "rate_limit", null],
    [new TypeError("fetch failed"), "temporary", null],
    ["a string", "temporary", null],
    [null, "temporary", null],
  ])("sorts %j as %s", (error, kind, retryAfterMs) => {
    expect(requestFailure(error, now)).toMatchObject({ kind, retryAfterMs });
  });
});

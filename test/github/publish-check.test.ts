import { Octokit } from "@octokit/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FinishedCheck, type Pace, publishCheck } from "../../src/github/checks/checks.ts";
import { CheckServer } from "./check-server.ts";

const never = new AbortController().signal;
const pace: Pace = { now: () => 1_800_000_000_000, sleep: async () => undefined };
const check = (annotations = 0): FinishedCheck => ({
  owner: "acme",
  repo: "widgets",
  headSha: "a".repeat(40),
  name: "stagewright / policy",
  externalId: "policy 1",
  detailsUrl: null,
  appId: 7,
  conclusion: "failure",
  text: { title: "t", summary: "s", text: null },
  annotations: Array.from({ length: annotations }, (_, index) => ({
    path: "p.yml",
    start_line: index + 1,
    end_line: index + 1,
    annotation_level: "failure",
    message: `m${index}`,
  })),
});

describe("publishing a check run whose result is known", () => {
  let server: CheckServer;
  let client: Octokit;
  beforeEach(async () => {
    server = await new CheckServer().start();
    client = new Octokit({ baseUrl: server.url, log: { debug() {}, info() {}, warn() {}, error() {} } });
  });
  afterEach(() => server.stop());
  const publish = (given: FinishedCheck) => publishCheck(client, given, pace, never);
  const lines = () => server.checks.map((each) => each.annotations.map((annotation) => annotation.start_line));

  it("creates it completed, annotations in batches of 50", async () => {
    expect(await publish(check(120))).toBeNull();
    expect(server.requests).toEqual(["GET", "POST", "PATCH", "PATCH"]);
    expect(server.checks).toMatchObject([{ status: "completed", conclusion: "failure", external_id: "policy 1" }]);
    expect(lines()).toEqual([Array.from({ length: 120 }, (_, index) => index + 1)]);
  });

  it.each([
    ["the first answer", { method: "POST", status: 502, after: true }],
    ["a later answer", { method: "PATCH", status: 502, after: true }],
    ["a later request", { method: "PATCH", status: 502 }],
  ])("writes nothing twice when %s is lost", async (_, fault) => {
    server.faults.push(fault);
    expect(await publish(check(120))).toBeNull();
    expect(lines()).toEqual([Array.from({ length: 120 }, (_, index) => index + 1)]);
  });

  it("leaves one that is there as it is, and one of another app alone", async () => {
    await publish(check(3));
    expect(await publish(check(3))).toBeNull();
    expect(lines()).toEqual([[1, 2, 3]]);
    expect(await publish({ ...check(3), appId: 8 })).toBeNull();
    expect(server.checks).toHaveLength(2);
  });

  it("writes again what it said before something else: GitHub shows the newest of a name", async () => {
    const other = { ...check(1), externalId: "policy 2" };
    for (const each of [check(1), other, check(1), check(1)]) {
      expect(await publish(each)).toBeNull();
    }
    expect(server.checks.map((each) => each.external_id)).toEqual(["policy 1", "policy 2", "policy 1"]);
    expect(lines()).toEqual([[1], [1], [1]]);
  });

  it("says why when the app may not", async () => {
    server.faults.push({ method: "POST", status: 403, message: "Resource not accessible by integration" });
    expect(await publish(check())).toMatchObject({ kind: "permission", status: 403 });
  });
});

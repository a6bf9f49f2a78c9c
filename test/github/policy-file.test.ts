import { Octokit } from "@octokit/rest";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readGrantedPermissions, readGuard } from "../../src/github/installation.ts";
import { readPolicyFile } from "../../src/github/policy-files/policy-file.ts";

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const client = new Octokit({ auth: "token", log: quiet });
const signal = AbortSignal.timeout(10_000);
const github = () => nock("https://api.github.com");
const widget = { owner: "acme", name: "widget" };
const PATH = ".github/stagewright.yml";

beforeEach(() => {
  nock.disableNetConnect();
});
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
  nock.enableNetConnect();
});

describe("a policy file", () => {
  const blob = { oid: "b10b", byteSize: 9, isBinary: false, isTruncated: false, text: "stages: ä" };
  const repository = (file: unknown, more: Record<string, unknown> = {}) => ({
    databaseId: 7,
    isPrivate: true,
    defaultBranchRef: { name: "main", target: { oid: "c0ffee", file }, ...more },
  });
  const entry = (overrides: Record<string, unknown> = {}) => ({ type: "blob", object: { ...blob, ...overrides } });
  const answers = (data: unknown, errors?: unknown) =>
    github()
      .post("/graphql")
      .reply(200, errors === undefined ? { data } : { data, errors });
  const read = (mostBytes = 100) => readPolicyFile(client, widget, PATH, mostBytes, signal);

  it("is read with its commit and its branch's rules by one query", async () => {
    const rules = { nodes: [null, { parameters: {} }, { parameters: { requiredApprovingReviewCount: 3 } }] };
    const more = { refUpdateRule: { requiredApprovingReviewCount: 2 }, rules };
    answers({ repository: repository(entry({ byteSize: 10 }), more) });
    expect(await read()).toEqual({
      repository: { id: 7, private: true },
      branch: "main",
      head: "c0ffee",
      file: { oid: "b10b", size: 10, content: "stages: ä" },
      reviewsRequired: 3,
    });
  });

  it.each([
    ["there is no such file", repository(null)],
    ["it is a folder", repository({ type: "tree", object: {} })],
    ["the repository is empty", { databaseId: 7, isPrivate: true, defaultBranchRef: null }],
  ])("is not there when %s", async (_, found) => {
    answers({ repository: found });
    expect(await read()).toMatchObject({ file: null, reviewsRequired: 0 });
  });

  it("beyond the bound is not read", async () => {
    answers({ repository: repository(entry({ byteSize: 101, isTruncated: true })) });
    expect((await read(100))?.file).toEqual({ oid: "b10b", size: 101, content: null });
  });

  it.each([
    ["is shortened", { isTruncated: true }],
    ["is not UTF-8", { isBinary: true, text: null }],
    ["has lost bytes on the way", { byteSize: 11 }],
  ])("whose text %s is read as bytes, of the same commit", async (_, overrides) => {
    answers({ repository: repository(entry(overrides)) });
    github()
      .get("/repos/acme/widget/contents/.github%2Fstagewright.yml")
      .query({ ref: "c0ffee" })
      .reply(200, { type: "file", encoding: "base64", content: "AAH/\n/w==\n" });
    expect((await read())?.file?.content).toEqual(Buffer.from([0, 1, 255, 255]));
  });

  it("of a repository that may not be seen is null", async () => {
    answers({ repository: null }, [{ type: "NOT_FOUND", path: ["repository"], message: "Could not resolve" }]);
    expect(await read()).toBeNull();
  });

  it("is asked for without the branch's rules where the app may not see these", async () => {
    answers({ repository: repository(entry({ byteSize: 10 })) }, [{ type: "FORBIDDEN", message: "not accessible" }]);
    github()
      .post("/graphql", (body) => !body.query.includes("refUpdateRule"))
      .reply(200, { data: { repository: repository(entry({ byteSize: 10 })) } });
    expect(await read()).toMatchObject({ file: { oid: "b10b" }, reviewsRequired: null });
  });

  it("that GitHub failed to look for is not taken for one that is not there", async () => {
    const odd = [{ message: "Something went wrong while executing your query." }];
    answers({ repository: repository(null) }, odd);
    answers({ repository: repository(null) }, odd);
    await expect(read()).rejects.toThrow("GitHub did not say what .github/stagewright.yml of acme/widget is");
  });
});

describe("an installation", () => {
  it("has granted permissions and events", async () => {
    const granted = { permissions: { contents: "read" }, events: ["push"] };
    github()
      .get("/app/installations/5")
      .reply(200, { id: 5, ...granted });
    expect(await readGrantedPermissions(client, 5, signal)).toEqual(granted);
  });

  it.each([
    ["ours", [{ id: 1, enabled: true, app: { id: 9, slug: "stagewright" } }]],
    ["not_ours", [{ id: 1, enabled: false, app: { id: 9 } }]],
    ["not_ours", [{ id: 1, enabled: true, app: { id: 8 } }]],
    ["not_ours", []],
  ])("guards an environment or does not: %s", async (guard, rules) => {
    github()
      .get("/repos/acme/widget/environments/to%2Fprod/deployment_protection_rules")
      .reply(200, { total_count: rules.length, custom_deployment_protection_rules: rules });
    expect(await readGuard(client, widget, "to/prod", 9, signal)).toBe(guard);
  });

  it("guards no environment that is missing, and an outage is no answer", async () => {
    const asked = () => github().get("/repos/acme/widget/environments/prod/deployment_protection_rules");
    asked().reply(404, { message: "Not Found" });
    expect(await readGuard(client, widget, "prod", 9, signal)).toBe("missing");
    asked().reply(502, "");
    await expect(readGuard(client, widget, "prod", 9, signal)).rejects.toMatchObject({ status: 502 });
  });
});

import { Octokit } from "@octokit/rest";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GraphqlRateLimited, sendGraphql } from "../../src/github/graphql.ts";
import { readIdentity, readMembership, readPermission } from "../../src/github/permissions.ts";
import { verifyLabels } from "../../src/github/pulls/transition.ts";
import { requestFailure } from "../../src/github/request-failure.ts";

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const client = new Octokit({ auth: "token", log: quiet });
const signal = AbortSignal.timeout(10_000);
const github = () => nock("https://api.github.com");

beforeEach(() => {
  nock.disableNetConnect();
});
afterEach(() => {
  nock.cleanAll();
  nock.enableNetConnect();
});

describe("a GraphQL request", () => {
  it("gives the data of what went well beside the errors of what did not", async () => {
    github()
      .post("/graphql")
      .reply(200, {
        data: { p0_add: { a: 1 }, p1_add: null },
        errors: [{ type: "NOT_FOUND", message: "gone", path: ["p1_add"] }, { message: "odd" }],
      });
    expect(await sendGraphql(client, "mutation { x }", {}, signal)).toEqual({
      data: { p0_add: { a: 1 }, p1_add: null },
      errors: [
        { type: "NOT_FOUND", message: "gone", alias: "p1_add", path: ["p1_add"] },
        { type: null, message: "odd", alias: null, path: [] },
      ],
    });
  });

  it("that GitHub refuses for now with status 200 is a rate limit, with the time to wait", async () => {
    github()
      .post("/graphql")
      .reply(
        200,
        { data: null, errors: [{ type: "RATE_LIMITED", message: "API rate limit exceeded" }] },
        { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000" },
      );
    const error = await sendGraphql(client, "{ x }", {}, signal).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GraphqlRateLimited);
    expect(requestFailure(error, 990_000)).toMatchObject({ kind: "rate_limit", retryAfterMs: 10_000 });
  });

  it.each([
    ["no answer", (scope: nock.Interceptor) => scope.replyWithError("socket hang up"), "temporary", null],
    ["a gateway's error", (scope: nock.Interceptor) => scope.reply(502, "<html>"), "temporary", 502],
    [
      "a secondary limit",
      (scope: nock.Interceptor) => scope.reply(403, { message: "secondary rate limit" }, { "retry-after": "7" }),
      "rate_limit",
      403,
    ],
    ["a bad token", (scope: nock.Interceptor) => scope.reply(401, { message: "Bad credentials" }), "permission", 401],
  ] as const)("with %s fails as what it is", async (_, answer, kind, status) => {
    answer(github().post("/graphql"));
    const error = await sendGraphql(client, "{ x }", {}, signal).catch((thrown: unknown) => thrown);
    expect(requestFailure(error, 0)).toMatchObject({ kind, status });
  });
});

describe("people's permissions", () => {
  const repository = { owner: "acme", name: "widget" };
  const alice = { kind: "user", id: 7, login: "alice" } as const;
  const permission = (body: unknown, status = 200) =>
    github()
      .get("/repos/acme/widget/collaborators/alice/permission")
      .reply(status, body as never);

  it.each([
    [{ permission: "write", role_name: "maintain", user: { id: 7 } }, "maintain"],
    [{ permission: "read", role_name: "triage", user: { id: 7 } }, "triage"],
    [{ permission: "write", role_name: "release-manager", user: { id: 7 } }, "write"],
    [{ permission: "none", user: { id: 7 } }, "none"],
  ])("%j is %s", async (body, expected) => {
    permission(body);
    expect(await readPermission(client, repository, alice, signal)).toBe(expected);
  });

  it("a login that belongs to somebody else by now grants nothing", async () => {
    permission({ permission: "admin", role_name: "admin", user: { id: 8 } });
    expect(await readPermission(client, repository, alice, signal)).toBe("none");
  });

  it("who is not there has none, but what cannot be asked is an error", async () => {
    permission({ message: "Not Found" }, 404);
    expect(await readPermission(client, repository, alice, signal)).toBe("none");
    permission({ message: "oops" }, 500);
    await expect(readPermission(client, repository, alice, signal)).rejects.toThrow();
  });

  it("only active members are members", async () => {
    const team = "/orgs/acme/teams/leads/memberships/alice";
    github().get(team).reply(200, { state: "active" }).get(team).reply(200, { state: "pending" }).get(team).reply(404);
    const ask = () => readMembership(client, "acme/leads", alice, signal);
    expect([await ask(), await ask(), await ask()]).toEqual([true, false, false]);
  });

  it("an app is known by its login with the suffix, and a login of nobody is nobody", async () => {
    github()
      .get("/users/tess%5Bbot%5D")
      .reply(200, { id: 9, login: "tess[bot]", type: "Bot" })
      .get("/users/nobody")
      .reply(404);
    expect(await readIdentity(client, "tess[bot]", signal)).toEqual({ kind: "bot", id: 9, login: "tess[bot]" });
    expect(await readIdentity(client, "nobody", signal)).toBeNull();
  });
});

describe("labels are right", () => {
  const on = (...names: string[]) => names.map((name) => ({ name, nodeId: name }));
  it.each([
    [on("stage/a", "bug"), "stage/a", [], true],
    [on("Stage/A"), "stage/a", [], true],
    [on("bug"), null, [], true],
    [on("bug"), "stage/a", [], "the label stage/a is missing"],
    [on("stage/a", "stage/b"), "stage/a", [], "it also has the label stage/b"],
    [on("stage/b"), null, [], "it also has the label stage/b"],
    [on("stage/a", "ready"), "stage/a", ["Ready"], "it still has the label ready"],
  ] as const)("%j with %s wanted and %j gone: %s", (labels, wanted, gone, expected) => {
    const verdict = verifyLabels(labels, wanted, gone);
    expect(verdict.right ? true : verdict.reason).toBe(expected);
  });
});

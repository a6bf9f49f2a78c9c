import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addUser, mintInstallationToken } from "../../src/sandbox/world/index.ts";
import { furnish, type House, refusalOf } from "./house.ts";

const where = { owner: "acme", repo: "demo" };
let house: House;

beforeEach(async () => {
  house = await furnish();
});
afterEach(() => house.close());

async function admin(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${house.sandbox.url}/_sandbox${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? null : JSON.parse(text) };
}

const label = () =>
  house.bot.rest.issues.addLabels({ ...where, issue_number: 1, labels: ["x"], request: { retries: 0 } });

describe("faults", () => {
  it("refuse so many times, without applying", async () => {
    expect(
      (
        await admin("POST", "/faults", {
          kind: "status",
          match: { route: "/repos/{owner}/{repo}/issues/{issue_number}/labels", method: "POST" },
          status: 502,
          times: 2,
        })
      ).status,
    ).toBe(201);
    expect((await refusalOf(label())).status).toBe(502);
    expect((await refusalOf(label())).status).toBe(502);
    expect(house.pull.labelIds.size).toBe(0);
    await label();
    expect(house.pull.labelIds.size).toBe(1);
    expect((await admin("GET", "/faults")).body).toEqual([]);
  });

  it("lose an answer after it was applied, by a cut or by a 502", async () => {
    await admin("POST", "/faults", {
      kind: "dropAnswer",
      match: { method: "POST", route: "/repos/acme/demo/issues/1/labels" },
    });
    await expect(label()).rejects.toThrow();
    expect(house.pull.labelIds.size).toBe(1);
    await admin("POST", "/faults", { kind: "dropAnswer", match: { method: "DELETE" }, how: "502" });
    expect((await refusalOf(house.bot.rest.issues.removeLabel({ ...where, issue_number: 1, name: "x" }))).status).toBe(
      502,
    );
    expect(house.pull.labelIds.size).toBe(0);
  });

  it("limit the rate, with GraphQL's own words", async () => {
    const { token } = mintInstallationToken(house.sandbox.world, house.installation);
    const ask = (query: string) =>
      fetch(`${house.sandbox.url}/api/graphql`, {
        method: "POST",
        headers: { authorization: `bearer ${token}` },
        body: JSON.stringify({ query }),
      });
    await admin("POST", "/faults", { kind: "rateLimited", match: { operation: "addComment" }, retryAfter: 7 });
    expect((await ask("{ viewer { login } }")).headers.get("retry-after")).toBeNull();
    const limited = await ask(
      `mutation { addComment(input: { subjectId: "${house.pull.nodeId}", body: "b" }) { clientMutationId } }`,
    );
    expect(limited.status).toBe(200);
    expect(limited.headers.get("retry-after")).toBe("7");
    expect(await limited.json()).toMatchObject({ errors: [{ type: "RATE_LIMITED" }] });
    expect(house.pull.comments).toEqual([]);
    await admin("POST", "/faults", { kind: "rateLimited", status: 429, match: { method: "POST" } });
    expect((await refusalOf(label())).status).toBe(429);
  });

  it("delay an answer that is applied in time", async () => {
    await admin("POST", "/faults", {
      kind: "delay",
      match: { method: "POST", route: "/repos/acme/demo/issues/1/labels" },
      ms: 150,
    });
    const started = performance.now();
    const answer = label();
    while (house.pull.labelIds.size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await answer;
    expect(performance.now() - started).toBeGreaterThanOrEqual(149);
  });

  it("are refused when they make no sense", async () => {
    expect((await admin("POST", "/faults", { kind: "nonsense" })).status).toBe(422);
    expect((await admin("POST", "/faults", { kind: "status", status: 502, unknown: 1 })).status).toBe(422);
    await admin("POST", "/faults", { kind: "status", status: 502 });
    expect((await admin("DELETE", "/faults")).status).toBe(204);
    await label();
  });
});

describe("the log of requests", () => {
  it("counts by route and is cleared", async () => {
    await label();
    await admin("DELETE", "/requests");
    await label();
    await house.bot.rest.pulls.get({ ...where, pull_number: 1 });
    await refusalOf(house.bot.rest.pulls.get({ ...where, pull_number: 99 }));
    expect((await admin("GET", "/requests")).body).toMatchObject({
      total: 3,
      routes: {
        "POST /repos/{owner}/{repo}/issues/{issue_number}/labels": 1,
        "GET /repos/{owner}/{repo}/pulls/{pull_number}": 2,
      },
      recent: [{ status: 200 }, { status: 200 }, { status: 404, path: "/repos/acme/demo/pulls/99" }],
    });
  });
});

describe("acting as somebody", () => {
  const act = (fields: Record<string, string>) =>
    fetch(`${house.sandbox.url}/_sandbox/act`, {
      method: "POST",
      redirect: "manual",
      body: new URLSearchParams({ repository: "acme/demo", number: "1", ...fields }),
    });

  it("does what the forms say and leads back", async () => {
    const answer = await act({ do: "label", as: "bob", label: "ready-for-qa" });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/acme/demo/pull/1"]);
    expect((await act({ do: "review", as: "bob", state: "APPROVED" })).status).toBe(303);
    expect(
      (await act({ do: "push", as: "alice", branch: "task-7", path: "n.txt", back: "/acme/demo/pull/1" })).headers.get(
        "location",
      ),
    ).toBe("/acme/demo/pull/1");
    expect((await act({ do: "comment", as: "stagewright[bot]", body: "hi" })).status).toBe(303);
    expect((await act({ do: "draft", as: "alice" })).status).toBe(303);
    expect((await admin("GET", "/state")).body).toMatchObject({
      repositories: [
        {
          pulls: [
            {
              draft: true,
              labels: ["ready-for-qa"],
              reviews: [{ by: "bob", state: "APPROVED" }],
              comments: [{ by: "stagewright[bot]" }],
            },
          ],
        },
      ],
    });
    const run = await act({ do: "dispatch", as: "bob", workflow: "qa.yml", ref: "main", inputs: '{"pr": "1"}' });
    expect(run.headers.get("location")).toMatch(/^\/acme\/demo\/actions\/runs\/\d+$/);
    expect(
      (await act({ do: "cancel", as: "bob", run: String(run.headers.get("location")?.split("/").at(-1)) })).status,
    ).toBe(303);
  });

  it("refuses as GitHub would, with the reason on the page", async () => {
    addUser(house.sandbox.world, "mallory");
    const refused = await act({ do: "review", as: "alice", state: "APPROVED" });
    expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining("your own pull request")]);
    expect(await (await act({ do: "label", as: "mallory", label: "x" })).text()).toContain("this takes triage");
    expect((await act({ do: "label", as: "nobody", label: "x" })).status).toBe(404);
    expect((await act({ do: "fly", as: "bob" })).status).toBe(422);
    expect((await act({ do: "push", as: "alice", branch: "b", path: "../x" })).status).toBe(422);
  });

  it("is not open to foreign web pages", async () => {
    const post = (headers: Record<string, string>) =>
      fetch(`${house.sandbox.url}/_sandbox/act`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
        body: "do=close&as=alice&repository=acme/demo&number=1",
      });
    expect((await post({ origin: "https://evil.test" })).status).toBe(403);
    expect(house.pull.state).toBe("open");
  });
});

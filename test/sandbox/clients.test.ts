/** What real clients of GitHub do that this project's own do not. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as w from "../../src/sandbox/world/index.ts";
import { furnish, type House, refusalOf } from "./house.ts";

const where = { owner: "acme", repo: "demo" };
let house: House;
let token: string;

beforeAll(async () => {
  house = await furnish();
  token = w.addUserToken(house.sandbox.world, house.alice);
});
afterAll(() => house.close());

const ask = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(`${house.sandbox.url}/api/v3${path}`, { method, headers: { authorization: `token ${token}`, ...headers } });
const told = async (answer: Response) => `${answer.status} ${await answer.text()}`;

describe("a workflow named by its number", () => {
  it("is shown, started, and has its runs listed, as by its file", async () => {
    const { bot } = house;
    const { id } = (await bot.rest.actions.getWorkflow({ ...where, workflow_id: "qa.yml" })).data;
    expect((await bot.rest.actions.getWorkflow({ ...where, workflow_id: id })).data.path).toBe(
      ".github/workflows/qa.yml",
    );
    const started = { ...where, workflow_id: id, ref: "main", inputs: { pr: "1" } };
    expect((await bot.rest.actions.createWorkflowDispatch(started)).status).toBe(204);
    expect((await bot.rest.actions.listWorkflowRuns({ ...where, workflow_id: id })).data.total_count).toBe(1);
    expect((await refusalOf(bot.rest.actions.getWorkflow({ ...where, workflow_id: 987654321 }))).status).toBe(404);
  });
});

describe("a connection", () => {
  it("is counted without a page, and gives no nodes without one", async () => {
    const query = (fields: string) => `{ repository(owner: "acme", name: "demo") { pullRequests { ${fields} } } }`;
    expect(await house.bot.graphql(query("totalCount"))).toEqual({ repository: { pullRequests: { totalCount: 1 } } });
    await expect(house.bot.graphql(query("totalCount nodes { number }"))).rejects.toThrow("`first` or `last`");
  });
});

describe("a media type", () => {
  const form = (name: string) => ({ accept: `application/vnd.github.v3.${name}` });

  it("raw of a file gives its bytes", async () => {
    const bytes = Buffer.from([0, 255, 10, 200]);
    const { world } = house.sandbox;
    w.commitFiles(world, w.asUser(house.alice), house.repo, { branch: "bin", message: "m", files: { "a.bin": bytes } });
    const answer = await ask("/repos/acme/demo/contents/a.bin?ref=bin", form("raw"));
    expect(answer.headers.get("content-type")).toBe("application/vnd.github.raw; charset=utf-8");
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
    const text = await ask("/repos/acme/demo/contents/README.md", { accept: "application/vnd.github.raw+json" });
    expect(await text.text()).toBe("# Demo\n");
  });

  it("sha of a commit gives its name alone", async () => {
    const answer = await ask("/repos/acme/demo/commits/task-7", form("sha"));
    expect(await answer.text()).toBe(house.pull.head.sha);
    const again = await ask("/repos/acme/demo/commits/task-7", {
      ...form("sha"),
      "if-none-match": answer.headers.get("etag") ?? "",
    });
    expect(again.status).toBe(304);
  });

  it("raw of what is written in Markdown is JSON, as on GitHub", async () => {
    expect(await (await ask("/repos/acme/demo/pulls/1", form("raw"))).json()).toMatchObject({ body: "Please." });
  });

  it.each([
    ["/repos/acme/demo/pulls/1", "diff", "GET /repos/{owner}/{repo}/pulls/{pull_number}"],
    ["/repos/acme/demo/pulls/1", "patch", "GET /repos/{owner}/{repo}/pulls/{pull_number}"],
    ["/repos/acme/demo/pulls/1", "html", "GET /repos/{owner}/{repo}/pulls/{pull_number}"],
    ["/repos/acme/demo/commits/main", "diff", "GET /repos/{owner}/{repo}/commits/{ref}"],
    ["/repos/acme/demo/compare/main...task-7", "patch", "GET /repos/{owner}/{repo}/compare/{basehead}"],
    ["/repos/acme/demo/contents/README.md", "html", "GET /repos/{owner}/{repo}/contents/{path}"],
    ["/repos/acme/demo/contents/src", "raw", "a directory"],
    ["/repos/acme/demo", "sha", "GET /repos/{owner}/{repo}"],
  ])("that is not served is refused by name: %s as %s", async (path, name, of) => {
    const answer = await told(await ask(path, form(name)));
    expect(answer).toMatch(/^501 /);
    expect(answer).toContain(`not implemented in the sandbox: the media type ${name} of ${of}`);
  });

  it("that GitHub does not know is refused in its words; previews and lists with JSON in them are not", async () => {
    expect(await told(await ask("/repos/acme/demo", { accept: "text/plain" }))).toMatch(
      /^415 .*Unsupported 'Accept' header: 'text\/plain'/,
    );
    for (const accept of [
      "application/vnd.github.merge-info-preview+json, application/vnd.github.nebula-preview",
      "application/vnd.github+json",
      "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
      "text/plain;q=0.2, application/json;q=0.1",
    ])
      expect((await ask("/repos/acme/demo", { accept })).headers.get("content-type")).toContain("application/json");
  });
});

describe("HEAD", () => {
  it("is answered like GET, without the body", async () => {
    const got = await ask("/repos/acme/demo");
    const asked = await ask("/repos/acme/demo", {}, "HEAD");
    expect([asked.status, asked.headers.get("etag"), await asked.text()]).toEqual([200, got.headers.get("etag"), ""]);
    expect((await ask("/repos/acme/none", {}, "HEAD")).status).toBe(404);
    expect((await ask("/repos/acme/demo/branches/main/protection", {}, "HEAD")).status).toBe(501);
    const inProcess = await house.sandbox.answer({
      method: "HEAD",
      url: new URL(`${house.sandbox.url}/api/v3/meta`),
      headers: {},
      body: "",
    });
    expect(inProcess).toMatchObject({ status: 200, body: "" });
  });
});

describe("basic authentication", () => {
  const as = (name: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`,
  });

  it("takes a token for the password, or for the name", async () => {
    const pairs = [
      ["x-access-token", token],
      ["alice", token],
      [token, ""],
      [token, "x-oauth-basic"],
    ] as const;
    for (const [name, password] of pairs)
      expect(await (await ask("/user", as(name, password))).json()).toMatchObject({ login: "alice" });
    const graphql = await fetch(`${house.sandbox.url}/api/graphql`, {
      method: "POST",
      headers: as("x-access-token", token),
      body: JSON.stringify({ query: "{ viewer { login } }" }),
    });
    expect(await graphql.json()).toEqual({ data: { viewer: { login: "alice" } } });
  });

  it("takes nothing else", async () => {
    for (const authorization of [as("alice", "secret").authorization, as("", "").authorization, "Basic !", "Basic"])
      expect(await told(await ask("/user", { authorization }))).toMatch(/^401 .*Bad credentials/);
  });
});

describe("what is asked of the list of commits", () => {
  const subjects = async (query: string) => {
    const answer = await ask(`/repos/acme/demo/commits?sha=log&${query}`);
    const listed: { commit: { message: string } }[] = JSON.parse(await answer.text());
    return listed.map((one) => one.commit.message);
  };

  beforeAll(() => {
    const { world } = house.sandbox;
    const add = (by: w.Account, message: string, files: Record<string, string>) =>
      w.commitFiles(world, w.asUser(by), house.repo, { branch: "log", message, files });
    add(house.bob, "docs", { "docs/a.md": "a" });
    add(house.alice, "code", { "src/b.txt": "b" });
    add(house.bob, "both", { "docs/a.md": "aa", "src/b.txt": "bb" });
  });

  it("is honoured: whose, which file or folder", async () => {
    expect(await subjects("author=bob")).toEqual(["both", "docs"]);
    expect(await subjects("committer=ALICE&path=src/b.txt")).toEqual(["code"]);
    expect(await subjects("path=docs")).toEqual(["both", "docs"]);
    expect(await subjects("path=doc")).toEqual([]);
    expect(await subjects("per_page=1&page=2")).toEqual(["code"]);
  });

  it("is honoured: since when, until when", async () => {
    const at = (ms: number) => new Date(ms).toISOString();
    const hour = 3_600_000;
    expect(await subjects(`since=${at(Date.now() - hour)}`)).toHaveLength(4);
    expect(await subjects(`since=${at(Date.now() + hour)}`)).toEqual([]);
    expect(await subjects(`until=${at(Date.now() - hour)}`)).toEqual([]);
    expect(await subjects(`until=${at(Date.now() + hour)}&author=alice`)).toEqual(["code", "Start"]);
  });
});

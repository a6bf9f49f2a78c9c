import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { importPKCS8, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as w from "../../src/sandbox/world/index.ts";
import { furnish, type House, refusalOf } from "./house.ts";

const where = { owner: "acme", repo: "demo" };
let house: House;

beforeEach(async () => {
  house = await furnish();
});
afterEach(() => house.close());

const seconds = () => Math.floor(Date.now() / 1000);

async function jwt(
  claims: { iat?: number; exp?: number; iss?: string },
  key = house.app.privateKey ?? "",
): Promise<string> {
  const pkcs8 = createPrivateKey(key).export({ type: "pkcs8", format: "pem" }).toString();
  return new SignJWT({ iat: seconds() - 30, exp: seconds() + 300, iss: String(house.app.id), ...claims })
    .setProtectedHeader({ alg: "RS256" })
    .sign(await importPKCS8(pkcs8, "RS256"));
}

const appSays = async (token: string) =>
  refusalOf(house.octokit(token).request("GET /app", { headers: { authorization: `bearer ${token}` } }));

describe("an app's own token", () => {
  it("opens its own door, by id or by client id", async () => {
    expect((await house.asApp.rest.apps.getAuthenticated()).data).toMatchObject({
      slug: "stagewright",
      installations_count: 1,
    });
    const byClient = await jwt({ iss: house.app.clientId });
    const answer = await house
      .octokit(byClient)
      .request("GET /app", { headers: { authorization: `bearer ${byClient}` } });
    expect(answer.data?.slug).toBe("stagewright");
  });

  it("is refused when expired, too long, of another key, or of nobody", async () => {
    expect(await appSays(await jwt({ exp: seconds() - 120 }))).toMatchObject({
      status: 401,
      message: expect.stringContaining("exp"),
    });
    expect(await appSays(await jwt({ exp: seconds() + 3600 }))).toMatchObject({
      status: 401,
      message: expect.stringContaining("too far in the future"),
    });
    const { privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    expect(await appSays(await jwt({}, privateKey))).toMatchObject({
      status: 401,
      message: expect.stringContaining("could not be decoded"),
    });
    expect(await appSays(await jwt({ iss: "999" }))).toMatchObject({
      status: 401,
      message: expect.stringContaining("Integration not found"),
    });
    expect((await appSays("a.b.c")).status).toBe(401);
  });

  it("does not reach into repositories", async () => {
    const token = await jwt({});
    const answer = await fetch(`${house.sandbox.url}/api/v3/repos/acme/demo/pulls/1`, {
      headers: { authorization: `bearer ${token}` },
    });
    expect(answer.status).toBe(401);
  });

  it("finds its installations, and only its own", async () => {
    const { asApp, installation, sandbox, acme } = house;
    expect((await asApp.rest.apps.listInstallations()).data.map((one) => one.id)).toEqual([installation.id]);
    expect((await asApp.rest.apps.getRepoInstallation(where)).data.id).toBe(installation.id);
    expect((await asApp.rest.apps.getOrgInstallation({ org: "acme" })).data.account).toMatchObject({ login: "acme" });
    const other = w.addApp(sandbox.world, { slug: "other", owner: acme, permissions: {}, events: [] });
    const foreign = w.install(sandbox.world, w.asUser(house.alice), { app: other, account: acme, repositories: "all" });
    expect(
      (await refusalOf(asApp.rest.apps.createInstallationAccessToken({ installation_id: foreign.id }))).status,
    ).toBe(404);
  });
});

describe("an installation's token", () => {
  const mint = async (options: { permissions?: Record<string, string>; repositories?: string[] }) => {
    const answer = await house.asApp.request("POST /app/installations/{installation_id}/access_tokens", {
      installation_id: house.installation.id,
      ...options,
    });
    return { ...answer.data, octokit: house.octokit(answer.data.token) };
  };

  it("carries no more than was asked for", async () => {
    const weak = await mint({ permissions: { issues: "read", contents: "read" } });
    expect(weak.permissions).toEqual({ metadata: "read", issues: "read", contents: "read" });
    await weak.octokit.rest.issues.listLabelsOnIssue({ ...where, issue_number: 1 });
    const refused = [
      () => weak.octokit.rest.issues.addLabels({ ...where, issue_number: 1, labels: ["x"] }),
      () => weak.octokit.rest.checks.create({ ...where, name: "n", head_sha: house.pull.head.sha }),
      () => weak.octokit.rest.pulls.get({ ...where, pull_number: 1 }),
      () => weak.octokit.rest.pulls.merge({ ...where, pull_number: 1 }),
    ];
    for (const ask of refused)
      expect(await refusalOf(ask())).toMatchObject({
        status: 403,
        message: expect.stringContaining("Resource not accessible by integration"),
      });
  });

  it("cannot be minted with what the installation lacks", async () => {
    w.setInstallationPermissions(house.sandbox.world, w.asUser(house.alice), house.installation, { contents: "read" });
    expect(await refusalOf(mint({ permissions: { contents: "write" } }))).toMatchObject({
      status: 422,
      message: expect.stringContaining("not granted"),
    });
    expect((await refusalOf(mint({ repositories: ["nothing"] }))).status).toBe(422);
    w.setSuspended(house.sandbox.world, w.asUser(house.alice), house.installation, true);
    expect((await refusalOf(mint({}))).status).toBe(403);
  });

  it("reaches only its repositories", async () => {
    const { sandbox, acme, alice, bob } = house;
    w.addRepository(sandbox.world, w.asUser(alice), {
      owner: acme,
      name: "hidden",
      private: true,
      files: { "a.txt": "a" },
    });
    const foreign = w.addRepository(sandbox.world, w.asUser(bob), {
      owner: bob,
      name: "open",
      files: { "a.txt": "a" },
    });
    const one = await mint({ repositories: ["demo"] });
    expect((await one.octokit.rest.apps.listReposAccessibleToInstallation()).data).toMatchObject({
      total_count: 1,
      repositories: [{ name: "demo" }],
    });
    expect((await refusalOf(one.octokit.rest.repos.get({ owner: "acme", repo: "hidden" }))).status).toBe(404);
    expect((await one.octokit.rest.repos.get({ owner: "bob", repo: foreign.name })).data.private).toBe(false);
    expect(
      (await refusalOf(one.octokit.rest.issues.createLabel({ owner: "bob", repo: "open", name: "x" }))).status,
    ).toBe(403);
    expect((await house.bot.rest.repos.get({ owner: "acme", repo: "hidden" })).data.private).toBe(true);
  });

  it("ends: revoked, uninstalled, expired", async () => {
    const one = await mint({});
    await one.octokit.rest.apps.revokeInstallationAccessToken();
    expect((await refusalOf(one.octokit.rest.repos.get(where))).status).toBe(401);
    const two = await mint({});
    w.uninstall(house.sandbox.world, w.asUser(house.alice), house.installation);
    expect((await refusalOf(two.octokit.rest.repos.get(where))).status).toBe(401);
  });

  it("expires after an hour of the sandbox's clock", async () => {
    let now = Date.now();
    const later = await furnish({ now: () => now });
    const { token } = w.mintInstallationToken(later.sandbox.world, later.installation);
    const octokit = later.octokit(token);
    await octokit.rest.repos.get(where);
    now += 3_601_000;
    expect((await refusalOf(octokit.rest.repos.get(where))).status).toBe(401);
    await later.close();
  });
});

describe("people", () => {
  it("do what their permission allows", async () => {
    const { sandbox, octokit, repo, alice } = house;
    const eve = w.addUser(sandbox.world, "eve");
    const asEve = octokit(w.addUserToken(sandbox.world, eve));
    await asEve.rest.issues.createComment({ ...where, issue_number: 1, body: "hello" });
    expect((await refusalOf(asEve.rest.issues.addLabels({ ...where, issue_number: 1, labels: ["x"] }))).status).toBe(
      403,
    );
    w.setCollaborator(sandbox.world, w.asUser(alice), repo, eve, "triage");
    await asEve.rest.issues.addLabels({ ...where, issue_number: 1, labels: ["x"] });
    expect((await refusalOf(asEve.rest.pulls.merge({ ...where, pull_number: 1 }))).status).toBe(403);
  });

  it("without a token read what is public, and no more", async () => {
    const anonymous = house.octokit("");
    expect((await anonymous.rest.repos.get(where)).status).toBe(200);
    expect(
      (await refusalOf(anonymous.rest.issues.createComment({ ...where, issue_number: 1, body: "x" }))).status,
    ).toBe(401);
    expect((await refusalOf(house.octokit("ghp_unknown").rest.repos.get(where))).message).toContain("Bad credentials");
  });
});

describe("a job's token", () => {
  it("has its job's permissions and ends with it", async () => {
    const { sandbox, alice, pull, repo, octokit } = house;
    const { world } = sandbox;
    const run = w.createRun(world, w.asUser(alice), {
      repository: repo,
      path: ".github/workflows/qa.yml",
      event: "push",
      ref: "refs/heads/task-7",
      sha: pull.head.sha,
      headSha: pull.head.sha,
      headBranch: "task-7",
      payload: {},
    });
    const job = w.addJob(world, run, { key: "qa", name: "qa", labels: [] });
    const mine = octokit(w.mintJobToken(world, job, { checks: "write", contents: "read" }));
    const made = (await mine.rest.checks.create({ ...where, name: "from the job", head_sha: pull.head.sha })).data;
    expect(made.app?.slug).toBe("github-actions");
    expect((await refusalOf(mine.rest.issues.addLabels({ ...where, issue_number: 1, labels: ["x"] }))).status).toBe(
      403,
    );
    expect((await mine.rest.repos.get(where)).headers["x-ratelimit-limit"]).toBe("1000");
    w.updateJob(world, job, { status: "completed", conclusion: "success" });
    expect((await refusalOf(mine.rest.repos.get(where))).status).toBe(401);
  });
});

describe("rate limits", () => {
  it("count down, tell when they reset, and end in 403", async () => {
    let now = Date.now();
    const small = await furnish({ limits: { user: 3 }, now: () => now });
    const first = await small.asBob.rest.repos.get(where);
    expect(first.headers).toMatchObject({
      "x-ratelimit-limit": "3",
      "x-ratelimit-remaining": "2",
      "x-ratelimit-used": "1",
      "x-ratelimit-resource": "core",
    });
    await small.asBob.rest.repos.get(where);
    await small.asBob.rest.repos.get(where);
    expect(await refusalOf(small.asBob.rest.repos.get(where))).toMatchObject({
      status: 403,
      message: expect.stringContaining("rate limit exceeded"),
    });
    expect((await small.asBob.rest.rateLimit.get()).data.resources.core).toMatchObject({ remaining: 0, limit: 3 });
    await small.asAlice.rest.repos.get(where);
    now += 3_600_001;
    expect((await small.asBob.rest.repos.get(where)).headers["x-ratelimit-remaining"]).toBe("2");
    await small.close();
  });
});

/** What all routes share: pages, ETags, validation, refusals by name. Every answer here is checked against GitHub's description by the sandbox itself (`checkResponses`). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { routes } from "../../src/sandbox/rest/routes.ts";
import { addTeam, addTeamMember, asUser } from "../../src/sandbox/world/index.ts";
import { furnish, type House, refusalOf } from "./house.ts";

const where = { owner: "acme", repo: "demo" };
let house: House;

beforeEach(async () => {
  house = await furnish();
});
afterEach(() => house.close());

describe("people", () => {
  it("knows permissions and teams", async () => {
    const { bot, sandbox, acme, alice, bob } = house;
    const team = addTeam(sandbox.world, asUser(alice), acme, "quality", "Quality");
    addTeamMember(sandbox.world, asUser(alice), team, bob);
    expect((await bot.rest.repos.getCollaboratorPermissionLevel({ ...where, username: "bob" })).data).toMatchObject({
      permission: "write",
      role_name: "write",
    });
    expect((await bot.rest.repos.getCollaboratorPermissionLevel({ ...where, username: "alice" })).data.permission).toBe(
      "admin",
    );
    expect(
      (await bot.rest.teams.getMembershipForUserInOrg({ org: "acme", team_slug: "quality", username: "bob" })).data,
    ).toMatchObject({ state: "active", role: "member" });
    expect(
      (
        await refusalOf(
          bot.rest.teams.getMembershipForUserInOrg({ org: "acme", team_slug: "quality", username: "alice" }),
        )
      ).status,
    ).toBe(404);
    expect(
      (await bot.rest.teams.listMembersInOrg({ org: "acme", team_slug: "quality" })).data.map((one) => one.login),
    ).toEqual(["bob"]);
    expect((await bot.rest.teams.getByName({ org: "acme", team_slug: "quality" })).data.members_count).toBe(1);
    const asked = { org: "acme", team_slug: "quality", ...where };
    expect((await refusalOf(bot.rest.teams.checkPermissionsForRepoInOrg(asked))).status).toBe(404);
    const asking = { ...where, pull_number: 1, team_reviewers: ["quality"] };
    expect((await refusalOf(house.asAlice.rest.pulls.requestReviewers(asking))).status).toBe(422);
    await house.asAlice.rest.teams.addOrUpdateRepoPermissionsInOrg({ ...asked, permission: "maintain" });
    expect((await bot.rest.teams.checkPermissionsForRepoInOrg(asked)).status).toBe(204);
    expect((await bot.rest.repos.getCollaboratorPermissionLevel({ ...where, username: "bob" })).data.role_name).toBe(
      "maintain",
    );
    await house.asAlice.rest.teams.removeRepoInOrg(asked);
    expect((await refusalOf(bot.rest.teams.checkPermissionsForRepoInOrg(asked))).status).toBe(404);
    expect((await house.asBob.rest.users.getAuthenticated()).data.login).toBe("bob");
    expect((await bot.rest.users.getByUsername({ username: "stagewright[bot]" })).data.type).toBe("Bot");
  });
});

describe("the door", () => {
  it("pages with Link headers", async () => {
    const { bot } = house;
    for (let i = 0; i < 35; i += 1) await bot.rest.issues.createLabel({ ...where, name: `l${i}` });
    const first = await bot.rest.issues.listLabelsForRepo(where);
    expect(first.data).toHaveLength(30);
    expect(first.headers.link).toContain('page=2>; rel="next"');
    expect(await bot.paginate(bot.rest.issues.listLabelsForRepo, { ...where, per_page: 10 })).toHaveLength(35);
  });

  it("answers 304 to a known ETag, for free", async () => {
    const { bot } = house;
    const first = await bot.rest.repos.get(where);
    const again = await refusalOf(
      bot.request("GET /repos/{owner}/{repo}", { ...where, headers: { "if-none-match": first.headers.etag } }),
    );
    expect(again.status).toBe(304);
    const before = Number(first.headers["x-ratelimit-remaining"]);
    expect(Number((await bot.rest.repos.get(where)).headers["x-ratelimit-remaining"])).toBe(before - 1);
  });

  it("says what is wrong with a request, and refuses what is not JSON", async () => {
    const { bot, sandbox } = house;
    const refusal = await refusalOf(bot.request("POST /repos/acme/demo/labels", { name: 7 }));
    expect(refusal).toMatchObject({ status: 422, message: expect.stringContaining("/name must be string") });
    const auth = await bot.auth({ type: "installation" });
    const token = typeof auth === "object" && auth !== null && "token" in auth ? String(auth.token) : "";
    const raw = await fetch(`${sandbox.url}/api/v3/repos/acme/demo/labels`, {
      method: "POST",
      headers: { authorization: `token ${token}` },
      body: "{",
    });
    expect(raw.status).toBe(400);
  });

  it("answers 501 by name for what GitHub has and the sandbox has not, 404 for what is unknown", async () => {
    const { bot } = house;
    expect(await refusalOf(bot.rest.repos.listReleases(where))).toMatchObject({
      status: 501,
      message: expect.stringContaining("GET /repos/{owner}/{repo}/releases"),
    });
    expect((await refusalOf(bot.request("GET /nothing/here"))).status).toBe(404);
    expect((await refusalOf(bot.request("GET /repos/acme/demo/pulls/abc"))).status).toBe(404);
  });

  it("serves the paths of api.github.com without the prefix too", async () => {
    expect((await fetch(`${house.sandbox.url}/repos/acme/demo`)).status).toBe(200);
    expect((await fetch(`${house.sandbox.url}/meta`)).status).toBe(200);
  });

  it("has a handler for each operation once", () => {
    const names = routes.map((one) => one.operation);
    expect(new Set(names).size).toBe(names.length);
  });
});

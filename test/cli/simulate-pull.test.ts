/** `simulate --pr` against a server that answers as GitHub does, beside the app that really moves the pull request. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addLabelsByName,
  addRepository,
  addUserToken,
  asUser,
  commitFiles,
  createRef,
  openPull,
  type PullRequest,
  setCollaborator,
} from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../app/house.ts";
import { Bench } from "./cli.ts";

const FILE = ".github/stagewright.yml";
const POLICY = `version: 1
stages:
  - { name: draft-of-it, enter: { draft: false } }
  - name: checked
    enter: { label: { name: check-me, by: [cleo] }, paths: ["gadget-*.txt"] }
    on_enter: [{ comment: "over to {{owner}}" }]
    owner: tess
`;

let house: House;
let bench: Bench;
beforeAll(async () => {
  house = await openHouse();
  bench = new Bench();
  bench.file("policy.yml", POLICY);
});
afterAll(async () => {
  bench.dispose();
  await house.close();
});

async function simulate(pull: PullRequest, ...more: string[]) {
  return await simulateIn("acme/widget", pull, ...more);
}

async function simulateIn(repository: string, pull: PullRequest, ...more: string[]) {
  const api = `${house.sandbox.url}/api/v3`;
  const url = `${house.sandbox.url}/${repository}/pull/${pull.number}`;
  const env = { GITHUB_TOKEN: addUserToken(house.sandbox.world, house.rex), GITHUB_API_URL: api };
  return await bench.run(["simulate", "--pr", url, ...more], env);
}

describe("simulate --pr", () => {
  it("says that nothing would change where the app has done its work, and what it waits for", async () => {
    const pull = house.open();
    await house.settled();
    const { code, stdout, stderr } = await simulate(pull);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("stage    pr-created, since ");
    expect(stdout).toContain("missing  ready-for-qa: ");
    expect(stdout).not.toContain("add the label");
  });

  it("tries out another policy on it, asking GitHub about people and files", async () => {
    const pull = house.open();
    await house.settled();
    house.later();
    addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["check-me"]);
    await house.settled();
    const before = house.sandbox.requests.counts().graphql.operations;
    const { code, stdout } = await simulate(pull, "--policy", "policy.yml", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      from: "pr-created",
      stage: "checked",
      add_labels: ["stage/checked"],
      remove_labels: ["stage/pr-created"],
      actions: [
        { stage: "draft-of-it", passed: true, effects: [] },
        { stage: "checked", passed: false, effects: [{ kind: "comment" }] },
      ],
      unknown: [],
    });
    const after = house.sandbox.requests.counts().graphql.operations;
    const added = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(added).toEqual(["Snapshot"]);
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
  });

  it("goes by the repository's own policy, with the one that it extends", async () => {
    const { world } = house.sandbox;
    const files = { [FILE]: POLICY };
    const base = addRepository(world, asUser(house.owner), { owner: house.owner, name: "rules", files });
    const repository = addRepository(world, asUser(house.owner), {
      owner: house.owner,
      name: "gear",
      files: { [FILE]: `version: 1\nextends: acme/rules\nstages: [{ name: first, enter: { draft: false } }]\n` },
    });
    setCollaborator(world, asUser(house.owner), repository, house.rex, "write");
    const main = repository.refs.get("refs/heads/main") ?? "";
    createRef(world, asUser(house.rex), repository, "refs/heads/change", main);
    const change = { branch: "change", message: "Change", files: { [FILE]: "stages: broken" } };
    commitFiles(world, asUser(house.rex), repository, change);
    const pull = openPull(world, asUser(house.rex), repository, { head: "change", base: "main", title: "Change" });
    const own = await simulateIn("acme/gear", pull);
    expect(own).toMatchObject({ code: 0, stderr: "" });
    expect(own.stdout).toContain("stage    first");
    expect(own.stdout).toContain("add the label stage/first");

    bench.file("building.yml", "version: 1\nextends: acme/rules\n");
    const built = await simulateIn("acme/gear", pull, "--policy", "building.yml");
    expect(built).toMatchObject({ code: 0, stderr: "" });
    expect(built.stdout).toContain("stage    draft-of-it");

    const broken = { branch: "main", message: "Break", files: { [FILE]: "version: 1\nstages:\n  - nme: a\n" } };
    commitFiles(world, asUser(house.owner), base, broken);
    const refused = await simulateIn("acme/gear", pull);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain(`${FILE}:2:10: error: extends: acme/rules has `);
  });

  it("changes nothing of what is there and asks no other server for anything", async () => {
    const pull = house.open();
    const url = `${house.sandbox.url}/acme/widget/pull/${pull.number}`;
    const run = (env: Record<string, string>) => bench.run(["simulate", "--pr", url], env);
    const away = await run({ GITHUB_TOKEN: "t" });
    expect(away).toMatchObject({ code: 2, stdout: "" });
    expect(away.stderr).toContain("set GITHUB_API_URL");
    const tokenless = await run({ GITHUB_API_URL: `${house.sandbox.url}/api/v3` });
    expect(tokenless).toMatchObject({ code: 2, stdout: "" });
    expect(tokenless.stderr).toContain("GITHUB_TOKEN: expected a token");
  });

  it.each([
    ["--event", ["--event", "push"], "--pr tells what would happen now"],
    ["--facts", ["--facts", "facts.json"], "expected one of them"],
  ])("is refused together with %s", async (_, args, reason) => {
    const { code, stderr } = await bench.run(["simulate", "--pr", "https://github.com/o/r/pull/1", ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(reason);
  });

  it.each(["https://github.com/o/r/issues/1", "o/r#1", "https://github.com/o/r/pull/0", "file:///o/r/pull/1"])(
    "takes %s for no pull request's address",
    async (url) => {
      const { code, stderr } = await bench.run(["simulate", "--pr", url]);
      expect(code).toBe(2);
      expect(stderr).toContain("expected a pull request's address");
    },
  );

  it("says that there is no such pull request", async () => {
    const { code, stderr } = await simulate({ ...house.open(), number: 4711 });
    expect(code).toBe(2);
    expect(stderr).toContain("acme/widget#4711: there is no such pull request, or the token may not see it");
  });
});

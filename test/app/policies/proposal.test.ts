/** What is said of the policy file as a pull request would have it, on the pull request's own commit. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addLabelsByName,
  addRepository,
  asUser,
  type CheckRun,
  changeInstallationRepositories,
  commitFiles,
  createRef,
  forkRepository,
  openPull,
  type PullRequest,
  type Repository,
} from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

const FILE = ".github/stagewright.yml";
const POLICY = `version: 1
stages:
  - name: opened
    enter: { draft: false }
  - name: checked
    enter: { label: { name: checked, by: [cleo] } }
`;
const LONGER = `${POLICY}  - name: done
    enter: { approvals: 1 }
`;
const BROKEN = POLICY.replace("enter: { draft", "entr: { draft").replace("label:", "lable:");

describe("a pull request that changes the policy", () => {
  let house: House;
  beforeEach(async () => {
    house = await openPolicyHouse(POLICY);
  });
  afterEach(async () => {
    await house.close();
  });

  const commit = (files: Record<string, string | null>, branch: string, into: Repository = house.repository) =>
    commitFiles(house.sandbox.world, asUser(house.rex), into, { branch, message: "Change", files });
  const branched = (files: Record<string, string | null>, branch = "change"): PullRequest => {
    const { world } = house.sandbox;
    const main = house.repository.refs.get("refs/heads/main") ?? "";
    createRef(world, asUser(house.rex), house.repository, `refs/heads/${branch}`, main);
    commit(files, branch);
    return openPull(world, asUser(house.rex), house.repository, { head: branch, base: "main", title: "Change" });
  };
  const said = (pull: PullRequest): CheckRun[] =>
    [...house.sandbox.world.checkRuns.values()].filter(
      (run) => run.name === "stagewright / policy" && run.headSha === pull.head.sha,
    );
  const verdicts = (pull: PullRequest) => said(pull).map((run) => [run.conclusion, run.output.title]);
  const VALID = ["success", "Valid; in force once it is on the default branch: 3 stages"];

  it("is told that the file is valid, while the default branch's stays in force", async () => {
    const pull = branched({ [FILE]: LONGER });
    await house.settled();
    expect(verdicts(pull)).toEqual([VALID]);
    expect(said(pull)[0]?.output.summary).toContain("`opened` → `checked` → `done`");
    expect(Object.keys(house.checks(pull)).toSorted()).toEqual([
      "stagewright / checked",
      "stagewright / opened",
      "stagewright / policy",
    ]);
    const row = await house.store.policies.of(house.repository.id);
    expect(row?.state?.inForce?.stages.map((stage) => stage.name)).toEqual(["opened", "checked"]);
  });

  it("has each error at its line, and is corrected by the push that mends it", async () => {
    const pull = branched({ [FILE]: BROKEN });
    await house.settled();
    const [run] = said(pull);
    expect(run?.conclusion).toBe("failure");
    expect(run?.annotations.map((each) => [each.path, each.startLine])).toEqual([
      [FILE, 3],
      [FILE, 4],
      [FILE, 6],
    ]);
    house.later();
    commit({ [FILE]: LONGER }, "change");
    await house.settled();
    expect(verdicts(pull)).toEqual([VALID]);
    expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
  });

  it("has nothing said of it any more once a push takes the change back", async () => {
    const pull = branched({ [FILE]: BROKEN, "a.txt": "a\n" });
    await house.settled();
    expect(said(pull)).toHaveLength(1);
    house.later();
    commit({ [FILE]: POLICY }, "change");
    await house.settled();
    expect(said(pull)).toEqual([]);
  });

  it("is told what removing the file means", async () => {
    const pull = branched({ [FILE]: null });
    await house.settled();
    expect(verdicts(pull)).toEqual([["success", "The file is removed; the three default stages are then in force"]]);
  });

  it("is read by way of the base repository when it comes from a fork", async () => {
    const { world } = house.sandbox;
    const fork = forkRepository(world, asUser(house.mallory), house.repository, house.mallory);
    commitFiles(world, asUser(house.mallory), fork, { branch: "main", message: "Change", files: { [FILE]: BROKEN } });
    const pull = openPull(world, asUser(house.mallory), house.repository, {
      head: "main",
      headRepository: fork,
      base: "main",
      title: "Mine",
    });
    await house.settled();
    expect(said(pull).map((run) => run.conclusion)).toEqual(["failure"]);
    expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
  });

  describe("and extends another", () => {
    const BASE = POLICY.replace("version: 1", 'version: 1\noperators: ["the password is swordfish"]');
    const base = (isPrivate: boolean): void => {
      const { world } = house.sandbox;
      const files = { "README.md": "x", [FILE]: BASE };
      const added = addRepository(world, asUser(house.owner), {
        owner: house.owner,
        name: "secret",
        private: isPrivate,
        files,
      });
      const [installation] = world.installations.values();
      if (installation === undefined) throw new Error("not installed");
      changeInstallationRepositories(world, asUser(house.owner), installation, "added", [added]);
    };
    const fromFork = (extended: string): PullRequest => {
      const { world } = house.sandbox;
      const fork = forkRepository(world, asUser(house.mallory), house.repository, house.mallory);
      const files = { [FILE]: `version: 1\nextends: ${extended}\n` };
      commitFiles(world, asUser(house.mallory), fork, { branch: "main", message: "Change", files });
      const title = "Mine";
      return openPull(world, asUser(house.mallory), house.repository, {
        head: "main",
        headRepository: fork,
        base: "main",
        title,
      });
    };
    const told = (pull: PullRequest): string => JSON.stringify(said(pull).map(({ output }) => output));

    it("shows nothing of a private repository, not even whether there is one", async () => {
      base(true);
      await house.settled();
      const pull = fromFork("acme/secret");
      await house.settled();
      const there = told(pull);
      expect(there).toContain("acme/secret cannot be extended: it is not there");
      expect(there).not.toContain("swordfish");
    });

    it("shows nothing of another private one where both are private, since not the same people read them", async () => {
      base(true);
      const { world } = house.sandbox;
      const files = { "README.md": "x", [FILE]: POLICY };
      const good = addRepository(world, asUser(house.owner), {
        owner: house.owner,
        name: "good",
        private: true,
        files,
      });
      const [installation] = world.installations.values();
      if (installation === undefined) throw new Error("not installed");
      changeInstallationRepositories(world, asUser(house.owner), installation, "added", [good]);
      Object.assign(house.repository, { private: true });
      await house.settled();
      const tell = async (name: string): Promise<string> => {
        const pull = branched({ [FILE]: `version: 1\nextends: acme/${name}\n` }, name);
        await house.settled();
        return told(pull).replaceAll(name, "NAME");
      };
      const nowhere = await tell("nowhere");
      expect(nowhere).toContain("acme/NAME cannot be extended: it is not there");
      expect([await tell("secret"), await tell("good")]).toEqual([nowhere, nowhere]);
    });

    it("says what is wrong with a public one", async () => {
      base(false);
      await house.settled();
      const pull = fromFork("acme/secret");
      await house.settled();
      expect(told(pull)).toContain("swordfish");
    });
  });

  it("has it said once, however often it is heard of", async () => {
    const pull = branched({ [FILE]: LONGER });
    await house.settled();
    house.requests();
    for (const delivery of [...house.sandbox.world.deliveries.values()]) {
      house.sandbox.webhooks.redeliver(delivery);
    }
    await house.settled();
    expect(house.sandbox.requests.counts().total).toBe(0);
    house.later();
    addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["checked"]);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/checked"]);
    expect(verdicts(pull)).toEqual([VALID]);
  });

  it("takes no request of its own where the file is left alone, and one look where only its branch is old", async () => {
    house.open();
    await house.settled();
    house.requests();
    const pull = branched({ "a.txt": "a\n" });
    await house.settled();
    expect(house.requests()).not.toHaveProperty("PolicyFile");
    house.later();
    commit({ [FILE]: LONGER }, "main");
    await house.settled();
    house.later();
    commit({ "a.txt": "b\n" }, "change");
    await house.settled();
    expect(said(pull)).toEqual([]);
  });
});

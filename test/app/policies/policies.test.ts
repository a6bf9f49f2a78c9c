import { Octokit } from "@octokit/rest";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PolicyLoader } from "../../../app/policies/loader.ts";
import { createRuntime } from "../../../app/work/runtime.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/policy/default-policy.ts";
import { readPolicy } from "../../../src/lifecycle/policy/read-policy.ts";
import {
  addComment,
  addLabelsByName,
  addRepository,
  asUser,
  type CheckRun,
  changeInstallationRepositories,
  commitFiles,
  createRef,
  forkRepository,
  mintInstallationToken,
  openPull,
  type PullRequest,
  protectBranch,
  type Repository,
  renameRepository,
  rerequestCheckRun,
  setInstallationPermissions,
} from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

const FILE = ".github/stagewright.yml";
const TWO_STAGES = `version: 1
stages:
  - name: opened
    enter: { draft: false }
  - name: checked
    enter: { label: { name: checked, by: [cleo] } }
`;
const BROKEN = `version: 1
stages:
  - name: opened
    entr: { draft: false }
  - name: checked
    enter: { lable: checked }
`;

describe("the policy of a repository", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(async () => {
    await house.close();
  });

  const commit = (files: Record<string, string | null>, branch = "main", by = house.rex) =>
    commitFiles(house.sandbox.world, asUser(by), house.repository, { branch, message: "Change", files });
  const policy = (text: string | null) => commit({ [FILE]: text });
  const label = (pull: PullRequest, name: string, by = house.cleo) =>
    addLabelsByName(house.sandbox.world, asUser(by), pull, [name]);
  const runs = (): CheckRun[] =>
    [...house.sandbox.world.checkRuns.values()].filter((run) => run.name === "stagewright / policy");
  const said = () => runs().map((run) => [run.headSha, run.conclusion, run.output.title]);

  it("is read from the default branch when it is pushed, and its pull requests move by it", async () => {
    const pull = house.open();
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(said()).toEqual([]);

    const made = policy(TWO_STAGES);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
    expect(said()).toEqual([[made.sha, "success", "In force: opened → checked"]]);

    house.later();
    label(pull, "checked");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/checked"]);
  });

  it("asks nothing of GitHub for pushes that leave the file alone", async () => {
    house.open();
    policy(TWO_STAGES);
    await house.settled();
    house.requests();
    commit({ "README.md": "# more\n" });
    await house.settled();
    expect(house.sandbox.requests.counts().total).toBe(0);
  });

  it("that has errors moves nothing: the last good one stays in force, and each error is said at its line", async () => {
    const pull = house.open();
    const good = policy(TWO_STAGES);
    await house.settled();
    const broken = policy(BROKEN);
    await house.settled();
    expect(said()).toEqual([
      [good.sha, "success", "In force: opened → checked"],
      [broken.sha, "failure", expect.stringMatching(/^3 errors: line 3: /)],
    ]);
    const [, failed] = runs();
    expect(failed?.annotations.map(({ path, startLine, startColumn }) => [path, startLine, startColumn])).toEqual([
      [FILE, 3, 5],
      [FILE, 4, 5],
      [FILE, 6, 14],
    ]);
    expect(failed?.output.summary).toContain("The policy from before stays in force: `opened` → `checked`.");
    house.later();
    label(pull, "checked");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/checked"]);

    const repaired = policy(TWO_STAGES.replace("name: checked", "name: seen"));
    await house.settled();
    expect(said().at(-1)).toEqual([repaired.sha, "success", "In force: opened → seen"]);
    expect(house.stageLabels(pull)).toEqual(["stage/seen"]);
  });

  it("says that the default is in force again when a broken file is removed", async () => {
    const pull = house.open();
    await house.settled();
    policy(BROKEN);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    const removed = policy(null);
    await house.settled();
    expect(said().at(-1)).toEqual([
      removed.sha,
      "success",
      "There is no policy file: the three default stages are in force",
    ]);
    const before = said().length;
    commit({ "README.md": "# more\n" });
    await house.settled();
    expect(said()).toHaveLength(before);
  });

  it("leaves pull requests where they are as long as no policy without errors is known", async () => {
    await house.close();
    house = await openHouse({ files: { [FILE]: BROKEN } });
    const pull = house.open();
    await house.until("the errors are shown", () => runs().length === 1);
    addComment(house.sandbox.world, asUser(house.rex), pull, "/stage hold");
    await house.until("it was tried to look at it", async () => ((await house.row(pull))?.reevaluationTries ?? 0) > 0);
    expect(runs()[0]?.output.summary).toContain("no pull request is moved until there is one");
    expect(house.stageLabels(pull)).toEqual([]);
    policy(TWO_STAGES);
    await house.until("it moves", () => house.stageLabels(pull).join() === "stage/opened");
  });

  it("keeps one right label when stages are renamed and removed, and ends the checks of those that are gone", async () => {
    const pull = house.open();
    await house.settled();
    policy(TWO_STAGES);
    await house.settled();
    house.later();
    label(pull, "checked");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/checked"]);
    policy(TWO_STAGES.replace("name: opened", "name: begun").replace("name: checked\n", "name: done\n"));
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/done"]);
    expect(house.checks(pull)).toEqual({
      "stagewright / pr-created": "skipped",
      "stagewright / ready-for-qa": "skipped",
      "stagewright / approved": "skipped",
      "stagewright / opened": "skipped",
      "stagewright / checked": "skipped",
      "stagewright / begun": "success",
      "stagewright / done": "success",
    });
  });

  it("survives a restart, also one while GitHub is down", async () => {
    house.open();
    policy(TWO_STAGES);
    await house.settled();
    const repository = await house.store.repository(house.repository.id);
    if (repository === null) {
      throw new Error("not known");
    }
    let asked = 0;
    let ahead = 0;
    const down = async (): Promise<never> => {
      asked += 1;
      throw new Error("connect ECONNREFUSED");
    };
    const loader = new PolicyLoader({
      ...createRuntime({
        store: house.store,
        clients: { installation: down, app: down },
        log: pino({ level: "silent" }),
        now: () => Date.now() + ahead,
        timings: DEFAULT_TIMINGS,
      }),
      read: () => readPolicy,
      show: down,
    });
    const names = async () => (await loader.of(repository)).stages.map((stage) => stage.name);
    expect(await names()).toEqual(["opened", "checked"]);
    expect(asked).toBe(0);
    // Even when it may be another by now: it is asked for, and not again and again.
    await loader.mayHaveChanged(repository);
    expect(await names()).toEqual(["opened", "checked"]);
    expect(await names()).toEqual(["opened", "checked"]);
    ahead = DEFAULT_TIMINGS.keepPolicy * 2;
    expect(await names()).toEqual(["opened", "checked"]);
    await loader.worker.stop();
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(4);
  });

  it("is read once by all who ask at the same time", async () => {
    house.open();
    await house.settled();
    house.requests();
    policy(TWO_STAGES);
    const pulls = Array.from({ length: 8 }, () => house.open());
    await house.settled();
    for (const pull of pulls) {
      expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
    }
    expect(house.requests().PolicyFile).toBe(1);
  });

  it("is read again after a failure of GitHub", async () => {
    const pull = house.open();
    await house.settled();
    house.sandbox.faults.place({ kind: "status", match: { operation: "PolicyFile" }, status: 502, times: 3 });
    const made = policy(TWO_STAGES);
    await house.until("it moves by it", () => house.stageLabels(pull).join() === "stage/opened");
    await house.until("it is said", () => said().length === 1);
    expect(said()[0]?.slice(0, 2)).toEqual([made.sha, "success"]);
  });

  it("is noticed with the next event after a while when the event of its change was lost", async () => {
    await house.close();
    house = await openHouse({ timings: { keepPolicy: 300 } });
    const pull = house.open();
    const other = house.open();
    await house.settled();
    house.sandbox.faults.place({ kind: "hookDrop", match: { event: "push" } });
    policy(TWO_STAGES);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    const { state } = (await house.store.policies.of(house.repository.id)) ?? {};
    await house.until("it is no longer believed", () => Date.now() > (state?.readAt ?? 0) + 300);
    house.later();
    addComment(house.sandbox.world, asUser(house.rex), pull, "/stage hold");
    await house.settled();
    expect(house.stageLabels(other)).toEqual(["stage/opened"]);
  });

  it("is read anew when somebody has its check run again", async () => {
    policy(BROKEN);
    await house.settled();
    house.requests();
    const [run] = runs();
    if (run === undefined) {
      throw new Error("no check run");
    }
    rerequestCheckRun(house.sandbox.world, asUser(house.rex), run);
    await house.settled();
    expect(house.requests()).toEqual({ PolicyFile: 1 });
    expect(said()).toHaveLength(1);
  });

  it("says nothing about a pull request whose head it stands on, and is left alone by it", async () => {
    const made = policy(TWO_STAGES);
    await house.settled();
    const { world } = house.sandbox;
    createRef(world, asUser(house.rex), house.repository, "refs/heads/release", made.parents[0] ?? "");
    const pull = openPull(world, asUser(house.rex), house.repository, {
      title: "Release",
      head: "main",
      base: "release",
    });
    await house.settled();
    label(pull, "stage/none", house.mallory);
    await house.settled();
    expect(house.checks(pull)).toMatchObject({
      "stagewright / policy": "success",
      "stagewright / opened": "success",
      "stagewright / checked": "in_progress",
    });
  });

  it("is said once, also when GitHub's answer is lost", async () => {
    await house.settled();
    house.sandbox.faults.place({ kind: "dropAnswer", match: { route: "POST /repos/{owner}/{repo}/check-runs" } });
    policy(BROKEN);
    await house.until("it is shown", async () => {
      const row = await house.store.policies.of(house.repository.id);
      return row?.state?.shown?.good === false;
    });
    expect(said()).toHaveLength(1);
  });

  it("of a pull request's own branch or of a fork never counts", async () => {
    const pull = house.open({ branch: "clever" });
    commit({ [FILE]: TWO_STAGES }, "clever");
    const fork = forkRepository(house.sandbox.world, asUser(house.mallory), house.repository, house.mallory);
    commitFiles(house.sandbox.world, asUser(house.mallory), fork, {
      branch: "main",
      message: "Mine",
      files: { [FILE]: TWO_STAGES },
    });
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    const row = await house.store.policies.of(house.repository.id);
    expect(row?.state?.inForce).toEqual(DEFAULT_POLICY);
  });

  it("is read anew from another default branch, and under another name", async () => {
    const { world } = house.sandbox;
    const pull = house.open();
    commit({ [FILE]: TWO_STAGES }, "trunk");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    house.repository.defaultBranch = "trunk";
    renameRepository(world, asUser(house.owner), house.repository, "gadget");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
  });

  it("larger than 1 MiB is refused unread", async () => {
    const made = policy(`${TWO_STAGES}${"# padding\n".repeat(120_000)}`);
    await house.settled();
    expect(said()).toEqual([[made.sha, "failure", expect.stringContaining("expected at most 1048576 (1 MiB)")]]);
  });

  it("that is not text is refused", async () => {
    commitFiles(house.sandbox.world, asUser(house.rex), house.repository, {
      branch: "main",
      message: "Binary",
      files: { [FILE]: Buffer.from([0xff, 0xfe, 0x00, 0x41]) },
    });
    await house.settled();
    expect(said()).toEqual([
      [expect.any(String), "failure", "1 error: line 1: the file is not text in UTF-8, expected a YAML file"],
    ]);
  });

  it("is not that of another repository that bears its name by now", async () => {
    const { world } = house.sandbox;
    house.open();
    await house.settled();
    const [installation] = world.installations.values();
    const before = await house.store.repository(house.repository.id);
    if (before === null || installation === undefined) throw new Error("not installed");
    const files = { [FILE]: TWO_STAGES };
    const other = addRepository(world, asUser(house.owner), { owner: house.owner, name: "gadget", files });
    changeInstallationRepositories(world, asUser(house.owner), installation, "added", [other]);
    const { token } = mintInstallationToken(world, installation);
    const client = new Octokit({ auth: token, baseUrl: `${house.sandbox.url}/api/v3` });
    const loader = new PolicyLoader({
      ...createRuntime({
        store: house.store,
        clients: { installation: async () => client, app: async () => client },
        log: pino({ level: "silent" }),
        now: Date.now,
        timings: DEFAULT_TIMINGS,
      }),
      read: () => readPolicy,
      show: async () => null,
    });
    const names = async (name: string) => (await loader.of({ ...before, name })).stages.map((stage) => stage.name);
    await house.store.policies.mark([before.id], Date.now());
    expect(await names("gadget")).toEqual(["pr-created", "ready-for-qa", "approved"]);
    policy(TWO_STAGES);
    await house.settled();
    expect(await names("widget")).toEqual(["opened", "checked"]);
    await loader.worker.stop();
  });

  describe("that extends another", () => {
    let base: Repository;
    const extending = `version: 1\nextends: acme/.github\noperators: [rex]\n`;
    const publish = (text: string | null, repository = base) =>
      commitFiles(house.sandbox.world, asUser(house.owner), repository, {
        branch: "main",
        message: "Base",
        files: { [FILE]: text },
      });
    const [installation] = [() => [...house.sandbox.world.installations.values()][0]];
    beforeEach(() => {
      const { world } = house.sandbox;
      const files = { "README.md": "x", [FILE]: TWO_STAGES };
      base = addRepository(world, asUser(house.owner), { owner: house.owner, name: ".github", private: true, files });
      const installed = installation();
      if (installed === undefined) {
        throw new Error("not installed");
      }
      changeInstallationRepositories(world, asUser(house.owner), installed, "added", [base]);
    });

    it("takes its stages, and follows the pushes to it", async () => {
      const pull = house.open();
      policy(extending);
      await house.settled();
      expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
      publish(TWO_STAGES.replace("name: opened", "name: begun"));
      await house.settled();
      expect(house.stageLabels(pull)).toEqual(["stage/begun"]);
      const row = await house.store.policies.of(house.repository.id);
      expect(row?.state?.inForce?.operators).toEqual(["rex"]);
    });

    it("stays as it is while the other has errors", async () => {
      const pull = house.open();
      policy(extending);
      await house.settled();
      publish(BROKEN);
      await house.settled();
      expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
      const failed = runs().find((run) => run.repositoryId === house.repository.id && run.conclusion === "failure");
      expect(failed?.annotations).toMatchObject([
        {
          path: FILE,
          startLine: 2,
          startColumn: 10,
          message: expect.stringMatching(/^extends: acme\/\.github cannot be extended: /),
        },
      ]);
      publish(TWO_STAGES.replace("name: opened", "name: begun"));
      await house.settled();
      expect(house.stageLabels(pull)).toEqual(["stage/begun"]);
    });

    it.each([
      ["is not there", "acme/nothing", /acme\/nothing cannot be extended: it is not there/],
      ["has no policy", "acme/empty", /acme\/empty has no \.github\/stagewright\.yml/],
      ["is public and extends this one", "acme/common", /a circle: acme\/widget → acme\/common → acme\/widget/],
      ["is itself", "acme/widget", /a circle: acme\/widget → acme\/widget/],
      [
        "belongs to somebody else who keeps it private",
        "mallory/secret",
        /mallory\/secret cannot be extended: it is not there/,
      ],
    ])("is an error at that line when the other %s", async (_, name, message) => {
      const { world } = house.sandbox;
      const installed = installation();
      const empty = addRepository(world, asUser(house.owner), { owner: house.owner, name: "empty" });
      addRepository(world, asUser(house.mallory), {
        owner: house.mallory,
        name: "secret",
        private: true,
        files: { [FILE]: TWO_STAGES },
      });
      const files = { [FILE]: `version: 1\nextends: acme/widget\n` };
      const common = addRepository(world, asUser(house.owner), { owner: house.owner, name: "common", files });
      if (installed !== undefined) {
        changeInstallationRepositories(world, asUser(house.owner), installed, "added", [empty, common]);
      }
      policy(`version: 1\nextends: ${name}\n`);
      await house.settled();
      const failed = runs().find((run) => run.repositoryId === house.repository.id && run.conclusion === "failure");
      expect(failed?.annotations).toMatchObject([
        { startLine: 2, startColumn: 10, message: expect.stringMatching(message) },
      ]);
    });
  });

  describe("that needs what the installation lacks", () => {
    const NEEDY = TWO_STAGES.replace(
      "enter: { label: { name: checked, by: [cleo] } }",
      `enter: { label: { name: checked, by: [cleo] }, approvals: { count: 1, by: ["tess[bot]"] } }
    on_enter: [{ release: staging }]`,
    );
    const COMMENTING = TWO_STAGES.replace(
      "enter: { draft: false }",
      "enter: { draft: false }\n    on_enter: [{ repository_dispatch: { event_type: built } }]",
    );

    it("says so in its check, and is not told twice", async () => {
      protectBranch(house.repository, "main", { requiredChecks: [], requiredApprovals: 2 });
      const made = policy(NEEDY);
      await house.settled();
      expect(said()).toEqual([
        [
          made.sha,
          "action_required",
          expect.stringMatching(/^In force, but: The app lacks the permission deployments: write/),
        ],
      ]);
      const summary = runs()[0]?.output.summary ?? "";
      expect(summary).toContain("needed by release");
      expect(summary).toContain("The app does not hear of deployment\\_protection\\_rule, needed by release");
      expect(summary).toContain("There is no environment staging");
      expect(summary).toContain("asks for 2 approving reviews before a merge");
      commit({ [FILE]: `${NEEDY}# again\n` });
      await house.settled();
      expect(said()).toHaveLength(2);
    });

    it("is content once it is granted", async () => {
      const { world } = house.sandbox;
      policy(COMMENTING);
      await house.settled();
      expect(said().map(([, conclusion]) => conclusion)).toEqual(["action_required"]);
      const [installed] = world.installations.values();
      if (installed === undefined) {
        throw new Error("not installed");
      }
      const permissions = { ...installed.permissions, contents: "write" } as const;
      setInstallationPermissions(world, asUser(house.owner), installed, permissions);
      await house.settled();
      expect(said().map(([, conclusion]) => conclusion)).toEqual(["action_required", "success"]);
    });

    it("names those whom it names and who are nobody, and what follows, and is in force", async () => {
      policy(
        TWO_STAGES.replace(
          "enter: { label: { name: checked, by: [cleo] } }",
          'enter: { label: { name: checked, by: [cleo, nobody-here] }, approvals: { by: ["@acme/void", "ghost[bot]"] } }',
        ),
      );
      const pull = house.open();
      await house.settled();
      expect(said()).toEqual([
        [expect.any(String), "neutral", expect.stringMatching(/^In force, but: There is no user nobody-here/)],
      ]);
      const summary = runs()[0]?.output.summary ?? "";
      expect(summary).toContain("There is no user nobody-here: named in label of checked; it counts for nothing there");
      expect(summary).toMatch(
        /There is no team @.?acme\/void, or the app may not see it: named in approvals of checked/u,
      );
      expect(summary).toContain("There is no app ghost\\[bot\\]");
      expect(summary).toContain("nobody is left for approvals of checked");
      expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
    });

    it("names a permission that only a part of it needs, and everything else goes on, sweeps too", async () => {
      const { world } = house.sandbox;
      const [installed] = world.installations.values();
      if (installed === undefined) {
        throw new Error("not installed");
      }
      const { actions: _, ...permissions } = installed.permissions;
      setInstallationPermissions(world, asUser(house.owner), installed, permissions);
      await house.settled();
      const pull = house.open();
      policy(NEEDY);
      await house.settled();
      expect(said()).toMatchObject([[expect.any(String), "action_required", expect.any(String)]]);
      expect(runs()[0]?.output.summary).toContain("it needs the permission actions: read (has: none)");
      expect(house.stageLabels(pull)).toHaveLength(1);
      const repository = await house.store.repository(house.repository.id);
      if (repository === null) throw new Error("The repository is not known.");
      expect(await house.app.engine().reconciliation.sweep(repository)).toMatchObject({ open: 1 });
    });

    it("does not try what the app may not do, and says why", async () => {
      policy(COMMENTING);
      const pull = house.open();
      await house.settled();
      const lines = (await house.history(pull)).map((line) => line.reason);
      expect(lines).toContainEqual(
        expect.stringMatching(/^repository_dispatch was not done: it needs the app's permission contents: write/),
      );
      expect(house.sandbox.requests.entries().filter((entry) => entry.path.endsWith("/dispatches"))).toEqual([]);
    });
  });
});

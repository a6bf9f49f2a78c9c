import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addComment,
  addLabelsByName,
  addOrganization,
  addUser,
  asUser,
  closePull,
  commitFiles,
  createRef,
  createStatus,
  deleteLabel,
  deleteRef,
  editLabel,
  editPull,
  forkRepository,
  install,
  type Label,
  labelByName,
  openPull,
  type PullRequest,
  renameRepository,
  reopenPull,
  setCollaborator,
  setDraft,
  setRef,
  submitReview,
  transferRepository,
  uninstall,
} from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

const LOST = { kind: "hookDrop", match: {}, times: 1_000_000 } as const;

describe("what happens to pull requests", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse({ oneClock: true, timings: { reconcileDelay: 0, deliveriesEvery: 86_400_000 } });
    await house.settled();
  });
  afterEach(async () => {
    await house.close();
  });

  const world = () => house.sandbox.world;
  const label = (pull: PullRequest) => addLabelsByName(world(), asUser(house.cleo), pull, ["ready-for-qa"]);
  const inQa = async () => {
    const pull = house.open();
    await house.settled();
    house.later();
    label(pull);
    await house.settled();
    house.later();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    return pull;
  };
  const approved = async () => {
    const pull = await inQa();
    submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" });
    await house.settled();
    house.later();
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
    return pull;
  };
  const lost = async (what: () => void) => {
    house.sandbox.faults.place(LOST);
    what();
    await house.sandbox.webhooks.idle();
    house.sandbox.faults.clear();
  };
  const sweep = async () => {
    house.later(120);
    const repository = await house.store.repository(house.repository.id);
    if (repository === null) throw new Error("The repository is not known.");
    await house.app.engine().reconciliation.sweep(repository);
    await house.settled();
  };
  const found = (name: string): Label => {
    const label = labelByName(house.repository, name);
    if (label === null) throw new Error(`There is no label ${name}.`);
    return label;
  };
  /** Told by webhooks, and found by a sweep when these are lost. */
  const ways: readonly [string, (what: () => void) => Promise<void>][] = [
    [
      "is told",
      async (what) => {
        what();
        await house.settled();
      },
    ],
    [
      "is lost",
      async (what) => {
        await lost(what);
        await sweep();
      },
    ],
  ];

  describe.each(ways)("and %s", (_, happens) => {
    it("closed: left as it was; reopened: it starts anew", async () => {
      const pull = await approved();
      await happens(() => closePull(world(), asUser(house.rex), pull));
      expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
      expect((await house.row(pull))?.evaluation?.inactive).toBe("closed");
      house.later();
      await happens(() => reopenPull(world(), asUser(house.rex), pull));
      expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
      expect(house.labels(pull)).not.toContain("ready-for-qa");
    });

    it("a draft: in no stage; ready again: it starts anew", async () => {
      const pull = await inQa();
      await happens(() => setDraft(world(), asUser(house.rex), pull, true));
      expect(house.stageLabels(pull)).toEqual([]);
      house.later();
      await happens(() => setDraft(world(), asUser(house.rex), pull, false));
      expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    });

    it("pushed to by force: back to the start, shown on the new commit", async () => {
      const pull = await approved();
      await happens(() => {
        const sha = commitFiles(world(), asUser(house.rex), house.repository, {
          branch: "elsewhere",
          message: "Other",
          files: { "other.txt": "other\n" },
        }).sha;
        setRef(world(), asUser(house.rex), house.repository, `refs/heads/${pull.head.ref}`, sha, true);
      });
      expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
      expect(house.checks(pull)).toEqual({
        "stagewright / pr-created": "success",
        "stagewright / ready-for-qa": "in_progress",
        "stagewright / approved": "queued",
      });
    });

    it("given another base: judged by it", async () => {
      const pull = await inQa();
      const main = house.repository.refs.get("refs/heads/main") ?? "";
      createRef(world(), asUser(house.owner), house.repository, "refs/heads/release", main);
      await happens(() => editPull(world(), asUser(house.rex), pull, { base: "release" }));
      expect((await house.row(pull))?.facts.base.ref).toBe("release");
      expect(house.stageLabels(pull)).toHaveLength(1);
    });

    it("its head branch is deleted: closed, and nothing is tried any more", async () => {
      const pull = await inQa();
      await happens(() => deleteRef(world(), asUser(house.rex), house.repository, `refs/heads/${pull.head.ref}`));
      const row = await house.row(pull);
      expect(row).toMatchObject({ intent: null, blocked: null, facts: { state: "closed" } });
    });

    it("its stage's label is renamed in the repository: it gets its own again", async () => {
      const pull = await inQa();
      await happens(() =>
        editLabel(world(), asUser(house.owner), house.repository, found("stage/ready-for-qa"), { name: "qa" }),
      );
      await house.until("it has its label", () => house.stageLabels(pull).join() === "stage/ready-for-qa");
      expect(house.labels(pull)).toContain("qa");
    });

    it("its stage's label is deleted from the repository: it is made anew", async () => {
      const pull = await inQa();
      await happens(() => deleteLabel(world(), asUser(house.owner), house.repository, found("stage/ready-for-qa")));
      await house.until("it has its label", () => house.stageLabels(pull).join() === "stage/ready-for-qa");
    });

    it("the label that brought it forward is renamed or deleted: it goes back", async () => {
      const [renamed, deleted] = [await inQa(), await inQa()];
      house.later(120);
      await happens(() =>
        editLabel(world(), asUser(house.owner), house.repository, found("ready-for-qa"), { name: "qa" }),
      );
      await house.until("they go back", () =>
        [renamed, deleted].every((pull) => house.stageLabels(pull).join() === "stage/pr-created"),
      );
      label(deleted);
      await house.settled();
      expect(house.stageLabels(deleted)).toEqual(["stage/ready-for-qa"]);
      house.later(120);
      await happens(() => deleteLabel(world(), asUser(house.owner), house.repository, found("ready-for-qa")));
      await house.until("it goes back", () => house.stageLabels(deleted).join() === "stage/pr-created");
    });

    it("its repository is renamed: it goes on under the new name", async () => {
      const pull = await inQa();
      await happens(() => renameRepository(world(), asUser(house.owner), house.repository, "gadgets"));
      submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" });
      await house.settled();
      expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
      expect(await house.store.repositoryByName("acme", "gadgets")).toMatchObject({ id: house.repository.id });
    });
  });

  it("transferred to an owner who has the app: it goes on there", async () => {
    const pull = await inQa();
    const globex = addOrganization(world(), "globex");
    install(world(), asUser(globex), { app: house.registered, account: globex, repositories: "all" });
    await house.settled();
    transferRepository(world(), asUser(house.owner), house.repository, globex);
    await house.settled();
    house.later();
    submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" });
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
    expect(await house.store.repositoryByName("globex", "widget")).toMatchObject({ id: house.repository.id });
  });

  it("transferred without a word: where the app is installed is read again", async () => {
    const pull = await inQa();
    const globex = addOrganization(world(), "globex");
    await lost(() => {
      install(world(), asUser(globex), { app: house.registered, account: globex, repositories: "all" });
      transferRepository(world(), asUser(house.owner), house.repository, globex);
    });
    house.later();
    await lost(() => submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" }));
    await house.app.engine().reconciliation.readInstallations();
    await house.settled();
    expect(await house.store.repositoryByName("globex", "widget")).toMatchObject({ id: house.repository.id });
    await house.until("it is swept there", () => house.stageLabels(pull).join() === "stage/approved");
  });

  it("transferred to somebody without the app: left alone", async () => {
    const pull = await inQa();
    transferRepository(world(), asUser(house.owner), house.repository, addOrganization(world(), "globex"));
    await house.settled();
    submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" });
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    expect(await house.store.repository(house.repository.id)).toMatchObject({ installationId: null });
  });

  it("uninstalled and installed anew: what happened meanwhile is made up for", async () => {
    const pull = await inQa();
    const closed = await inQa();
    for (const each of world().installations.values()) uninstall(world(), asUser(house.owner), each);
    await house.settled();
    submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" });
    closePull(world(), asUser(house.rex), closed);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    house.later(60);
    const repositories = [house.repository];
    install(world(), asUser(house.owner), { app: house.registered, account: house.owner, repositories });
    await house.until("it is approved", () => house.stageLabels(pull).join() === "stage/approved");
    await house.settled();
    expect((await house.row(closed))?.facts.state).toBe("closed");
  });

  it("installed anew: what was said and lost before that, or said meanwhile, is found", async () => {
    const pull = await inQa();
    setCollaborator(world(), asUser(house.owner), house.repository, house.cleo, "maintain");
    await house.settled();
    await lost(() => addComment(world(), asUser(house.cleo), pull, "/stage hold --repository release"));
    house.later();
    for (const each of world().installations.values()) uninstall(world(), asUser(house.owner), each);
    await house.settled();
    addComment(world(), asUser(house.cleo), pull, "/stage hold lunch");
    house.later(60);
    const repositories = [house.repository];
    install(world(), asUser(house.owner), { app: house.registered, account: house.owner, repositories });
    await house.until("it is on hold", async () => (await house.row(pull))?.evaluation?.held != null);
    await house.settled();
    expect(await house.store.holds.of(house.repository.id)).toMatchObject({ why: "repository", reason: "release" });
    expect((await house.row(pull))?.facts.acts).toContainEqual(
      expect.objectContaining({ command: "hold", argument: "lunch", granted: true }),
    );
  });

  it("installed anew, with an event of the old installation still to come: it is the new one's", async () => {
    const pull = await inQa();
    await lost(() => editPull(world(), asUser(house.rex), pull, { title: "Another title" }));
    const late = [...world().deliveries.values()].findLast(({ action }) => action === "edited");
    for (const each of world().installations.values()) uninstall(world(), asUser(house.owner), each);
    await house.settled();
    const repositories = [house.repository];
    const anew = install(world(), asUser(house.owner), { app: house.registered, account: house.owner, repositories });
    await house.settled();
    if (late === undefined) throw new Error("There is no such event.");
    house.sandbox.webhooks.redeliver(late);
    await house.settled();
    expect((await house.store.repository(house.repository.id))?.installationId).toBe(anew.id);
    house.later();
    submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" });
    await house.until("it is approved", () => house.stageLabels(pull).join() === "stage/approved");
  });

  it("comes from a fork: its commit's checks are its own", async () => {
    const outsider = addUser(world(), "olga");
    const fork = forkRepository(world(), asUser(outsider), house.repository, outsider);
    commitFiles(world(), asUser(outsider), fork, { branch: "fix", message: "Fix", files: { "fix.txt": "fix\n" } });
    const pull = openPull(world(), asUser(outsider), house.repository, {
      title: "Fix",
      head: "fix",
      headRepository: fork,
      base: "main",
    });
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    createStatus(world(), asUser(house.rex), house.repository, pull.head.sha, { state: "success", context: "build" });
    await house.settled();
    expect((await house.row(pull))?.facts.checks.map((check) => check.name)).toContain("build");
    house.later();
    label(pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    expect(house.checks(pull)).toMatchObject({ "stagewright / ready-for-qa": "success" });
  });
});

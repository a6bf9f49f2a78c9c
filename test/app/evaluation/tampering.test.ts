/** Stage labels changed by hand: by operators, by others, and by bots that keep at it. */
import { afterEach, describe, expect, it } from "vitest";
import * as w from "../../../src/sandbox/world/index.ts";
import { KEYS } from "../../keys.ts";
import { type House, openHouse } from "../house.ts";

const POLICY = `version: 1
operators: [olga]
stages:
  - { name: pr-created, enter: { draft: false } }
  - { name: ready-for-qa, enter: { label: ready-for-qa } }
  - { name: approved, gate: true, enter: { approvals: 1 } }
`;

let house: House;
let olga: w.Account;
afterEach(async () => {
  await house.close();
});

async function open(before: (pull: w.PullRequest) => void = () => {}): Promise<w.PullRequest> {
  house = await openHouse({ oneClock: true, files: { ".github/stagewright.yml": POLICY } });
  const { world } = house.sandbox;
  olga = w.addUser(world, "olga");
  w.setCollaborator(world, w.asUser(house.owner), house.repository, olga, "write");
  const pull = house.open();
  before(pull);
  await house.settled();
  house.later();
  return pull;
}

async function set(pull: w.PullRequest, label: string, by: w.Actor): Promise<void> {
  w.addLabelsByName(house.sandbox.world, by, pull, [label]);
  await house.settled();
  house.later();
}
async function remove(pull: w.PullRequest, label: string, by: w.Actor): Promise<void> {
  w.removeLabelByName(house.sandbox.world, by, pull, label);
  await house.settled();
  house.later();
}
const said = (pull: w.PullRequest) =>
  pull.comments
    .filter((each) => each.appId === house.registered.id)
    .map((each) => each.body.replace(/<!--.*?-->\n?/gs, ""));
const kinds = async (pull: w.PullRequest) => (await house.history(pull)).map(({ kind, actor }) => [kind, actor?.login]);
const lastCheck = (name: string) =>
  [...house.sandbox.world.checkRuns.values()].findLast((run) => run.name === `stagewright / ${name}`);

function bot(): w.Actor {
  const { world } = house.sandbox;
  return w.asApp(
    world,
    w.addApp(world, { keys: KEYS, slug: "labeler", name: "Labeler", owner: house.owner, permissions: {}, events: [] }),
  );
}

describe("a stage label", () => {
  it("set by an operator moves it there, and nothing is said against it", async () => {
    const pull = await open();
    await set(pull, "stage/approved", w.asUser(olga));
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
    expect(house.checks(pull)).toMatchObject({ "stagewright / approved": "success" });
    expect(said(pull)).toEqual([]);
    await set(pull, "stage/pr-created", w.asUser(olga));
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect((await house.history(pull)).map(({ from, to, actor }) => [from, to, actor?.login])).toEqual([
      [null, "pr-created", "rex"],
      ["pr-created", "ready-for-qa", "olga"],
      ["ready-for-qa", "approved", "olga"],
      ["approved", "pr-created", "olga"],
    ]);
  });

  it("set by somebody else is put right, with a comment on who, which, and what to use instead", async () => {
    const pull = await open();
    await set(pull, "stage/approved", w.asUser(house.cleo));
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(house.checks(pull)).toMatchObject({ "stagewright / approved": "queued" });
    expect(said(pull)).toEqual([
      expect.stringMatching(/^@cleo set the label `stage\/approved`.*put right.*`\/stage to approved`/s),
    ]);
    expect(await kinds(pull)).toContainEqual(["tampering", "cleo"]);

    // Again: the comment is updated, not written anew.
    await remove(pull, "stage/pr-created", w.asUser(house.cleo));
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(said(pull)).toEqual([expect.stringMatching(/^@cleo took off the label `stage\/pr-created`/)]);
    expect((await house.history(pull)).filter(({ kind }) => kind === "tampering")).toHaveLength(2);
  });

  it("set before the app showed anything is put right, and never spoken of", async () => {
    const pull = await open((opened) => {
      w.addLabelsByName(house.sandbox.world, w.asUser(house.rex), opened, ["stage/approved"]);
    });
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    w.addLabelsByName(house.sandbox.world, w.asUser(house.cleo), pull, ["ready-for-qa"]);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    expect(said(pull)).toEqual([]);
  });

  it("that is right may be put back by anyone", async () => {
    const pull = await open();
    await remove(pull, "stage/pr-created", w.asUser(house.cleo));
    const before = said(pull).length;
    await set(pull, "stage/pr-created", w.asUser(house.cleo));
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(said(pull)).toHaveLength(before);
    expect((await house.history(pull)).filter(({ kind }) => kind === "tampering")).toHaveLength(1);
  });

  it("with an odd name is quoted, not rendered", async () => {
    const pull = await open();
    await set(pull, "stage/`@acme` <b>", w.asUser(house.cleo));
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(said(pull)[0]).toContain("set the label ``stage/`@acme` <b>``.");
  });
});

describe("a bot that keeps putting its label back", () => {
  it("is given up on after three times in an hour, said once, and the stage goes on without the label", async () => {
    const pull = await open();
    const labeler = bot();
    for (let time = 0; time < 3; time += 1) {
      await set(pull, "stage/approved", labeler);
      expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    }
    await set(pull, "stage/approved", labeler);
    expect(house.stageLabels(pull).toSorted()).toEqual(["stage/approved", "stage/pr-created"]);
    const stops = () => said(pull).filter((each) => each.includes("left as they are until"));
    expect(stops()).toEqual([expect.stringContaining("the last time by `labeler[bot]`")]);
    expect(lastCheck("ready-for-qa")?.output.title).toMatch(
      /^Stage labels are left as they are until .*ready-for-qa is missing/,
    );
    expect(lastCheck("ready-for-qa")?.actions.map((each) => each.identifier)).toEqual(["hold", "retry"]);
    expect(await kinds(pull)).toContainEqual(["tampering", "labeler[bot]"]);

    // More of it costs no write, and no words.
    await remove(pull, "stage/pr-created", labeler);
    await set(pull, "stage/done", labeler);
    house.requests();
    await set(pull, "stage/never", labeler);
    expect(house.requests()).not.toHaveProperty("Transitions");
    expect(stops()).toHaveLength(1);

    // It moves all the same: check runs and history say the truth.
    await set(pull, "ready-for-qa", w.asUser(house.cleo));
    expect(house.checks(pull)).toMatchObject({ "stagewright / ready-for-qa": "success" });
    expect(house.stageLabels(pull).toSorted()).toEqual(["stage/approved", "stage/done", "stage/never"]);
    expect((await house.row(pull))?.confirmed?.stage).toBe("ready-for-qa");
  });

  it("is corrected again when the hour is over", async () => {
    const pull = await open();
    const labeler = bot();
    for (let time = 0; time < 4; time += 1) {
      await set(pull, "stage/approved", labeler);
    }
    expect(house.stageLabels(pull)).toHaveLength(2);
    house.later(3_700);
    // The app's own clock for its token has not gone on.
    const { tokens } = house.sandbox.world;
    for (const [text, token] of tokens) {
      tokens.set(text, token.kind === "installation" ? { ...token, expiresAt: Number.MAX_SAFE_INTEGER } : token);
    }
    house.app.engine().wakeups.notify("pulls");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(lastCheck("ready-for-qa")?.output.title).toMatch(/^Label ready-for-qa is missing/);
  });

  it("is corrected again after /stage retry, by those who may", async () => {
    const pull = await open();
    const labeler = bot();
    for (let time = 0; time < 4; time += 1) {
      await set(pull, "stage/approved", labeler);
    }
    w.addComment(house.sandbox.world, w.asUser(house.mallory), pull, "/stage retry");
    await house.settled();
    house.later();
    expect(house.stageLabels(pull)).toHaveLength(2);
    w.addComment(house.sandbox.world, w.asUser(house.cleo), pull, "/stage retry");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
  });

  it("is corrected again with the Retry button", async () => {
    const pull = await open();
    const labeler = bot();
    for (let time = 0; time < 4; time += 1) {
      await set(pull, "stage/approved", labeler);
    }
    const run = lastCheck("ready-for-qa");
    if (run === undefined) {
      throw new Error("no check run");
    }
    w.requestAction(house.sandbox.world, w.asUser(house.cleo), run, "retry");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
  });
});

/**
 * Attempts to get a pull request somewhere by somebody who may not, over the whole way from GitHub's webhook to what
 * GitHub shows: each is refused with its reason, and nothing has changed.
 */
import { afterEach, describe, expect, it } from "vitest";
import * as w from "../../../src/sandbox/world/index.ts";
import { KEYS } from "../../keys.ts";
import { type House, openHouse } from "../house.ts";

const POLICY = `version: 1
operators: [olga]
stages:
  - { name: pr-created, enter: { draft: false } }
  - { name: ready-for-qa, owner: "botty[bot]", enter: { label: { name: ready-for-qa, by: [cleo] } } }
  - name: approved
    gate: true
    enter: { checks: { names: [build], app: ci }, approvals: { count: 1, by: ["botty[bot]"] } }
on_push: { back_to: false }
`;

interface Scene {
  readonly house: House;
  readonly world: w.World;
  readonly pull: w.PullRequest;
  readonly olga: w.Account;
  /** A user who is called as the app `botty[bot]` is, without the end; may only read. */
  readonly botty: w.Account;
  /** The app itself, and one that no policy names. */
  readonly bottyApp: w.Actor;
  readonly stranger: w.Actor;
  readonly ci: w.Actor;
  say(by: w.Actor, body: string): w.Comment;
  /** GitHub tells of a press of this button on our check run for the last stage, or for this one. */
  press(by: w.Account, identifier: string, check?: string): Promise<void>;
}

let house: House | undefined;
afterEach(async () => {
  await house?.close();
  house = undefined;
});

async function settle(open: House): Promise<void> {
  await open.settled();
  open.later();
}

async function scene(stage: "pr-created" | "ready-for-qa"): Promise<Scene> {
  const open = await openHouse({ oneClock: true, files: { ".github/stagewright.yml": POLICY } });
  house = open;
  const { world } = open.sandbox;
  const [olga, botty] = [w.addUser(world, "olga"), w.addUser(world, "botty")];
  w.setCollaborator(world, w.asUser(open.owner), open.repository, olga, "write");
  w.setCollaborator(world, w.asUser(open.owner), open.repository, botty, "read");
  const [bottyApp, stranger, ci] = ["botty", "stranger", "ci"].map((slug) =>
    w.asApp(world, w.addApp(world, { keys: KEYS, slug, name: slug, owner: open.owner, permissions: {}, events: [] })),
  ) as [w.Actor, w.Actor, w.Actor];
  const pull = open.open();
  await settle(open);
  if (stage === "ready-for-qa") {
    w.addLabelsByName(world, w.asUser(open.cleo), pull, ["ready-for-qa"]);
    await settle(open);
    check(world, open, pull, ci, "build");
    await settle(open);
  }
  const say = (by: w.Actor, body: string) => w.addComment(world, by, pull, body);
  const press = (by: w.Account, identifier: string, on = "approved") => pressed(open, by, identifier, on);
  return { house: open, world, pull, olga, botty, bottyApp, stranger, ci, say, press };
}

/** Told to the app as GitHub would, had somebody made up the button: with one of its own events, changed. */
async function pressed({ sandbox, app }: House, by: w.Account, identifier: string, stage: string): Promise<void> {
  const ours = [...sandbox.world.deliveries.values()].findLast(
    (each) => each.event === "check_run" && JSON.parse(each.request.body).check_run.name === `stagewright / ${stage}`,
  );
  const payload = JSON.parse(ours?.request.body ?? "");
  const sender = { ...payload.sender, id: by.id, login: by.login, type: "User" };
  await app.engine().inbox.accept({
    id: `press of ${identifier}`,
    event: "check_run",
    payload: JSON.stringify({ ...payload, action: "requested_action", requested_action: { identifier }, sender }),
    key: "press",
    receivedAt: Date.now(),
  });
}

/** What can be seen of where it is. */
async function state({ house: open, pull }: Scene) {
  const row = await open.row(pull);
  return {
    labels: open.labels(pull).toSorted(),
    checks: open.checks(pull),
    stage: row?.evaluation?.stage,
    held: row?.evaluation?.held,
    moves: (await open.history(pull)).filter(({ kind }) => kind === "moved").length,
  };
}

/** Everything that the app says about it, in comments, check runs and its history. */
async function words({ house: open, world, pull }: Scene): Promise<string> {
  const comments = pull.comments.filter((each) => each.appId === open.registered.id).map((each) => each.body);
  const checks = [...world.checkRuns.values()]
    .filter((run) => run.appId === open.registered.id && run.headSha === pull.head.sha)
    .map(({ output }) => `${output.title}\n${output.text}`);
  const history = (await open.history(pull)).map(({ reason }) => reason);
  return [...comments, ...checks, ...history].join("\n");
}

type Attempt = readonly [
  attempt: string,
  from: "pr-created" | "ready-for-qa",
  does: (scene: Scene) => unknown,
  reason: RegExp,
];

const ATTEMPTS: readonly Attempt[] = [
  [
    "a stage's label by a writer who is no operator",
    "pr-created",
    ({ world, house, pull }) => w.addLabelsByName(world, w.asUser(house.tess), pull, ["stage/approved"]),
    /@tess set the label `stage\/approved`.*put right/,
  ],
  [
    "a stage's label by an app that the policy names, but not as an operator",
    "pr-created",
    ({ world, bottyApp, pull }) => w.addLabelsByName(world, bottyApp, pull, ["stage/approved"]),
    /`botty\[bot\]` set the label `stage\/approved`.*put right/,
  ],
  [
    "taking the stage's label off",
    "ready-for-qa",
    ({ world, house, pull }) => w.removeLabelByName(world, w.asUser(house.tess), pull, "stage/ready-for-qa"),
    /@tess took off the label `stage\/ready-for-qa`.*put right/,
  ],
  ...["to pr-created", "back", "hold", "unhold", "retry"].map(
    (command): Attempt => [
      `/stage ${command} by somebody who may only read`,
      "ready-for-qa",
      ({ house, say }) => say(w.asUser(house.mallory), `/stage ${command}`),
      /mallory has no write permission/,
    ],
  ),
  [
    "/stage back by a user who is called as the stage's owner, an app, is",
    "ready-for-qa",
    ({ say, botty }) => say(w.asUser(botty), "/stage back"),
    /botty has no write permission/,
  ],
  [
    "/stage back by an app that is not the stage's owner",
    "ready-for-qa",
    ({ say, stranger }) => say(stranger, "/stage back"),
    /stranger\\\[bot\\\] is an app, and apps have no permission level/,
  ],
  [
    "/stage to a later stage by a writer who is no operator",
    "pr-created",
    ({ house, say }) => say(w.asUser(house.cleo), "/stage to approved"),
    /cleo may not move it past conditions that do not hold: olga may/,
  ],
  [
    "/stage to a later stage by the stage's owner",
    "ready-for-qa",
    ({ say, bottyApp }) => say(bottyApp, "/stage to approved"),
    /botty\\\[bot\\\] is an app/,
  ],
  [
    "a hold of the repository by a writer",
    "pr-created",
    ({ house, say }) => say(w.asUser(house.cleo), "/stage hold --repository mine"),
    /cleo does not maintain the repository; olga may/,
  ],
  [
    "a comment edited into a command by its author",
    "pr-created",
    async ({ house, world, say, olga }) => {
      const comment = say(w.asUser(olga), "Looks fine.");
      await settle(house);
      w.editComment(world, w.asUser(olga), comment, "/stage to approved");
    },
    /An edited comment gives no commands: write it in a new one/,
  ],
  [
    "an operator's comment edited into a command by somebody else",
    "pr-created",
    async ({ house, world, say, olga }) => {
      const comment = say(w.asUser(olga), "/stage status");
      await settle(house);
      w.editComment(world, w.asUser(house.cleo), comment, "/stage status\n/stage to approved");
    },
    /An edited comment gives no commands: write it in a new one/,
  ],
  [
    "the trigger label by a writer whom the policy does not name",
    "pr-created",
    ({ world, house, pull }) => w.addLabelsByName(world, w.asUser(house.tess), pull, ["ready-for-qa"]),
    /added by tess, who is not cleo/,
  ],
  [
    "a check run of our name by another app",
    "ready-for-qa",
    ({ world, house, pull, stranger }) => check(world, house, pull, stranger, "stagewright / approved"),
    /An approval is missing on the head commit: botty\[bot\] can give it/,
  ],
  [
    "a check that is asked for, by another app than the one that is named",
    "pr-created",
    ({ world, house, pull, stranger }) => check(world, house, pull, stranger, "build"),
    /build.*\bci\b/,
  ],
  [
    "an approval by a writer who is called as the app that may give it is",
    "ready-for-qa",
    ({ world, house, pull, botty }) => {
      w.setCollaborator(world, w.asUser(house.owner), house.repository, botty, "write");
      w.submitReview(world, w.asUser(botty), pull, { state: "APPROVED" });
    },
    /botty.*is not botty\\?\[bot\\?\]/,
  ],
  [
    "an approval by an app that is not named",
    "ready-for-qa",
    ({ world, pull, stranger }) => w.submitReview(world, stranger, pull, { state: "APPROVED" }),
    /stranger\\?\[bot\\?\].*is not botty\\?\[bot\\?\]/,
  ],
  [
    "an approval of an older commit",
    "ready-for-qa",
    async ({ world, house, pull, bottyApp, ci }) => {
      const old = pull.head.sha;
      house.push(pull);
      await settle(house);
      check(world, house, pull, ci, "build");
      await settle(house);
      w.submitReview(world, bottyApp, pull, { state: "APPROVED", commitSha: old });
    },
    /botty\\?\[bot\\?\].*(older|another) commit|not.*head/,
  ],
  [
    "a button that nobody made",
    "ready-for-qa",
    ({ house, press }) => press(house.cleo, "approve"),
    /cleo.*`approve`.*there is no button "approve"/,
  ],
  [
    "a button with a command for its name",
    "ready-for-qa",
    ({ house, press }) => press(house.cleo, "to approved\n# x"),
    /there is no button "to approved # x"/,
  ],
  [
    "a button of a check run that is of the past",
    "ready-for-qa",
    ({ house, press }) => press(house.cleo, "back", "ready-for-qa"),
    /cleo.*`back`.*it has moved since: it is in ready-for-qa now/,
  ],
  [
    "a button by somebody who may only read",
    "ready-for-qa",
    ({ house, press }) => press(house.mallory, "back"),
    /mallory has no write permission/,
  ],
];

function check(world: w.World, { repository }: House, pull: w.PullRequest, by: w.Actor, name: string): void {
  const { app } = by;
  if (app === null) {
    throw new Error("Only apps write check runs.");
  }
  const headSha = pull.head.sha;
  w.createCheckRun(world, by, { repository, app, headSha, name, status: "completed", conclusion: "success" });
}

describe("is refused with its reason, and nothing has changed:", () => {
  it.each(ATTEMPTS)("%s", async (_, from, does, reason) => {
    const made = await scene(from);
    const before = await state(made);
    expect(before.labels).toContain(`stage/${from}`);
    await does(made);
    await settle(made.house);
    const after = await state(made);
    // Conditions' own labels stay where people put them.
    const labels = after.labels.filter((name) => name.startsWith("stage/") || before.labels.includes(name));
    expect({ ...after, labels }).toEqual(before);
    expect(await words(made)).toMatch(reason);
  });
});

describe("is no command, and nothing is said:", () => {
  it.each([
    ["a quote", "> /stage hold"],
    ["a code block", "```\n/stage hold\n```"],
    ["an indented code block", "    /stage hold"],
    ["a code block that never ends", "~~~\n/stage hold"],
    ["a hidden comment", "<!--\n/stage hold\n-->"],
    ["a word in a sentence", "Please do not write /stage hold here."],
  ])("%s", async (_, body) => {
    const made = await scene("pr-created");
    const before = await state(made);
    const comment = made.say(w.asUser(made.olga), body);
    await settle(made.house);
    expect(await state(made)).toEqual(before);
    expect(comment.reactions).toEqual([]);
    expect(made.pull.comments).toHaveLength(1);
  });
});

it("what was refused to an outsider does not come into force when he may later", async () => {
  const made = await scene("pr-created");
  const { house: open, world, say } = made;
  const before = await state(made);
  say(w.asUser(open.mallory), "/stage hold");
  await settle(open);
  w.setCollaborator(world, w.asUser(open.owner), open.repository, open.mallory, "admin");
  await settle(open);
  say(w.asUser(open.mallory), "/stage status");
  await settle(open);
  expect(await state(made)).toEqual(before);
});

it("what is asked again and again is answered in words only so often", async () => {
  const made = await scene("pr-created");
  const comments = Array.from({ length: 25 }, () => made.say(w.asUser(made.house.mallory), "/stage status"));
  await settle(made.house);
  const said = made.pull.comments.filter((each) => each.appId === made.house.registered.id);
  expect(said).toHaveLength(20);
  expect(comments.map((each) => each.reactions.length)).toEqual(Array.from({ length: 25 }, () => 1));
});

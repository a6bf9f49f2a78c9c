/** Commands in comments, and their answers, over the whole way: webhook, facts, decision, reaction, comment. */
import { afterEach, describe, expect, it } from "vitest";
import * as w from "../../../src/sandbox/world/index.ts";
import { KEYS } from "../../keys.ts";
import { type House, type HouseOptions, openHouse } from "../house.ts";

const POLICY = `version: 1
operators: [olga]
stages:
  - { name: pr-created, owner: rex, enter: { draft: false } }
  - { name: ready-for-qa, owner: "tess[bot]", enter: { label: ready-for-qa } }
  - { name: approved, gate: true, enter: { approvals: 1 } }
max_rounds: 2
`;

let house: House;
let olga: w.Account;
afterEach(async () => {
  await house.close();
});

async function open(options: HouseOptions = {}): Promise<w.PullRequest> {
  house = await openHouse({ oneClock: true, files: { ".github/stagewright.yml": POLICY }, ...options });
  const { world } = house.sandbox;
  olga = w.addUser(world, "olga");
  w.setCollaborator(world, w.asUser(house.owner), house.repository, olga, "write");
  const pull = house.open();
  await house.settled();
  house.later();
  return pull;
}

async function say(pull: w.PullRequest, by: w.Account, body: string): Promise<w.Comment> {
  const comment = w.addComment(house.sandbox.world, w.asUser(by), pull, body);
  await house.settled();
  house.later();
  return comment;
}
async function ready(pull: w.PullRequest): Promise<void> {
  w.addLabelsByName(house.sandbox.world, w.asUser(house.cleo), pull, ["ready-for-qa"]);
  await house.settled();
  house.later();
}
const reactions = (comment: w.Comment) => comment.reactions.map((each) => each.content);
/** What the app has said, without its hidden marks. */
const said = (pull: w.PullRequest) =>
  pull.comments
    .filter((each) => each.appId === house.registered.id)
    .map((each) => each.body.replace(/<!--.*?-->\n?/gs, ""));
const titles = (pull: w.PullRequest) =>
  Object.fromEntries(
    [...house.sandbox.world.checkRuns.values()]
      .filter((run) => run.headSha === pull.head.sha)
      .map((run) => [run.name, run.output?.title ?? ""]),
  );

describe("a command in a comment", () => {
  it("moves an operator's pull request forward, and everybody sees who did it", async () => {
    const pull = await open();
    const comment = await say(pull, olga, "/stage to approved");
    expect(reactions(comment)).toEqual(["+1"]);
    expect(said(pull)).toEqual([]);
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
    expect(titles(pull)["stagewright / approved"]).toContain("olga, an operator, moved it to approved");
  });

  it("sends back by one stage, the stage that was shown", async () => {
    const pull = await open();
    await ready(pull);
    const comment = await say(pull, house.cleo, "/stage back");
    expect(reactions(comment)).toEqual(["+1"]);
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    const again = await say(pull, house.cleo, "/stage back");
    expect(reactions(again)).toEqual(["confused"]);
    expect(said(pull)).toEqual([expect.stringContaining("pr-created is its first stage")]);
  });

  it("says where it is, what is missing and who can give it", async () => {
    const pull = await open();
    const comment = await say(pull, house.mallory, "/stage status");
    expect(reactions(comment)).toEqual(["eyes"]);
    const [text] = said(pull);
    expect(text).toContain("It is in **pr-created**");
    expect(text).toContain("ready-for-qa");
    expect(text).toContain("someone with write permission can add it");
  });

  it("lists the commands", async () => {
    const pull = await open();
    const comment = await say(pull, house.mallory, "/stage");
    expect(reactions(comment)).toEqual(["eyes"]);
    expect(said(pull)[0]).toContain("`/stage hold [--repository] [reason]`");
  });

  it("stays in force when who gave it may give it no more, if it stops or sends back", async () => {
    const pull = await open();
    const may = (permission: "write" | "none"): void =>
      w.setCollaborator(house.sandbox.world, w.asUser(house.owner), house.repository, house.cleo, permission);
    const goOn = async (): Promise<void> => {
      w.editPull(house.sandbox.world, w.asUser(house.rex), pull, { title: `Later ${pull.title}` });
      await house.settled();
      house.later();
    };
    await say(pull, house.cleo, "/stage hold prod is broken");
    w.addLabelsByName(house.sandbox.world, w.asUser(house.tess), pull, ["ready-for-qa"]);
    await house.settled();
    house.later();
    may("none");
    await goOn();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(titles(pull)["stagewright / ready-for-qa"]).toMatch(/^On hold by cleo since/);
    may("write");
    await say(pull, house.cleo, "/stage unhold");
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    may("none");
    await goOn();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
  });

  it("holds one pull request until it is taken off hold", async () => {
    const pull = await open();
    expect(reactions(await say(pull, house.cleo, "/stage hold until *Friday* <!-- x"))).toEqual(["+1"]);
    await ready(pull);
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(titles(pull)["stagewright / ready-for-qa"]).toMatch(/^On hold by cleo since .* UTC: until \*Friday\*/);
    expect(reactions(await say(pull, house.tess, "/stage unhold"))).toEqual(["+1"]);
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    expect(reactions(await say(pull, house.tess, "/stage unhold"))).toEqual(["confused"]);
    expect(said(pull)).toEqual([expect.stringContaining("it is not on hold")]);
  });

  it("is answered in one way, though saying it took several tries and things have changed since", async () => {
    const pull = await open();
    const route = "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions";
    house.sandbox.faults.place({ kind: "dropAnswer", match: { route }, how: "502", times: 2 });
    const comment = w.addComment(house.sandbox.world, w.asUser(house.cleo), pull, "/stage hold");
    await house.until("its answer is there", () => comment.reactions.length > 0);
    w.setCollaborator(house.sandbox.world, w.asUser(house.owner), house.repository, house.cleo, "read");
    await house.until("saying it succeeded", async () => {
      const row = await house.row(pull);
      return row !== null && (await house.store.effectsOf(row)).some(({ status }) => status === "done");
    });
    expect(reactions(comment)).toEqual(["+1"]);
  });

  it("says that a word is none, and which one may have been meant", async () => {
    const pull = await open();
    const comment = await say(pull, house.cleo, "/stage bakc");
    expect(reactions(comment)).toEqual(["confused"]);
    expect(said(pull)).toEqual([expect.stringContaining('did you mean "back"')]);
  });

  it("is refused where it is the sixth of a comment", async () => {
    const pull = await open();
    const comment = await say(pull, house.cleo, `${"/stage retry\n".repeat(5)}/stage hold it burns`);
    expect(reactions(comment)).toEqual(["confused"]);
    expect(said(pull)).toEqual([
      expect.stringContaining("`/stage hold it burns`: only the first five /stage commands"),
    ]);
    expect((await house.row(pull))?.evaluation?.held).toBeNull();
  });

  it("is answered once for several commands of one comment", async () => {
    const pull = await open();
    const comment = await say(pull, house.cleo, "Look:\n/stage status\n/stage hold a while\n/stage to nowhere");
    expect(reactions(comment)).toEqual(["confused"]);
    expect(said(pull)).toHaveLength(1);
    expect(said(pull)[0]).toContain('there is no stage "nowhere" here');
    expect(said(pull)[0]).toContain("It is in **pr-created**");
    expect((await house.row(pull))?.evaluation?.held?.reason).toBe("a while");
  });

  it("is answered once, however often it is told of", async () => {
    const pull = await open();
    const comment = await say(pull, house.cleo, "/stage status");
    const { world } = house.sandbox;
    for (const delivery of [...world.deliveries.values()].filter((each) => each.event === "issue_comment")) {
      const { id, event, payload } = stored(delivery);
      // Under another id, as when somebody sends it anew: the inbox alone does not know it.
      await house.app.engine().inbox.accept({
        id: `${id}-again`,
        event,
        payload,
        key: "again",
        receivedAt: Date.now(),
      });
    }
    await house.settled();
    expect(said(pull)).toHaveLength(1);
    expect(reactions(comment)).toEqual(["eyes"]);
  });

  it("has no answer when it is the app's own", async () => {
    const pull = await open();
    const bot = w.asApp(house.sandbox.world, house.registered);
    w.addComment(house.sandbox.world, bot, pull, "/stage hold");
    await house.settled();
    expect(said(pull)).toEqual(["/stage hold"]);
    expect((await house.row(pull))?.evaluation?.held).toBeNull();
  });

  it("counts whether it was written before the policy waited for it or after, and is no /stage command", async () => {
    const pull = await open();
    const { world } = house.sandbox;
    const policy = (text: string) => {
      const files = { ".github/stagewright.yml": text };
      const { defaultBranch: branch } = house.repository;
      w.commitFiles(world, w.asUser(house.owner), house.repository, { branch, message: "Change the policy", files });
    };
    const shipping = POLICY.replace("label: ready-for-qa", "command: hold");
    const comment = await say(pull, olga, "/hold the door\n/lgtm");
    expect((await house.row(pull))?.evaluation).toMatchObject({ stage: "pr-created", held: null });
    expect(reactions(comment)).toEqual([]);
    for (const [text, stage] of [
      [shipping, "stage/ready-for-qa"],
      [POLICY, "stage/pr-created"],
      [shipping, "stage/ready-for-qa"],
    ] as const) {
      policy(text);
      await house.settled();
      house.later();
      expect(house.stageLabels(pull)).toEqual([stage]);
    }
  });

  it("is taken from a bot that the policy names", async () => {
    const pull = await open();
    const { world } = house.sandbox;
    const tess = w.addApp(world, {
      keys: KEYS,
      slug: "tess",
      name: "Tess",
      owner: house.owner,
      permissions: {},
      events: [],
    });
    await ready(pull);
    const comment = w.addComment(world, w.asApp(world, tess), pull, "/stage back");
    await house.settled();
    expect(reactions(comment)).toEqual(["+1"]);
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
  });

  it("stands when its comment is deleted before it is answered, and nothing is left to answer", async () => {
    const pull = await open();
    const { world } = house.sandbox;
    const comment = w.addComment(world, w.asUser(house.cleo), pull, "/stage hold");
    w.deleteComment(world, w.asUser(house.cleo), comment);
    await house.settled();
    expect((await house.row(pull))?.evaluation?.held?.by?.login).toBe("cleo");
    expect(said(pull)).toEqual([]);
    expect(
      (await house.store.effectsOf({ repositoryId: house.repository.id, number: pull.number })).at(-1),
    ).toMatchObject({
      kind: "answer",
      status: "done",
    });
  });

  it("tries again what was given up", async () => {
    const pull = await open();
    const id = { repositoryId: house.repository.id, number: pull.number };
    const installationId = [...house.sandbox.world.installations.keys()][0] ?? 0;
    const effect = {
      ...id,
      key: "k",
      installationId,
      kind: "comment",
      payload: { marker: "m", body: "hello" },
      nextAt: 0,
    };
    await house.killed(async (store) => {
      await store.commit({ effects: [effect], now: 0 });
      const [stored] = (await store.effectsOf(id)).filter((each) => each.key === "k");
      await store.commit({
        settled: [{ ...w.required(stored), status: "dead", error: "refused", errorCode: "refused", result: null }],
        now: 0,
      });
    });
    expect(reactions(await say(pull, house.mallory, "/stage retry"))).toEqual(["confused"]);
    expect(said(pull)).toEqual([expect.stringContaining("mallory has no write permission")]);
    expect(reactions(await say(pull, house.cleo, "/stage retry"))).toEqual(["+1"]);
    expect(said(pull)).toContain("hello");
  });

  it("goes no further after too many rounds, and the owner is told once what to do", async () => {
    const pull = await open();
    for (let round = 0; round < 2; round += 1) {
      await ready(pull);
      await say(pull, house.cleo, "/stage back");
    }
    await ready(pull);
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    const told = said(pull).filter((each) => each.includes("is on hold"));
    expect(told).toEqual([expect.stringMatching(/^@rex This pull request was sent back 2 times.*`\/stage unhold`/)]);
    await say(pull, house.cleo, "/stage unhold");
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
  });
});

describe("a hold of the whole repository", () => {
  it("stops every pull request, those opened later too, until it is ended", async () => {
    const first = await open();
    const { world } = house.sandbox;
    const second = house.open();
    await house.settled();
    house.later();
    const refused = await say(first, house.cleo, "/stage hold --repository release");
    expect(reactions(refused)).toEqual(["confused"]);
    expect(said(first)).toEqual([expect.stringContaining("cleo does not maintain the repository")]);
    expect(reactions(await say(first, olga, "/stage hold --repository release 2.0"))).toEqual(["+1"]);

    const third = house.open();
    await ready(first);
    await ready(second);
    expect(house.stageLabels(first)).toEqual(["stage/pr-created"]);
    expect(house.stageLabels(second)).toEqual(["stage/pr-created"]);
    expect(house.stageLabels(third)).toEqual([]);
    expect(titles(second)["stagewright / ready-for-qa"]).toMatch(
      /^The whole repository is on hold by olga since .* UTC: release 2\.0/,
    );
    expect(reactions(await say(second, house.cleo, "/stage unhold"))).toEqual(["confused"]);

    w.setCollaborator(world, w.asUser(house.owner), house.repository, house.tess, "maintain");
    await house.settled();
    expect(reactions(await say(second, house.tess, "/stage unhold --repository"))).toEqual(["+1"]);
    expect(house.stageLabels(first)).toEqual(["stage/ready-for-qa"]);
    expect(house.stageLabels(second)).toEqual(["stage/ready-for-qa"]);
    expect(house.stageLabels(third)).toEqual(["stage/pr-created"]);
  });
});

describe("a button on a check run", () => {
  const check = (name: string) => {
    const run = [...house.sandbox.world.checkRuns.values()].findLast((each) => each.name === `stagewright / ${name}`);
    if (run === undefined) {
      throw new Error(`no check run ${name}`);
    }
    return run;
  };
  const buttons = (name: string) => check(name).actions.map((each) => each.label);
  const press = async (name: string, identifier: string, by = house.cleo) => {
    w.requestAction(house.sandbox.world, w.asUser(by), check(name), identifier);
    await house.settled();
    house.later();
  };

  it("sends back, holds and lets go, as the command does", async () => {
    const pull = await open();
    expect(buttons("ready-for-qa")).toEqual(["Hold"]);
    await ready(pull);
    expect(buttons("approved")).toEqual(["Send back", "Hold"]);
    await press("approved", "back");
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    await press("ready-for-qa", "hold");
    expect(buttons("ready-for-qa")).toEqual(["Unhold"]);
    await ready(pull);
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    await press("ready-for-qa", "unhold");
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    expect(said(pull)).toEqual([]);
    const pressed = (await house.history(pull)).filter(({ reason }) => reason.includes("pressed the button"));
    expect(pressed.map(({ actor }) => actor?.login)).toEqual(["cleo", "cleo", "cleo"]);
  });

  it("stands on the last stage when that is reached", async () => {
    const pull = await open();
    await say(pull, olga, "/stage to approved");
    expect(buttons("approved")).toEqual(["Send back", "Hold"]);
    await press("approved", "hold");
    expect(house.checks(pull)["stagewright / approved"]).toBe("in_progress");
    expect(buttons("approved")).toEqual(["Send back", "Unhold"]);
    await press("approved", "unhold");
    expect(house.checks(pull)["stagewright / approved"]).toBe("success");
    await press("approved", "back");
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
  });
});

function stored(delivery: w.Delivery): { readonly id: string; readonly event: string; readonly payload: string } {
  return { id: delivery.guid, event: delivery.event, payload: delivery.request.body };
}

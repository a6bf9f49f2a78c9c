/** Comments, labels, people and events that a stage's actions ask for, over real HTTP. */
import { afterEach, describe, expect, it } from "vitest";
import {
  addLabelsByName,
  asUser,
  closePull,
  labelsOn,
  type PullRequest,
  removeLabelByName,
  requestReviewers,
  submitReview,
} from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

let house: House;
afterEach(async () => {
  await house.close();
});

/** Enters its second stage by the label `go`. */
async function entered(actions: string, options: Parameters<typeof openPolicyHouse>[1] = {}): Promise<PullRequest> {
  house = await openPolicyHouse(
    `version: 1
stages:
  - { name: open, enter: { draft: false }, on_back: [{ comment: "back" }] }
  - { name: ready, owner: tess, enter: { label: go }, on_enter: ${actions} }
`,
    options,
  );
  sent = [];
  house.sandbox.world.changes.record((change) => {
    if (change.kind === "repository_dispatch") {
      sent.push(change.clientPayload);
    }
  });
  const pull = house.open();
  await house.settled();
  house.later();
  go(pull);
  return pull;
}

function go(pull: PullRequest): void {
  addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["go"]);
}
function stop(pull: PullRequest): void {
  removeLabelByName(house.sandbox.world, asUser(house.cleo), pull, "go");
}
const lines = async (pull: PullRequest) =>
  (await house.history(pull)).filter((line) => line.kind === "effect").map((line) => line.reason);
const comments = (pull: PullRequest) => pull.comments.map((each) => each.body.replace(/<!--.*-->\n/u, ""));
/** Payloads of the events that GitHub took. */
let sent: unknown[] = [];
const dispatchesSent = () => sent;

describe("labels", () => {
  it("are added and removed, made where the repository has none, and only what differs is written", async () => {
    const pull = await entered("[{ label: { add: [in-qa, go], remove: [needs-work, never-was] } }]");
    addLabelsByName(house.sandbox.world, asUser(house.rex), pull, ["needs-work"]);
    await house.settled();
    expect(house.labels(pull).sort()).toEqual(["go", "in-qa", "stage/ready"]);
    expect(await lines(pull)).toEqual(["added the label in-qa; removed the label needs-work"]);
  });

  it("are set anew when the stage is entered again", async () => {
    const pull = await entered("[{ label: in-qa }]");
    await house.settled();
    removeLabelByName(house.sandbox.world, asUser(house.rex), pull, "in-qa");
    house.later();
    stop(pull);
    await house.settled();
    house.later();
    go(pull);
    await house.settled();
    expect(labelsOn(house.sandbox.world, pull).map((each) => each.name)).toContain("in-qa");
  });
});

describe("reviews", () => {
  it("are requested from those who were not asked and have not reviewed this commit", async () => {
    const pull = await entered("[{ request_review: [tess, cleo, rex, nobody-here, mallory] }]");
    requestReviewers(house.sandbox.world, asUser(house.rex), pull, [{ kind: "user", accountId: house.tess.id }]);
    await house.settled();
    expect(pull.requestedReviewers.map((each) => each.kind === "user" && each.accountId)).toEqual([
      house.tess.id,
      house.cleo.id,
      house.mallory.id,
    ]);
    const [line] = await lines(pull);
    expect(line).toMatch(/^asked cleo, mallory for a review; nobody-here cannot be asked: /u);
  });

  it("are not requested from who has reviewed the head commit", async () => {
    const pull = await entered("[{ request_review: [cleo] }]", {});
    submitReview(house.sandbox.world, asUser(house.cleo), pull, { state: "COMMENTED", body: "hm" });
    stop(pull);
    await house.settled();
    house.later();
    go(pull);
    await house.settled();
    expect(await lines(pull)).toContain("cleo has reviewed this commit");
  });

  it("of a team of another organization are said not to be possible", async () => {
    const pull = await entered('[{ request_review: [cleo, "@elsewhere/team"] }]');
    await house.settled();
    expect(await lines(pull)).toEqual([
      "asked cleo for a review; @elsewhere/team is no team of acme, to which the repository belongs",
    ]);
  });
});

describe("assignees", () => {
  it("are assigned, and those whom GitHub does not take are named", async () => {
    const pull = await entered("[{ assign: [tess, nobody-here] }]");
    await house.settled();
    expect([...pull.assigneeIds]).toEqual([house.tess.id]);
    expect(await lines(pull)).toEqual(["assigned tess; GitHub did not take nobody-here"]);
  });
});

describe("repository_dispatch", () => {
  const write = { permissions: { contents: "write" as const } };

  it("carries the payload and a key that is the same when it is sent again", async () => {
    const pull = await entered(
      '[{ repository_dispatch: { event_type: qa-ready, payload: { pr: "{{number}}" } } }]',
      write,
    );
    house.sandbox.faults.place({ kind: "dropAnswer", match: { route: "POST /repos/{owner}/{repo}/dispatches" } });
    await house.until("it was sent twice", () => dispatchesSent().length === 2);
    await house.settled();
    const payloads = dispatchesSent();
    expect(new Set(payloads.map((each) => JSON.stringify(each)))).toHaveLength(1);
    expect(payloads[0]).toMatchObject({
      pr: "1",
      stagewright_key: expect.stringMatching(/-1-ready-enter-\d+-qa-ready$/u),
    });
    expect(await lines(pull)).toEqual(["repository_dispatch qa-ready was sent"]);
  });

  it("that the app may not send is given up with the permission that it takes, in one comment", async () => {
    const pull = await entered("[{ repository_dispatch: qa-ready }, { repository_dispatch: second }]");
    await house.settled();
    expect(dispatchesSent()).toHaveLength(0);
    expect(comments(pull)).toHaveLength(1);
    expect(comments(pull)[0]).toMatch(/`repository_dispatch` \(on entering `ready`\): .*contents: write/u);
    expect(comments(pull)[0]).toContain("/stage retry");
    expect((await lines(pull)).filter((line) => line.includes("was not done"))).toHaveLength(2);
  });
});

describe("what is late", () => {
  it("a comment of a stage that was left meanwhile is not written", async () => {
    const pull = await entered('[{ comment: "over to {{owner}}" }]');
    house.sandbox.faults.place({
      kind: "status",
      match: { route: "GET /repos/{owner}/{repo}/issues/{issue_number}/comments" },
      status: 502,
      times: 3,
    });
    await house.until("the comment is put off", async () =>
      (await house.store.effectsOf({ repositoryId: house.repository.id, number: pull.number })).some(
        (each) => each.tries > 0,
      ),
    );
    house.later();
    stop(pull);
    await house.until("it is back, and said", () => comments(pull).length > 0);
    await house.until("all is done", async () =>
      (await house.store.effectsOf({ repositoryId: house.repository.id, number: pull.number })).every(
        (each) => each.status === "done",
      ),
    );
    expect(comments(pull)).toEqual(["back"]);
    expect(await lines(pull)).toContain("comment is not needed any more: it has gone on from ready to open");
  });

  it("a comment is still written when the pull request was closed in that stage", async () => {
    const pull = await entered('[{ comment: "over to {{owner}}" }]');
    await house.until("it is there", () => house.stageLabels(pull).join() === "stage/ready");
    closePull(house.sandbox.world, asUser(house.rex), pull);
    await house.settled();
    expect(comments(pull)).toEqual(["over to @tess"]);
  });
});

it("what was given up is done when it is tried again, and the comment says so", async () => {
  const pull = await entered("[{ assign: [mallory] }]");
  const route = "POST /repos/{owner}/{repo}/issues/{issue_number}/assignees";
  house.sandbox.faults.place({ kind: "status", match: { route }, status: 422 });
  await house.settled();
  expect(comments(pull)[0]).toContain("`assign` (on entering `ready`)");
  expect(await house.app.engine().effects.retry({ repositoryId: house.repository.id, number: pull.number })).toBe(1);
  await house.settled();
  expect([...pull.assigneeIds]).toEqual([house.mallory.id]);
  expect(comments(pull)).toEqual(["What could not be done before has been done, or is not needed any more."]);
});

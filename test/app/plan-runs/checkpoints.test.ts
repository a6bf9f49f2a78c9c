/** Runs that wait for a person, over the whole way: agent, machine, check run, comment or button, answer. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import * as w from "../../../src/sandbox/world/index.ts";
import { type Issuer, startIssuer } from "../../coordinator/admission/issuer.ts";
import { removeDirectories } from "../../coordinator/builders.ts";
import { type House, openHouse } from "../house.ts";
import { startJob } from "./decidable-run.ts";

let issuer: Issuer;
let house: House;
let pull: w.PullRequest;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
beforeEach(async () => {
  const files = { ".github/workflows/bench.yml": "on: pull_request\njobs: {}\n" };
  house = await openHouse({ files, hosts: { issuer: issuer.url }, timings: { deliveryGrace: 100 } });
  pull = house.open();
  await house.settled();
});
afterEach(async () => {
  await house.close();
  removeDirectories();
});

const NAMED = "  - { name: deploy, run: 'true', checkpoint: { by: [tess], timeout: 1h } }\n";
const ANYBODY = "  - { name: deploy, run: 'true', checkpoint: true }\n";

async function say(by: w.Account, body: string): Promise<w.Comment> {
  const comment = w.addComment(house.sandbox.world, w.asUser(by), pull, body);
  await house.settled();
  return comment;
}
const reactions = (comment: w.Comment) => comment.reactions.map((each) => each.content);
const answers = (): string[] =>
  pull.comments
    .filter((each) => each.appId === house.registered.id)
    .map((each) => each.body.replace(/<!--.*?-->\n?/gs, ""));
async function press(check: w.CheckRun, by: w.Account, identifier: string): Promise<void> {
  w.requestAction(house.sandbox.world, w.asUser(by), check, identifier);
  await house.settled();
}
const shown = (check: w.CheckRun | undefined): string => JSON.stringify(check?.output);

it("says for whom it waits and until when, and goes on when one of them comments so", async () => {
  const job = startJob(house, issuer, { headSha: pull.head.sha, stages: NAMED });
  const check = await job.waits();
  expect(check.output.title).toContain("deploy begins when tess approves it");
  expect(shown(check)).toMatch(/tess\*\* may decide until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  expect(shown(check)).toContain(`in a comment on #${pull.number}`);
  await expect
    .poll(() => job.events)
    .toContainEqual(
      expect.objectContaining({ kind: "checkpoint", stage: expect.objectContaining({ name: "deploy" }) }),
    );
  await say(house.mallory, "/stage status");
  expect(answers()[0]).toMatch(/waits before deploy for tess until .*`\/stage continue` or `\/stage stop`/);
  expect(reactions(await say(house.cleo, "/stage continue I say so"))).toEqual(["confused"]);
  expect(answers()[1]).toContain("cleo is not tess");
  expect(check.actions).toHaveLength(2);
  expect(reactions(await say(house.tess, "/stage continue looks right"))).toEqual(["+1"]);
  const end = await job.end;
  expect(end).toMatchObject({ kind: "finished", summary: { verdict: "success" } });
  await house.until("it is concluded without buttons", () => check.conclusion === "success");
  expect(check.actions).toEqual([]);
  expect(answers()).toHaveLength(2);
});

it("ends by who may write, where nobody is named, and says who and why", async () => {
  const job = startJob(house, issuer, { headSha: pull.head.sha, stages: ANYBODY });
  const check = await job.waits();
  expect(reactions(await say(house.mallory, "/stage stop"))).toEqual(["confused"]);
  expect(answers()[0]).toContain("mallory has no write permission");
  expect(reactions(await say(house.cleo, "/stage stop not on a Friday"))).toEqual(["+1"]);
  const message = "cancelled by cleo: deploy: not on a Friday";
  expect(await job.end).toMatchObject({ summary: { verdict: "cancelled", message } });
  await house.until("it is concluded", () => check.conclusion === "cancelled");
  expect(check.output.title).toBe(message);
  expect(check.actions).toEqual([]);
  expect(reactions(await say(house.cleo, "/stage continue"))).toEqual(["confused"]);
  expect(answers()[1]).toContain("no run of this pull request waits for a person");
});

it("takes a button of who may, once, and says on the check run whose did not count", async () => {
  const job = startJob(house, issuer, {
    headSha: pull.head.sha,
    stages: `${NAMED}${NAMED.replace("deploy", "announce")}`,
  });
  const check = await job.waits();
  const [first] = check.actions;
  await press(check, house.cleo, first?.identifier ?? "");
  await house.until("the refusal is shown", () => shown(check).includes("cleo pressed Continue, which does not count"));
  expect(answers()).toEqual([expect.stringContaining("cleo is not tess")]);
  await press(check, house.tess, first?.identifier ?? "");
  const again = (): string => check.actions[0]?.identifier ?? "";
  await house.until("it waits before the next stage", () => again() !== "" && again() !== first?.identifier);
  // The very same press, sent again by somebody who has seen it: it is of a stage that has begun.
  const captured = [...house.sandbox.world.deliveries.values()].findLast(
    ({ event, request }) => event === "check_run" && request.body.includes("requested_action"),
  );
  const { body = "", headers = {} } = captured?.request ?? {};
  const replayed = await fetch(`${house.url}/api/github/webhooks`, {
    method: "POST",
    body,
    headers: { ...headers, "x-github-delivery": "00000000-0000-4000-8000-000000000001" },
  });
  expect(replayed.status).toBe(202);
  await house.settled();
  expect(again()).toMatch(/^continue:1:1$/);
  expect(answers()).toHaveLength(1);
  await press(check, house.tess, "stop:1:1");
  expect(await job.end).toMatchObject({
    summary: { verdict: "cancelled", message: "cancelled by tess: did not agree to announce" },
  });
  const history = (await house.history(pull)).filter(({ reason }) => reason.includes("pressed the button"));
  expect(history.map(({ actor }) => actor?.login)).toContain("tess");
});

it("has to be named where several of a pull request wait, and a run of none has its buttons", async () => {
  const one = startJob(house, issuer, { headSha: pull.head.sha, name: "one", stages: ANYBODY });
  // Names are listed in the order in which the runs began.
  await one.waits();
  const two = startJob(house, issuer, { headSha: pull.head.sha, name: "two", stages: ANYBODY });
  const main = house.repository.refs.get("refs/heads/main") ?? "";
  const alone = startJob(house, issuer, { headSha: main, name: "nightly", stages: ANYBODY });
  for (const job of [two, alone]) await job.waits();
  await say(house.cleo, "/stage continue");
  expect(answers()[0]).toContain(
    "2 runs wait for a person, name one: --run one (before deploy) or --run two (before deploy)",
  );
  await say(house.cleo, "/stage continue --run nightly");
  expect(answers()[1]).toContain("no run called nightly waits for a person");
  expect(reactions(await say(house.cleo, "/stage stop --run two enough"))).toEqual(["+1"]);
  expect(await two.end).toMatchObject({ summary: { message: "cancelled by cleo: deploy: enough" } });
  expect(reactions(await say(house.cleo, "/stage continue"))).toEqual(["+1"]);
  expect(await one.end).toMatchObject({ summary: { verdict: "success" } });
  await press(await alone.waits(), house.mallory, "continue:0:1");
  await house.until("the refusal is shown", () => shown(alone.check()).includes("mallory has no write permission"));
  await press(await alone.waits(), house.cleo, "continue:0:1");
  expect(await alone.end).toMatchObject({ summary: { verdict: "success" } });
});

it("goes through a recipe, whose deliverables people approve one after the other", async () => {
  const recipe = readFileSync("examples/recipe/recipe.yml", "utf8").replaceAll(
    "node examples",
    `node ${resolve("examples")}`,
  );
  const [, stages = ""] = recipe.split("stages:\n");
  const job = startJob(house, issuer, { headSha: pull.head.sha, name: "recipe", stages });
  const steps = ["evaluation", "sub-tasks", "execution", "review", "commit"];
  for (const [index, step] of steps.entries()) {
    await house.until(
      `it waits before ${step}`,
      () => job.check()?.output.title?.startsWith(`${step} begins when`) === true,
    );
    expect(
      reactions(await say(index % 2 === 0 ? house.cleo : house.tess, `/stage continue ${step} can begin`)),
    ).toEqual(["+1"]);
  }
  expect(await job.end).toMatchObject({ summary: { verdict: "success" } });
  await house.until("it is concluded", () => job.check()?.conclusion === "success");
  for (const step of steps) expect(job.check()?.output.text).toContain(`| ${step} can begin |`);
});

/** GitHub refuses to say who somebody is: that grants nothing, and holds nothing else up. */
import { afterEach, expect, it } from "vitest";
import * as w from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

const MEMBERSHIP = "GET /orgs/{org}/teams/{team_slug}/memberships/{username}";
const PERMISSION = "GET /repos/{owner}/{repo}/collaborators/{username}/permission";

let house: House;
afterEach(async () => {
  await house.close();
});

const label = async (pull: w.PullRequest, name: string, by = house.cleo): Promise<void> => {
  w.addLabelsByName(house.sandbox.world, w.asUser(by), pull, [name]);
  await house.settled();
  house.later();
};
const opened = async (): Promise<w.PullRequest> => {
  const pull = house.open();
  await house.settled();
  house.later();
  return pull;
};
const asked = (route: string) => house.sandbox.requests.counts().routes[route] ?? 0;
const summary = (name: string) =>
  [...house.sandbox.world.checkRuns.values()].findLast((run) => run.name === `stagewright / ${name}`)?.output.summary;

it("puts a stage label right that somebody set, and goes on, where operators are a team it may not ask about", async () => {
  house = await openPolicyHouse(`version: 1
operators: ["@elsewhere/team"]
stages:
  - { name: open, enter: { draft: false } }
  - { name: qa, enter: { label: ready } }
`);
  const pull = await opened();
  house.sandbox.faults.place({ kind: "status", match: { route: MEMBERSHIP }, status: 403, times: 1_000 });
  await label(pull, "stage/qa");
  expect(house.stageLabels(pull)).toEqual(["stage/open"]);
  await label(pull, "ready");
  expect(house.stageLabels(pull)).toEqual(["stage/qa"]);
  expect((await house.row(pull))?.reevaluationTries).toBe(0);
  expect(asked(MEMBERSHIP)).toBe(1);
});

it("says what a condition lacks of which it may not ask the team", async () => {
  house = await openPolicyHouse(`version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: qa, enter: { label: { name: ready, by: ["@elsewhere/team"] } } }
`);
  house.sandbox.faults.place({ kind: "status", match: { route: MEMBERSHIP }, status: 403, times: 1_000 });
  const pull = await opened();
  await label(pull, "ready");
  expect(house.stageLabels(pull)).toEqual(["stage/open"]);
  expect(summary("qa")).toContain("GitHub does not tell the app who is in");
});

it("takes a permission it may not ask about as none, and says so", async () => {
  house = await openHouse();
  house.sandbox.faults.place({ kind: "status", match: { route: PERMISSION }, status: 403, times: 1_000 });
  const pull = await opened();
  await label(pull, "ready-for-qa");
  expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
  expect(summary("ready-for-qa")).toContain("cleo, who has a permission that GitHub does not tell the app");
  w.addComment(house.sandbox.world, w.asUser(house.cleo), pull, "/stage hold");
  await house.settled();
  expect(pull.comments.at(-1)?.body).toContain("has a permission that GitHub does not tell the app");
  expect((await house.row(pull))?.evaluation?.held).toBeNull();
});

it.each([
  ["a rate limit", { kind: "rateLimited", match: { route: PERMISSION }, retryAfter: 0 }],
  ["an error of GitHub's own", { kind: "status", match: { route: PERMISSION }, status: 502 }],
] as const)("asks again after %s", async (_, fault) => {
  house = await openHouse();
  const pull = await opened();
  house.sandbox.faults.place(fault);
  await label(pull, "ready-for-qa");
  await house.until("it moves", () => house.stageLabels(pull)[0] === "stage/ready-for-qa");
});

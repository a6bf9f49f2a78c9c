/** Comments of the app that are found again by a hidden marker, whatever else they quote. */
import { afterEach, expect, it } from "vitest";
import { addComment, addLabelsByName, asUser, type PullRequest } from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

let house: House;
afterEach(async () => {
  await house.close();
});

/** Two stages, the second of which hands over with a comment. */
const policy = (second: string, enter: string): string => `version: 1
stages:
  - { name: pr-created, enter: { draft: false } }
  - { name: ${second}, owner: tess, enter: { label: go }, on_enter: ${enter} }
`;

const bodies = (pull: PullRequest): string[] =>
  pull.comments.filter(({ appId }) => appId === house.registered.id).map(({ body }) => body);

async function label(pull: PullRequest, name: string): Promise<void> {
  addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, [name]);
  await house.settled();
  house.later();
}

it.each([
  ["a command", (pull: PullRequest) => comment(pull, "/stage to `<!-- stagewright: qa -->`")],
  ["a label", (pull: PullRequest) => label(pull, "stage/<!-- stagewright: qa -->")],
])("a marker that %s makes us quote does not make our answer the stage's comment", async (_, quote) => {
  house = await openPolicyHouse(policy("qa", '[{ comment: "over to {{owner}}" }]'));
  const pull = house.open();
  await house.settled();
  house.later();
  await quote(pull);
  const [answer = ""] = bodies(pull);
  expect(answer).toContain("<!-- stagewright: qa -->");
  await label(pull, "go");
  expect(bodies(pull)).toEqual([answer, expect.stringMatching(/^<!-- stagewright: qa -->\nover to @tess$/u)]);
});

async function comment(pull: PullRequest, body: string): Promise<void> {
  addComment(house.sandbox.world, asUser(house.mallory), pull, body);
  await house.settled();
  house.later();
}

it("a stage called as one of our own comments has a comment of its own", async () => {
  house = await openPolicyHouse(policy("trouble", '[{ comment: "look into it" }, { assign: nobody-there }]'));
  const pull = house.open();
  await house.settled();
  house.later();
  await label(pull, "go");
  expect(bodies(pull)).toEqual([
    expect.stringContaining("look into it"),
    expect.stringContaining("nobody-there cannot be assigned"),
  ]);
});

/** Whoever has read the webhooks on their way can send them all again, in any order, under ids of their own. */
import { afterEach, expect, it } from "vitest";
import * as w from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../app/house.ts";

const POLICY = `version: 1
operators: [cleo]
stages:
  - { name: open, enter: { draft: false } }
  - { name: qa, enter: { label: go }, on_enter: [{ comment: over to QA }, { start: qa.yml }], back: { when: changes_requested, to: open } }
  - { name: done, gate: true, enter: { approvals: 1 } }
on_push: { back_to: open, cancel: true }
`;
const QA = `on:
  workflow_dispatch:
    inputs: { sha: { type: string }, pull_request: { type: string }, stagewright_key: { type: string } }
jobs: { qa: { runs-on: self-hosted, steps: [{ run: ./test.sh }] } }
`;

let house: House;
afterEach(() => house.close());

/** All that the app knows of a pull request, has done for it and shows of it. */
async function all(pull: w.PullRequest) {
  const id = { repositoryId: house.repository.id, number: pull.number };
  const row = await house.row(pull);
  return {
    facts: row?.facts,
    evaluation: row?.evaluation,
    labels: house.labels(pull),
    checks: house.checks(pull),
    comments: pull.comments.map(({ body }) => body),
    history: (await house.history(pull)).map(({ kind, reason }) => [kind, reason]),
    effects: (await house.store.effectsOf(id)).map(({ kind, status }) => [kind, status]),
    runs: house.sandbox.world.runs.size,
  };
}

it("webhooks that are sent again change nothing: no act counts anew, none is taken back, nothing is done twice", async () => {
  const files = { ".github/stagewright.yml": POLICY, ".github/workflows/qa.yml": QA };
  house = await openHouse({ oneClock: true, manifest: "app-full.yml", files });
  const { world } = house.sandbox;
  const [rex, cleo, tess] = [w.asUser(house.rex), w.asUser(house.cleo), w.asUser(house.tess)];
  const pull = house.open();
  const steps: readonly (() => unknown)[] = [
    () => undefined,
    () => w.addLabelsByName(world, cleo, pull, ["go"]),
    () => w.submitReview(world, tess, pull, { state: "APPROVED" }),
    () => w.addComment(world, cleo, pull, "/stage hold wait for me"),
    () => w.addComment(world, cleo, pull, "/stage unhold"),
    () => w.submitReview(world, tess, pull, { state: "CHANGES_REQUESTED", body: "No" }),
    () => w.addComment(world, cleo, pull, "/stage to done"),
    () => house.push(pull, house.rex),
    () => w.editPull(world, rex, pull, { title: "Another title" }),
    () => w.addLabelsByName(world, cleo, pull, ["go"]),
    () => w.removeLabelByName(world, cleo, pull, "go"),
  ];
  const seen = new Set<string>();
  for (const step of steps) {
    step();
    await house.settled();
    house.later(5);
    seen.add((await house.row(pull))?.evaluation?.stage ?? "none");
  }
  expect([...seen]).toEqual(["open", "qa", "done"]);
  const before = await all(pull);
  // That an installation is gone is believed (SECURITY.md).
  const captured = [...world.deliveries.values()].filter(({ event }) => !event.startsWith("installation")).reverse();
  expect(captured.length).toBeGreaterThan(40);
  for (const [index, { request }] of captured.entries()) {
    const answer = await fetch(`${house.url}/api/github/webhooks`, {
      method: "POST",
      body: request.body,
      headers: { ...request.headers, "x-github-delivery": `replayed-${index}` },
    });
    expect(answer.status).toBe(202);
  }
  await house.settled();
  house.later(60);
  house.app.engine().wakeups.notify("pulls");
  await house.settled();
  expect(await all(pull)).toEqual(before);
});

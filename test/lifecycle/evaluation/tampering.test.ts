/** When stage labels were changed by somebody who may not, and when the app gives up on them. */
import { expect, test } from "vitest";
import { MOST_CORRECTIONS, TAMPERING_HOUR_MS, tamperingOf } from "../../../src/lifecycle/evaluation/tampering.ts";
import type { ActWithoutId } from "../../../src/lifecycle/facts/change.ts";
import type { Actor } from "../../../src/lifecycle/facts/facts.ts";
import {
  alice,
  cleo,
  comment,
  evaluationOf,
  labeled,
  lead,
  minute,
  openedThen,
  outsider,
  permissions,
  unlabeled,
} from "../builders.ts";
import { policyOf } from "../policies.ts";

const policy = policyOf(
  "operators: [lead]\nstages:\n  - { name: a, enter: { draft: false } }\n  - { name: b, enter: { label: ready } }\n",
);
const ours: Actor = { kind: "bot", id: 1, login: "stagewright[bot]" };

function at(now: number, ...deeds: ActWithoutId[]) {
  const facts = openedThen(...deeds);
  const evaluation = evaluationOf(facts, policy);
  const found = tamperingOf({ facts, policy, permissions, evaluation, botLogin: ours.login, now: minute(now) });
  return { attempts: found.attempts.map(({ act }) => act.id), stop: found.stop };
}

test.each<[who: string, deed: ActWithoutId, counts: boolean]>([
  ["a writer sets another stage's label", labeled(5, "stage/b", alice), true],
  ["a writer sets a label of no stage", labeled(5, "Stage/zzz", alice), true],
  ["an outsider takes the right label off", unlabeled(5, "stage/a", outsider), true],
  ["an operator sets it", labeled(5, "stage/b", lead), false],
  ["an operator takes it off", unlabeled(5, "stage/a", lead), false],
  ["the app sets it", labeled(5, "stage/b", ours), false],
  ["a bot of another name sets it", labeled(5, "stage/b", cleo), true],
  ["a user called as the app is sets it", labeled(5, "stage/b", { kind: "user", id: 9, login: ours.login }), true],
  ["a writer puts the right label back", labeled(5, "stage/a", alice), false],
  ["a writer takes a wrong label off", unlabeled(5, "stage/b", alice), false],
  ["a writer sets any other label", labeled(5, "bug", alice), false],
])("%s", (_, deed, counts) => {
  expect(at(6, deed).attempts).toHaveLength(counts ? 1 : 0);
});

test("what was right when it was done stays right when the pull request has gone on", () => {
  const now = [unlabeled(4, "stage/a", ours), labeled(5, "stage/a", alice), labeled(7, "ready", alice)];
  expect(at(8, ...now).attempts).toEqual([]);
});

test("right is the label of the stage that it was in then, not of one before", () => {
  const inB = labeled(1, "ready", alice);
  expect(at(8, inB, unlabeled(4, "stage/b", ours), labeled(5, "stage/b", alice)).attempts).toEqual([]);
  expect(at(8, inB, labeled(5, "stage/a", alice)).attempts).toHaveLength(1);
  expect(at(8, inB, unlabeled(5, "stage/b", alice)).attempts).toHaveLength(1);
  expect(at(8, labeled(6, "ready", alice), labeled(5, "stage/a", alice)).attempts).toEqual([]);
});

test("who is not known to be an operator is looked up, and counted until it is known", () => {
  const stranger: Actor = { kind: "user", id: 999, login: "stranger" };
  const facts = openedThen(labeled(5, "stage/b", stranger));
  const known = { levels: {}, teams: {}, identities: {} };
  const evaluation = evaluationOf(facts, policy);
  const found = tamperingOf({ facts, policy, permissions: known, evaluation, botLogin: ours.login, now: minute(6) });
  expect(found.lookups).toEqual([{ kind: "identity", login: "lead" }]);
});

test("while the app does not know its own login nothing is held against anybody", () => {
  const facts = openedThen(labeled(5, "stage/b", alice));
  const evaluation = evaluationOf(facts, policy);
  expect(tamperingOf({ facts, policy, permissions, evaluation, botLogin: null, now: minute(6) }).attempts).toEqual([]);
});

const times = (...minutes: number[]) => minutes.map((n) => labeled(n, "stage/b", cleo));

test.each<[what: string, deeds: ActWithoutId[], now: number, until: number | null]>([
  ["three times in an hour", times(1, 2, 3), 4, null],
  ["four times in an hour", times(1, 2, 3, 4), 5, 64],
  ["four times in more than an hour", times(1, 2, 3, 61), 62, null],
  ["the hour is over", times(1, 2, 3, 4), 64, null],
  ["more while it is stopped lasts no longer", times(1, 2, 3, 4, 5, 30, 63), 63, 64],
  ["the count begins anew afterwards", times(1, 2, 3, 4, 65, 66, 67), 68, null],
  ["and ends anew", times(1, 2, 3, 4, 65, 66, 67, 68), 69, 128],
  ["retry by a writer ends it", [...times(1, 2, 3, 4), comment(5, alice, "retry")], 6, null],
  ["retry by an outsider does not", [...times(1, 2, 3, 4), comment(5, outsider, "retry")], 6, 64],
  ["retry begins the count anew", [...times(1, 2, 3), comment(4, alice, "retry"), ...times(5, 6, 7)], 8, null],
  [
    "one label off and another on is one time",
    [1, 2, 3].flatMap((n) => [unlabeled(n, "stage/a", cleo), labeled(n, "stage/b", cleo)]),
    4,
    null,
  ],
])("%s", (_, deeds, now, until) => {
  expect(at(now, ...deeds).stop?.until ?? null).toBe(until === null ? null : minute(until));
});

test("only what is put right is told, each of the last hour", () => {
  const { attempts } = at(50, ...times(1, 2, 3, 4, 5));
  expect(attempts).toHaveLength(MOST_CORRECTIONS);
  expect(at(1 + TAMPERING_HOUR_MS / 60_000, ...times(1, 2)).attempts).toHaveLength(1);
});

test("a pull request that is closed is left alone", () => {
  const facts = openedThen(labeled(5, "stage/b", alice), { kind: "closed", at: minute(6), by: alice, merged: false });
  const evaluation = evaluationOf(facts, policy);
  const found = tamperingOf({ facts, policy, permissions, evaluation, botLogin: ours.login, now: minute(6) });
  expect(found).toEqual({ attempts: [], stop: null, lookups: [] });
});

test("labels set and labels taken off are counted apart, the more of them counts", () => {
  const on = (count: number) => Array.from({ length: count }, (_, n) => labeled(n + 1, "stage/b", alice));
  const off = (count: number) => Array.from({ length: count }, (_, n) => unlabeled(n + 1, "stage/a", alice));
  expect(at(9, ...on(MOST_CORRECTIONS), ...off(MOST_CORRECTIONS)).stop).toBeNull();
  expect(at(9, ...on(MOST_CORRECTIONS + 1), ...off(1)).stop).not.toBeNull();
  expect(at(9, ...on(1), ...off(MOST_CORRECTIONS + 1)).stop).not.toBeNull();
});

/** Ways to get a pull request forward that must not work, each with the reason that is given. */
import { expect, test } from "vitest";
import { decideCommand, readCommands } from "../../../src/lifecycle/commands.ts";
import type { Change } from "../../../src/lifecycle/facts/change.ts";
import type { Actor } from "../../../src/lifecycle/facts/facts.ts";
import {
  alice,
  bob,
  check,
  checked,
  cleo,
  comment,
  did,
  evaluationOf,
  history,
  labeled,
  OUR_APP_ID,
  opened,
  outsider,
  permissions,
  pushed,
  ran,
  review,
  rex,
  tess,
  tessUser,
} from "../builders.ts";
import { policyOf, readExample } from "../policies.ts";

const policy = readExample("three-bots");
const build = checked(check(0));
const inQa = [build, did(labeled(10, "ready-for-qa", cleo))];
const qaPassed = [...inQa, did(ran(15, "qa.yml", "success"))];
/** Somebody whose app has the name of the tester's, but is another one. */
const falseTess: Actor = { kind: "bot", id: 77, login: "tess[bot]" };
/** A user who renamed himself; the login is what a policy names, the id is not. */
const falseBob: Actor = { kind: "user", id: 78, login: "bob" };

test.each<[attempt: string, changes: Change[], stage: string, reason: RegExp]>([
  [
    "the ready label by an outsider, where `by` names who may",
    [build, did(labeled(10, "ready-for-qa", outsider))],
    "pr-created",
    /added by outsider, who is not cleo\[bot\] or @org\/quality/,
  ],
  [
    "the ready label by someone with write permission who is not named",
    [build, did(labeled(10, "ready-for-qa", bob))],
    "pr-created",
    /added by bob, who is not/,
  ],
  [
    "a forged check from another app beside the one that failed",
    [checked(check(0, { conclusion: "failure" }), check(1, { appId: 666, appSlug: "forger" })), ...inQa.slice(1)],
    "pr-created",
    /build ended with failure/,
  ],
  [
    "our own check as evidence",
    [checked(check(0, { appId: OUR_APP_ID })), ...inQa.slice(1)],
    "pr-created",
    /build has not reported/,
  ],
  [
    "a check on another commit",
    [checked(check(0, { sha: "bbbbbbb2" })), ...inQa.slice(1)],
    "pr-created",
    /not reported/,
  ],
  ["an approval by the author", [...qaPassed, did(review(16, rex, "approved"))], "ready-for-qa", /is the author/],
  [
    "an approval by a bot that is not named",
    [...qaPassed, did(review(16, cleo, "approved"))],
    "ready-for-qa",
    /cleo\[bot\] is not tess\[bot\] or @org\/testing/,
  ],
  [
    "an approval by someone with write permission who is not named",
    [...qaPassed, did(review(16, alice, "approved"))],
    "ready-for-qa",
    /alice is not/,
  ],
  [
    "an approval by a user who calls himself as the bot without its suffix",
    [...qaPassed, did(review(16, tessUser, "approved"))],
    "ready-for-qa",
    /tess is not tess\[bot\]/,
  ],
  [
    "an approval by another app with the same login",
    [...qaPassed, did(review(16, falseTess, "approved"))],
    "ready-for-qa",
    /tess\[bot\] is not tess\[bot\]/,
  ],
  [
    "an approval of an older commit",
    [...qaPassed, did(review(16, tess, "approved", "0000000"))],
    "ready-for-qa",
    /not the head commit/,
  ],
  [
    "an approval that came before QA",
    [...qaPassed, did(review(5, tess, "approved"))],
    "ready-for-qa",
    /before ready-for-qa/,
  ],
  [
    "a push with the approval of the commit before",
    [...qaPassed, did(review(16, tess, "approved"), pushed(17, "aaaaaaa1", "bbbbbbb2", rex))],
    "pr-created",
    /given before rex\[bot\] pushed bbbbbbb/,
  ],
  [
    "a push in the name of the formatter by another app",
    [...qaPassed, did(review(16, tess, "approved"), pushed(17, "aaaaaaa1", "bbbbbbb2", { ...cleo, id: 79 }))],
    "pr-created",
    /pushed bbbbbbb/,
  ],
  [
    "a QA result of another commit",
    [...inQa, did(ran(15, "qa.yml", "success", "0000000"))],
    "ready-for-qa",
    /has not finished on the head/,
  ],
  [
    "a stage label by hand",
    [...inQa, did(labeled(20, "stage/approved", alice))],
    "ready-for-qa",
    /approval is missing/,
  ],
  [
    "a stage label by a bot",
    [...inQa, did(labeled(20, "stage/approved", cleo))],
    "ready-for-qa",
    /approval is missing/,
  ],
  ["/stage to by an outsider", [...inQa, did(comment(20, outsider, "to", "approved"))], "ready-for-qa", /missing/],
  [
    "/stage to by a writer who is no operator",
    [...inQa, did(comment(20, alice, "to", "approved"))],
    "ready-for-qa",
    /missing/,
  ],
])("%s", (_, changes, stage, reason) => {
  const result = evaluationOf(history(opened(), ...changes), policy);
  expect(result.stage).toBe(stage);
  expect(result.missing?.summary).toMatch(reason);
});

test("a user with the login of one who is named, but another id, is not that one", () => {
  const named = policyOf("stages:\n  - { name: a, enter: { approvals: { by: bob } } }\n");
  const facts = history(opened(), did(review(16, falseBob, "approved")));
  expect(evaluationOf(facts, named).missing?.summary).toContain("bob is not bob");
});

test.each<[attempt: string, actor: Actor, line: string, reason: RegExp]>([
  ["an outsider holds it", outsider, "/stage hold", /outsider has no write permission/],
  ["an outsider sends it back", outsider, "/stage back", /no write permission/],
  ["a bot that is not named moves it back", rex, "/stage to pr-created", /name it in `by`/],
  [
    "a writer moves it past conditions",
    alice,
    "/stage to approved",
    /may not move it past conditions.*@org\/leads may/,
  ],
  [
    "somebody moves it nowhere",
    alice,
    "/stage to production",
    /no stage "production" here: expected pr-created, ready/,
  ],
  ["somebody moves it to where it is", alice, "/stage to ready-for-qa", /it is in ready-for-qa already/],
  ["somebody mistypes", alice, "/stage bakc", /no command "bakc"; did you mean "back"\?/],
])("%s: refused with the reason", (_, actor, line, reason) => {
  const [command] = readCommands(line).commands;
  const evaluation = evaluationOf(history(opened(), ...inQa), policy);
  if (command === undefined) {
    throw new Error("no command");
  }
  const decision = decideCommand({ command, actor, evaluation, policy, permissions });
  expect(decision.allowed ? "allowed" : decision.reason).toMatch(reason);
});

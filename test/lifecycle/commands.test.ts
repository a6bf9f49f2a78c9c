import { expect, test } from "vitest";
import { helpText } from "../../src/lifecycle/command-help.ts";
import { COMMAND_NAMES } from "../../src/lifecycle/command-names.ts";
import { commandsToAnswer, decideCommand, readCommands } from "../../src/lifecycle/commands.ts";
import type { Actor } from "../../src/lifecycle/facts/facts.ts";
import { ticketNumber, ticketOf } from "../../src/lifecycle/facts/ticket.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/policy/default-policy.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { alice, evaluationOf, labeled, lead, openedThen, outsider, permissions, tess } from "./builders.ts";
import { policyOf, readExample } from "./policies.ts";

const policy = readExample("three-bots");
const shipping = policyOf("stages:\n  - { name: a, enter: { any: [{ command: ship-it }, { draft: true }] } }\n");

/** What of a comment is answered. */
const parseCommands = (body: string, of: Policy) => commandsToAnswer(readCommands(body), of);
const hold = expect.objectContaining({ name: "hold", argument: "" });

test.each<[body: string, commands: unknown[]]>([
  ["/stage status", [{ kind: "stage", name: "status", argument: "" }]],
  ["/stage", [{ kind: "stage", name: "help", argument: "" }]],
  ["  /stage  TO   approved  ", [{ kind: "stage", name: "to", argument: "approved" }]],
  [
    "Please\r\n/stage hold until the *release*\r\nThanks",
    [{ kind: "stage", name: "hold", argument: "until the *release*" }],
  ],
  ["/stage hold --repository a release", [{ kind: "repository", name: "hold", argument: "a release" }]],
  ["/stage hold —Repository", [{ kind: "repository", name: "hold", argument: "" }]],
  ["/stage unhold --repository", [{ kind: "repository", name: "unhold", argument: "" }]],
  ["/stage hold --repo", [{ kind: "unknown", word: "hold --repo", suggestion: "; the only option is --repository" }]],
  ["/stage hold the --repository", [{ kind: "stage", name: "hold", argument: "the --repository" }]],
  ["/stage bakc", [{ kind: "unknown", word: "bakc", suggestion: '; did you mean "back"?' }]],
  [
    "/stage back\n/stage retry",
    [expect.objectContaining({ name: "back" }), expect.objectContaining({ name: "retry" })],
  ],
  ["see /stage back", []],
  ["> /stage back", []],
  ["    /stage back", []],
  ["```\n/stage back\n```", []],
  ["~~~\n/stage back", []],
  ["<!-- \n/stage back\n-->", []],
  ["```\n```js\n/stage back\n```", []],
  [" \t/stage back", []],
  ["<pre>\n/stage back\n</pre>", []],
  ["/sta<!-- x -->ge back", []],
  ["use `/stage back`\n`/stage back`", []],
  ["1. /stage back", []],
  ["# /stage back", []],
  ["/stage hold <!-- not\n/stage back -->\n/stage retry", [hold, expect.objectContaining({ name: "retry" })]],
  ["say `<!--` in a comment\n\n/stage hold", [hold]],
  ["```\n<!--\n```\n/stage hold", [hold]],
  ["> what he said\n/stage hold", [hold]],
  ["- a list\n/stage hold", [hold]],
  ["<details>\n\n/stage hold\n\n</details>", [hold]],
  ["/stages back", []],
  ["/ship-it", []],
  ["", []],
])("in %j", (body, commands) => {
  expect(parseCommands(body, policy)).toEqual(commands);
});

test("a command is read whatever the policy waits for, and answered where it waits for it", () => {
  const shipIt = { kind: "policy", name: "ship-it", argument: "now" };
  expect(readCommands("/ship-it now\n/other\n/usr/bin/env").commands).toEqual([
    shipIt,
    { kind: "policy", name: "other", argument: "" },
  ]);
  expect(parseCommands("/ship-it now\n/other", shipping)).toEqual([shipIt]);
});

test("many words for other bots leave room for /stage commands, and those beyond are refused where they are waited for", () => {
  const words = Array.from({ length: 20 }, (_, n) => `/word-${n}`).join("\n");
  const asked = readCommands(`${words}\n/stage hold\n/another\n/ship-it`);
  expect(asked.commands).toHaveLength(21);
  expect(commandsToAnswer(asked, policy)).toEqual([hold]);
  expect(commandsToAnswer(asked, shipping)).toEqual([hold, { kind: "surplus", written: "/ship-it", more: 0 }]);
});

test("one comment gives at most five commands, and those after them are refused", () => {
  const commands = parseCommands(`${"/stage status\n".repeat(5)}no command\n/stage hold it burns\n/stage back`, policy);
  expect(commands.slice(0, 5)).toEqual(Array(5).fill({ kind: "stage", name: "status", argument: "" }));
  expect(commands.slice(5)).toEqual([{ kind: "surplus", written: "/stage hold it burns", more: 1 }]);
  const [command] = commands.slice(5);
  const evaluation = evaluationOf(openedThen());
  expect(command && decideCommand({ command, actor: lead, evaluation, policy, permissions })).toMatchObject({
    allowed: false,
    reason: "only the first five /stage commands and the first twenty others of a comment count: write it in a new one",
  });
});

test("arguments are bounded and on one line", () => {
  const [hold] = parseCommands(`/stage hold ${"x\u202e\u0007".repeat(5_000)}`, policy);
  expect(hold).toMatchObject({ kind: "stage", argument: expect.stringMatching(/^x{1,200}$/) });
});

test.each<[name: string, actor: Actor, line: string, allowed: boolean]>([
  ["anyone asks where it is", outsider, "/stage status", true],
  ["anyone asks for help", outsider, "/stage help", true],
  ["a writer holds", alice, "/stage hold", true],
  ["a writer retries", alice, "/stage retry", true],
  ["an outsider retries", outsider, "/stage retry", false],
  ["a writer moves back", alice, "/stage to pr-created", true],
  ["an outsider moves back", outsider, "/stage to pr-created", false],
  ["an operator moves forward", lead, "/stage to approved", true],
  ["a writer moves forward", alice, "/stage to approved", false],
  ["an operator holds the repository", lead, "/stage hold --repository", true],
  ["a writer holds the repository", alice, "/stage hold --repository", false],
  ["somebody takes it off hold though it is not", alice, "/stage unhold", false],
  ["the stage's owner, an app, sends back", tess, "/stage back", true],
  ["the stage's owner, an app, moves forward", tess, "/stage to approved", false],
])("%s: %s", (_, actor, line, allowed) => {
  const [command] = parseCommands(line, DEFAULT_POLICY);
  const owned = {
    ...DEFAULT_POLICY,
    operators: ["lead"],
    stages: DEFAULT_POLICY.stages.map((s) => ({ ...s, owner: "tess[bot]" })),
  };
  const evaluation = evaluationOf(openedThen(labeled(1, "ready-for-qa", alice)), owned);
  if (command === undefined) {
    throw new Error("no command");
  }
  expect(decideCommand({ command, actor, evaluation, policy: owned, permissions }).allowed).toBe(allowed);
});

test("whose permissions are not known is refused for now, with what must be looked up", () => {
  const stranger: Actor = { kind: "user", id: 999, login: "stranger" };
  const [command] = parseCommands("/stage hold", policy);
  const evaluation = evaluationOf(openedThen(), policy);
  if (command === undefined) {
    throw new Error("no command");
  }
  expect(decideCommand({ command, actor: stranger, evaluation, policy, permissions })).toEqual({
    allowed: false,
    reason: "stranger has a permission not known yet",
    lookups: [
      { kind: "team", team: "org/leads", actor: stranger },
      { kind: "permission", actor: stranger },
    ],
  });
});

test("help lists every command, the policy's own too", () => {
  const help = helpText(shipping);
  for (const name of COMMAND_NAMES) {
    expect(help).toContain(`/stage ${name}`);
  }
  expect(help).toContain("`/ship-it`");
});

const PATTERNS = { label: "task-*", branch: "task-*", title: "task-*" };

test.each([
  [["task-7"], "x", "x", "7", "label"],
  [["bug", "TASK-12"], "task-1", "x", "12", "label"],
  [[], "feature/task-7-retry", "x", "7", "branch"],
  [[], "task-007", "x", "7", "branch"],
  [[], "mytask-7", "task-9: do", "9", "title"],
  [["task-7x", "my-task-7"], "task-7x", "Fix task-8, please", "8", "title"],
  [[], "x", "nothing", null, null],
  [["task-", "task-x"], "task-", "task", null, null],
])("labels %j, branch %s, title %s: ticket %s", (labels, ref, title, number, source) => {
  const ticket = ticketOf({ labels, head: { sha: "", ref, repositoryId: 1, at: 0 }, title }, PATTERNS);
  expect(ticket).toEqual(number === null ? { kind: "none" } : { kind: "one", number, source });
});

test("several tickets in one place are said, and none of them is taken", () => {
  const facts = {
    labels: ["task-7", "task-8", "task-07"],
    head: { sha: "", ref: "task-7", repositoryId: 1, at: 0 },
    title: "",
  };
  expect(ticketOf(facts, PATTERNS)).toEqual({ kind: "several", numbers: ["7", "8"], source: "label" });
  expect(ticketNumber(facts, PATTERNS)).toBeNull();
});

test("a pattern is text but for its star", () => {
  const facts = { labels: [], head: { sha: "", ref: "xyz-7", repositoryId: 1, at: 0 }, title: "" };
  expect(ticketOf(facts, { label: null, branch: "x.z-*", title: null })).toEqual({ kind: "none" });
});

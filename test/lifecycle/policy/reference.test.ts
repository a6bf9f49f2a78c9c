import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { ACTIONS } from "../../../src/lifecycle/actions/index.ts";
import { CONDITIONS } from "../../../src/lifecycle/conditions/index.ts";
import { readPolicy } from "../../../src/lifecycle/policy/read-policy.ts";
import {
  actionTable,
  commandTable,
  conditionTable,
  policyJsonSchema,
  templateList,
} from "../../../src/lifecycle/policy/reference.ts";
import { THREE_BOTS } from "../policies.ts";

const validate = new Ajv2020({ strict: false }).compile(policyJsonSchema());

test.each([
  ["the three-bot policy", THREE_BOTS, true],
  [
    "shorthands",
    "stages: [{ name: a, enter: checks_pass }, { name: b, enter: { any: [changes_requested, { not: { draft: true } }] } }]",
    true,
  ],
  ["only an extension", "extends: org/.github", true],
  ["a misspelt key", "stagse: []", false],
  ["a misspelt condition", "stages: [{ name: a, enter: { lable: x } }]", false],
  ["a condition that needs a value", "stages: [{ name: a, enter: draft }]", false],
  ["an unknown action", "stages: [{ name: a, enter: { draft: false }, on_enter: [{ commnt: x }] }]", false],
  [
    "two actions in one",
    "stages: [{ name: a, enter: { draft: false }, on_enter: [{ comment: x, release: y }] }]",
    false,
  ],
  ["a state as a name", "stages: [{ name: 5, enter: { draft: false } }]", false],
])("editors and the reader agree on %s", (_, text, valid) => {
  expect(validate(parse(text))).toBe(valid);
  expect(readPolicy(text).problems.every(({ severity }) => severity === "warning")).toBe(valid);
});

test("the guide and the JSON Schema for editors say what the reader takes", () => {
  const guide = readFileSync("docs/policy.md", "utf8");
  for (const text of [conditionTable(), actionTable(), templateList(), commandTable()]) {
    expect(guide).toContain(`\n${text}\n`);
  }
  expect(policyJsonSchema()).toEqual(JSON.parse(readFileSync("schema/policy.json", "utf8")));
});

test("every condition and every action is in the reference", () => {
  for (const key of Object.keys(CONDITIONS)) {
    expect(conditionTable()).toContain(`| \`${key}\` |`);
  }
  for (const key of Object.keys(ACTIONS)) {
    expect(actionTable()).toContain(`| \`${key}\` |`);
  }
});

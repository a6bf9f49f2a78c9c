import { expect, test } from "vitest";
import { readFactsFile } from "../../../src/lifecycle/facts-file/facts-file.ts";
import { evaluationOf } from "../builders.ts";
import { policyOf } from "../policies.ts";

const policy = policyOf("stages:\n  - { name: only, enter: { checks: 'ci-*' } }\n");

function stageWith(told: object): string | null {
  const { facts } = readFactsFile({ pull: { number: 1, author: "alice", head: "abcd" }, ...told });
  return evaluationOf(facts, policy).stage;
}

test("a file's checks are all that there are, unless it tells of suites that go on", () => {
  const checks = [{ name: "ci-a" }, { name: "ci-b" }];
  expect(stageWith({ checks })).toBe("only");
  expect(stageWith({ checks: [...checks, { name: "lint", status: "in_progress" }] })).toBeNull();
  expect(stageWith({ checks: [...checks, { name: "lint", status: "in_progress", app: "other" }] })).toBeNull();
  expect(stageWith({ checks, suites: [{ workflow: ".github/workflows/b.yml", finished: false }] })).toBeNull();
  expect(stageWith({ checks, suites: [{ workflow: ".github/workflows/b.yml", finished: true }] })).toBe("only");
});

test("an event ends a suite", () => {
  const { after, facts } = readFactsFile({
    pull: { number: 1, author: "alice", head: "abcd" },
    checks: [{ name: "ci-a" }],
    suites: [{ app: "ci", finished: false }],
    events: { ended: { suites: [{ app: "ci", finished: true }] } },
  });
  expect(evaluationOf(facts, policy).stage).toBeNull();
  const ended = after.get("ended")?.() ?? facts;
  expect(evaluationOf(ended, policy).stage).toBe("only");
});

test("it may tell of 100 events, and no more", () => {
  const told = (count: number) => ({
    pull: { number: 1, author: "alice", head: "abcd" },
    events: Object.fromEntries(Array.from({ length: count }, (_, n) => [`e${n}`, { checks: [{ name: "ci-a" }] }])),
  });
  expect(readFactsFile(told(100)).after.size).toBe(100);
  expect(() => readFactsFile(told(101))).toThrow("expected at most 100 events");
});

/** The policies that are shipped as examples are right, and do what they say. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { DEFAULT_POLICY } from "../../../src/lifecycle/policy/default-policy.ts";
import type { Policy } from "../../../src/lifecycle/policy/policy.ts";
import { readPolicy } from "../../../src/lifecycle/policy/read-policy.ts";
import { bob, check, checked, comment, did, evaluationOf, history, lead, opened, ran, review } from "../builders.ts";
import { THREE_BOTS } from "../policies.ts";

const examples = join(import.meta.dirname, "../../../examples");
const FILES = [
  ...globSync("policies/*.yml", { cwd: examples }),
  "hand-off/.github/stagewright.yml",
  "recipe/.github/stagewright.yml",
].sort();

function policy(file: string): Policy {
  const read = readPolicy(readFileSync(join(examples, file)), file);
  expect(read.problems).toEqual([]);
  if (read.policy === null) throw new Error(`${file} is no policy`);
  return read.policy;
}

it("finds the examples", () => {
  expect(FILES.length).toBe(6);
});

it.each(FILES)("%s is read without a problem", (file) => {
  expect(policy(file).stages.length).toBeGreaterThan(2);
});

test("the default written out is the default", () => {
  expect(policy("policies/default.yml")).toEqual(DEFAULT_POLICY);
});

test("the three bots' policy is the one that the guide shows", () => {
  expect(policy("policies/three-bots.yml")).toEqual(readPolicy(THREE_BOTS).policy);
});

describe("the recipe", () => {
  const recipe = policy("recipe/.github/stagewright.yml");
  const permissions = { levels: {}, teams: { "org/developers": { "user:22": true } }, identities: {} } as const;
  const ready = comment(2, bob, "validate");
  const template = readFileSync(join(examples, "recipe/.github/pull_request_template.md"), "utf8");
  const ticked = (...sections: string[]): string =>
    template
      .split(/^(?=## )/m)
      .map((part) =>
        sections.some((name) => part.startsWith(`## ${name}\n`)) ? part.replaceAll("- [ ]", "- [x]") : part,
      )
      .join("");
  const stage = (body: string, ...more: Parameters<typeof did>) =>
    evaluationOf(history(opened({ body }), did(...more), checked(check(0))), recipe, permissions).stage;

  it.each([
    [[], "research"],
    [["Research"], "evaluation"],
    [["Research", "Evaluation"], "sub-tasks"],
    [["Research", "Sub-tasks"], "evaluation"],
    [["Research", "Evaluation", "Sub-tasks"], "execution"],
    [["Research", "Evaluation", "Sub-tasks", "Execution"], "execution"],
  ])("with the boxes of %j ticked it is in %s", (sections, expected) => {
    expect(stage(ticked(...sections))).toBe(expected);
  });

  it("needs the validation's run for the review", () => {
    const all = ticked("Research", "Evaluation", "Sub-tasks", "Execution", "Validation");
    expect(stage(all)).toBe("execution");
    expect(stage(all, ready)).toBe("validation");
    expect(stage(all, ready, ran(5, "validate.yml", "success"))).toBe("review");
  });

  it("goes back to the execution when the validation fails, until it is said to be ready again", () => {
    const all = ticked("Research", "Evaluation", "Sub-tasks", "Execution", "Validation");
    const failed = [ready, ran(5, "validate.yml", "failure")];
    expect(stage(all, ...failed)).toBe("execution");
    expect(stage(all, ...failed, comment(6, bob, "validate"))).toBe("validation");
  });
});

test("the deploy gate opens production by a command of those named, after the smoke test", () => {
  const gate = policy("policies/deploy-gate.yml");
  const permissions = {
    levels: { "user:22": "write", "user:23": "write" },
    teams: { "org/release": { "user:23": true, "user:22": false } },
    identities: {},
  } as const;
  const where = (...deeds: Parameters<typeof did>) =>
    evaluationOf(history(opened(), did(...deeds), checked(check(0), check(0, { name: "test" }))), gate, permissions)
      .stage;
  const staged = [review(1, bob, "approved"), ran(2, "smoke.yml", "success")];
  expect(where(...staged)).toBe("staging");
  expect(where(...staged, comment(3, bob, "ship-it"))).toBe("staging");
  expect(where(...staged, comment(3, lead, "ship-it"))).toBe("production");
  expect(where(comment(0, lead, "ship-it"), ...staged)).toBe("staging");
});

test("the monorepo's stages exist by the paths that are touched", () => {
  const monorepo = policy("policies/monorepo.yml");
  const stages = (...files: string[]) => {
    const facts = history(opened(), checked(check(0)), {
      pull: { installationId: 1, repository: opened().pull.repository, number: 7 },
      kind: "files",
      sha: "aaaaaaa1",
      baseRef: "main",
      files,
    });
    return evaluationOf(facts, monorepo).stages.map(({ name }) => name);
  };
  expect(stages("docs/a.md")).toEqual(["open", "approved"]);
  expect(stages("web/app.ts")).toEqual(["open", "frontend", "approved"]);
  expect(stages("web/app.ts", "services/a/migrations/1.sql")).toEqual(["open", "database", "frontend", "approved"]);
});

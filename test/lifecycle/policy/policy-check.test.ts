import { describe, expect, it } from "vitest";
import { DEFAULT_POLICY } from "../../../src/lifecycle/policy/default-policy.ts";
import { type PolicyCheckInput, policyCheckOutput } from "../../../src/lifecycle/policy/policy-check.ts";
import { readPolicy } from "../../../src/lifecycle/policy/read-policy.ts";
import type { MissingRequirement } from "../../../src/lifecycle/policy/requirements.ts";
import type { Problem } from "../../../src/plan/plan.ts";

const file = ".github/stagewright.yml";
const problem = (severity: Problem["severity"], line = 3): Problem => ({
  severity,
  file,
  line,
  column: 5,
  message: `unknown key <b>${line}</b>`,
});
const lack = (kind: MissingRequirement["kind"]): MissingRequirement => ({ kind, text: `no ${kind}` });
const verdict = (overrides: Partial<PolicyCheckInput> = {}) =>
  policyCheckOutput({
    file,
    found: true,
    problems: [],
    missing: [],
    inForce: DEFAULT_POLICY,
    proposed: false,
    ...overrides,
  });

describe("what is said of a policy", () => {
  it.each([
    ["in force", {}, "success", "In force: pr-created → ready-for-qa → approved"],
    ["not there", { found: false }, "success", "There is no policy file: the three default stages are in force"],
    ["broken", { problems: [problem("error")] }, "failure", "1 error: line 3: unknown key <b>3</b>"],
    [
      "broken in two places",
      { problems: [problem("warning", 1), problem("error", 3), problem("error", 4)] },
      "failure",
      "2 errors: line 3: unknown key <b>3</b>",
    ],
    ["odd", { problems: [problem("warning")] }, "neutral", "In force, but: unknown key <b>3</b>"],
    [
      "lacking",
      { missing: [lack("permission"), lack("event")] },
      "action_required",
      "In force, but: no permission (and 1 more)",
    ],
    ["in need of people", { missing: [lack("reviews")] }, "neutral", "In force, but: no reviews"],
    ["proposed", { proposed: true }, "success", "Valid; in force once it is on the default branch: 3 stages"],
    [
      "to be removed",
      { proposed: true, found: false },
      "success",
      "The file is removed; the three default stages are then in force",
    ],
    ["proposed and lacking", { proposed: true, missing: [lack("event")] }, "neutral", "Valid, but: no event"],
    ["proposed and broken", { proposed: true, problems: [problem("error")] }, "failure", /^1 error: line 3/],
  ] as const)("that is %s", (_, overrides, conclusion, title) => {
    const said = verdict(overrides);
    expect(said.conclusion).toBe(conclusion);
    expect(said.title).toMatch(title instanceof RegExp ? title : new RegExp(`^${RegExp.escape(title)}$`, "u"));
  });

  it("escapes what comes from the file, and shortens long lists", () => {
    const problems = Array.from({ length: 50 }, (_, index) => problem("error", index + 1));
    const { title, summary } = verdict({ problems });
    expect(summary).not.toContain("<b>");
    expect(summary).toContain("- …and 30 more");
    expect(summary.match(/^- \d+:5: error/gmu)).toEqual(Array.from({ length: 20 }, (_, n) => `- ${n + 1}:5: error`));
    expect(title.length).toBeLessThanOrEqual(200);
  });

  it("names what stays in force, or that nothing can be", () => {
    expect(verdict({ problems: [problem("error")] }).summary).toContain("The policy from before stays in force");
    expect(verdict({ problems: [problem("error")], inForce: null }).summary).toContain("no pull request is moved");
  });
});

it("no stage may be named like the check run about the policy", () => {
  const { problems } = readPolicy("version: 1\nstages:\n  - name: policy\n    enter: { draft: false }\n");
  expect(problems).toMatchObject([
    { line: 3, column: 11, message: expect.stringContaining('"policy" is the name of') },
  ]);
});

/** The workflows of the examples fit the policies and the documentation that they belong to. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { GIVEN_INPUTS } from "../../../src/lifecycle/actions/start.ts";
import { readPolicy } from "../../../src/lifecycle/policy/read-policy.ts";
import { readWorkflow } from "../../../src/sandbox/workflows/definition/read.ts";

const read = (path: string): string => readFileSync(path, "utf8");

describe("the example of a workflow to start", () => {
  it("declares what every run is given, and says its key in its name", () => {
    const { dispatchInputs, runName } = readWorkflow(read("examples/workflows/qa.yml"));
    expect(Object.keys(dispatchInputs).sort()).toEqual([...GIVEN_INPUTS].sort());
    expect(runName).toContain("inputs.stagewright_key");
  });
  it("is described by the documentation", () => {
    const text = read("docs/gates.md");
    for (const name of GIVEN_INPUTS) {
      expect(text).toContain(`| \`${name}\``);
    }
  });
});

describe("the example of a deploy gate", () => {
  it("holds its jobs at the environments that the policy releases", () => {
    const { policy } = readPolicy(read("examples/policies/deploy-gate.yml"));
    const released = policy?.stages.flatMap((stage) =>
      stage.onEnter.flatMap((action) => (action.kind === "release" ? [action.environment] : [])),
    );
    const { jobs } = readWorkflow(read("examples/workflows/deploy.yml"));
    expect(jobs.map((job) => job.environment)).toEqual(released);
  });
});

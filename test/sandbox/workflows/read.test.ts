import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readWorkflow, WorkflowProblem } from "../../../src/sandbox/workflows/definition/read.ts";

const minimal = (job: string): string =>
  `on: push\njobs:\n  a:\n    runs-on: self-hosted\n${job}    steps: [{ run: "true" }]\n`;

describe("readWorkflow", () => {
  test("fills in GitHub's defaults", () => {
    const read = readWorkflow(minimal(""));
    expect(read.on).toEqual({ push: expect.objectContaining({ branches: null }) });
    expect(read.jobs[0]).toMatchObject({ key: "a", needs: [], timeoutMinutes: 360, continueOnError: false });
  });

  test.each([
    ["a container", minimal("    container: node:24\n"), "not implemented in the sandbox: jobs.a.container", 5],
    ["services", minimal("    services: {}\n"), "not implemented in the sandbox: jobs.a.services", 5],
    ["another event", minimal("").replace("push", "schedule"), "not implemented in the sandbox: on.schedule", 1],
    [
      "an environment's address",
      minimal("    environment: { name: qa, url: x }\n"),
      "not implemented in the sandbox: jobs.a.environment.url",
      5,
    ],
    [
      "a misspelt permission",
      minimal("    permissions: { chekcs: write }\n"),
      "not implemented in the sandbox: jobs.a.permissions.chekcs",
      5,
    ],
    ["a need that is no job", minimal("    needs: [b]\n"), 'jobs.a needs "b", which is no job', 5],
    ["a need of itself", minimal("    needs: a\n"), "jobs need each other: a → a", 5],
    [
      "a job without steps",
      "on: push\njobs:\n  a: { runs-on: x }\n",
      "jobs.a needs either `runs-on` and `steps`, or `uses`",
      1,
    ],
    ["no YAML", "on: [push\njobs", expect.stringMatching(/./), 2],
  ])("%s is refused by name and line", (_, text, message, line) => {
    let problem: unknown;
    try {
      readWorkflow(text);
    } catch (error) {
      problem = error;
    }
    expect(problem).toBeInstanceOf(WorkflowProblem);
    expect(problem).toMatchObject({ message, line });
  });

  test("the project's own workflows for groups are understood", () => {
    const names = readdirSync(".github/workflows").filter((name) => name === "group.yml");
    expect(names).toEqual(["group.yml"]);
    for (const name of names) {
      expect(readWorkflow(readFileSync(`.github/workflows/${name}`, "utf8")).call?.inputs.agents).toEqual({
        ...{ type: "number", required: true, default: undefined },
      });
    }
  });
});

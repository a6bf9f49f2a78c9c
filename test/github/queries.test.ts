import { schema as official } from "@octokit/graphql-schema";
import { buildSchema, parse, validate } from "graphql";
import { describe, expect, it } from "vitest";
import { readPolicyFile } from "../../src/github/policy-files/policy-file.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { readCurrentDisplay } from "../../src/github/pulls/current-display.ts";
import { createLabels, findLabels } from "../../src/github/pulls/labels.ts";
import { readOpenPulls, readPullsById, readSnapshot } from "../../src/github/pulls/snapshot.ts";
import { REST_QUERY } from "../../src/github/pulls/snapshot-fields.ts";
import { buildTransitions, mutationCount, type Transition } from "../../src/github/pulls/transition.ts";

const schema = buildSchema(official.idl, { assumeValidSDL: true });
const signal = new AbortController().signal;

/** Records what would be sent. */
function recorder(): { client: GitHubClient; sent: { query: string; variables: Record<string, unknown> }[] } {
  const sent: { query: string; variables: Record<string, unknown> }[] = [];
  const client: GitHubClient = {
    request: async () => {
      throw new Error("not asked for");
    },
    graphql: async (query, variables = {}) => {
      sent.push({ query, variables });
      return {};
    },
  };
  return { client, sent };
}

const transition: Transition = {
  pullNodeId: "PR_1",
  repositoryNodeId: "R_1",
  headSha: "a".repeat(40),
  removeLabelIds: ["LA_1"],
  addLabelIds: ["LA_2"],
  detailsUrl: "https://stagewright.example/pulls/acme/widget/1",
  checks: [
    {
      kind: "create",
      externalId: "stagewright:1:x",
      show: { name: "x", status: "queued", conclusion: null, title: "t", summary: "s", text: "", actions: [] },
    },
    {
      kind: "update",
      nodeId: "CR_1",
      externalId: "stagewright:1:y",
      show: {
        name: "y",
        status: "completed",
        conclusion: "action_required",
        title: "t",
        summary: "s",
        text: "x",
        actions: [{ label: "Retry", description: "Try again", identifier: "retry" }],
      },
    },
  ],
};

describe("what is asked of GitHub is valid by its official schema", () => {
  const questions: readonly [string, (client: GitHubClient) => Promise<unknown>][] = [
    ["what is shown", (client) => readCurrentDisplay(client, ["PR_1", "PR_2"], 1, signal)],
    ["a snapshot", (client) => readSnapshot(client, { owner: "acme", name: "widget" }, 1, 1, signal)],
    [
      "a page of snapshots",
      (client) => readOpenPulls(client, { owner: "acme", name: "widget" }, { after: null }, 1, signal),
    ],
    ["pull requests by their ids", (client) => readPullsById(client, ["PR_1", "PR_2"], 1, signal)],
    [
      "a policy file",
      (client) => readPolicyFile(client, { owner: "acme", name: "widget" }, ".github/stagewright.yml", 1, signal),
    ],
    ["labels", (client) => findLabels(client, "acme", "widget", ["a", "b"], signal)],
    ["new labels", (client) => createLabels(client, "R_1", [{ name: "a", color: "ffffff", description: "d" }], signal)],
  ];
  it.each(questions)("%s", async (_, ask) => {
    const { client, sent } = recorder();
    await ask(client);
    expect(sent).toHaveLength(1);
    for (const { query } of sent) {
      expect(validate(schema, parse(query)).map((error) => error.message)).toEqual([]);
    }
  });

  it("what a snapshot left out", () => {
    expect(validate(schema, parse(REST_QUERY)).map((error) => error.message)).toEqual([]);
  });

  it("transitions of every shape", () => {
    const shapes: Transition[] = [
      transition,
      { ...transition, removeLabelIds: [] },
      { ...transition, addLabelIds: [], checks: [] },
      { ...transition, addLabelIds: [], removeLabelIds: [] },
    ];
    for (const each of [...shapes.map((shape) => [shape]), shapes]) {
      expect(validate(schema, parse(buildTransitions(each).query)).map((error) => error.message)).toEqual([]);
    }
    expect(shapes.map(mutationCount)).toEqual([4, 3, 1, 2]);
  });
});

describe("the transitions of several pull requests", () => {
  it("are one request, in which each pull request has aliases of its own, and the new label comes last", () => {
    const { query, variables } = buildTransitions([transition, { ...transition, pullNodeId: "PR_2" }]);
    expect(Object.keys(variables)).toEqual([
      "p0_remove",
      "p0_add",
      "p0_check0",
      "p0_check1",
      "p1_remove",
      "p1_add",
      "p1_check0",
      "p1_check1",
    ]);
    expect(query.match(/^mutation /gm)).toHaveLength(1);
    expect(variables.p1_remove).toEqual({ labelableId: "PR_2", labelIds: ["LA_1"] });
  });

  it("carry what comes from outside in variables alone", () => {
    const title = '") { evil } #';
    const [check] = transition.checks;
    if (check === undefined) {
      throw new Error("no check");
    }
    const hostile = { ...transition, checks: [{ ...check, show: { ...check.show, title } }] };
    const { query, variables } = buildTransitions([hostile]);
    expect(query).not.toContain("evil");
    expect(JSON.stringify(variables)).toContain("evil");
  });
});

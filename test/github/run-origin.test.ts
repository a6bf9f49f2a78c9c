/** What is not certain of a run grants nothing: answers that are cut, partial, or about something else. */
import { describe, expect, it } from "vitest";
import type { GitHubClient } from "../../src/github/port.ts";
import { localUses } from "../../src/github/workflows/local-uses.ts";
import { type OriginFound, type RunQuestion, readRunOrigin } from "../../src/github/workflows/run-origin.ts";

const SHA = "a".repeat(40);
const AT = "2026-03-02T09:00:00Z";
const BEFORE = "2026-03-01T08:59:00Z";
const QUESTION: RunQuestion = {
  repository: { id: 1, owner: "acme", name: "widget", defaultBranch: "main" },
  runId: "5",
  sha: SHA,
  workflow: ".github/workflows/ci.yml",
  number: 7,
  head: { ref: "mine", repositoryId: 1 },
  baseRef: "main",
};
const RUN = {
  id: 5,
  path: ".github/workflows/ci.yml",
  event: "pull_request",
  head_sha: SHA,
  head_branch: "mine",
  head_repository: { id: 1 },
  created_at: AT,
  updated_at: AT,
};
const OWN = {
  number: 7,
  updatedAt: AT,
  baseRefName: "main",
  headRepository: { databaseId: 1 },
  timelineItems: { nodes: [] },
};
const blob = (text: string | null, more: object = {}) => ({
  __typename: "Blob",
  oid: "b1",
  byteSize: (text ?? "").length,
  isTruncated: false,
  text,
  ...more,
});

interface Github {
  readonly run?: object;
  readonly siblings?: object[];
  readonly cut?: boolean;
  readonly base?: string | null;
  /** What stands in the base branch and in the commit, by path. */
  readonly files?: Record<string, object | null>;
  readonly head?: Record<string, object | null>;
}

async function origin(github: Github = {}, question: Partial<RunQuestion> = {}): Promise<OriginFound | null> {
  const { files = { [QUESTION.workflow]: blob("on: push\njobs: {}\n") } } = github;
  const client: GitHubClient = {
    request: async () => ({ status: 200, data: { ...RUN, ...github.run }, headers: {} }),
    graphql: async (_query, variables = {}) => {
      const objects = Object.entries(variables).flatMap(([name, value]) => {
        if (!/^[hbyz]\d+$/u.test(name)) return [];
        const path = String(value).split(/:(.*)/su)[1] ?? "";
        return [[name, (name.startsWith("h") ? github.head?.[path] : undefined) ?? files[path] ?? null]];
      });
      const tip = github.base === undefined ? "c".repeat(40) : github.base;
      return {
        repository: {
          base: tip === null ? null : { target: { oid: tip } },
          siblings: { pageInfo: { hasNextPage: github.cut === true }, nodes: github.siblings ?? [OWN] },
          ...Object.fromEntries(objects),
        },
      };
    },
  };
  return await readRunOrigin(client, { ...QUESTION, ...question }, { timeoutMs: 5_000 });
}

const uses = (text: string) => ({ [QUESTION.workflow]: blob(`jobs: { a: { steps: [{ uses: "${text}" }] } }`) });
const action = (text: string) => blob(text, { oid: "b2" });
const tree = (oid = "t1") => ({ __typename: "Tree", oid });

describe("a run of a file that is the same in the base branch", () => {
  it.each<[string, Github, OriginFound["origin"], RegExp]>([
    ["counts", {}, "unchanged", /^$/],
    ["in another event", { run: { event: "issue_comment" } }, "untold", /issue_comment/],
    ["for another branch", { run: { head_branch: "other" } }, "untold", /another branch/],
    ["for a fork's branch", { run: { head_repository: { id: 2 } } }, "untold", /another repository/],
    ["of a fork that is gone", { run: { head_repository: null } }, "untold", /another branch/],
    ["of another commit", { run: { head_sha: "d".repeat(40) } }, "untold", /another commit/],
    ["of another file", { run: { path: ".github/workflows/x.yml" } }, "untold", /another commit or file/],
    ["without a base branch", { base: null }, "untold", /no branch main/],
    ["with a list of pull requests that is cut", { cut: true }, "untold", /not told in full/],
    [
      "with a list that is cut before it",
      { cut: true, siblings: [OWN, { ...OWN, number: 3, updatedAt: BEFORE }] },
      "unchanged",
      /^$/,
    ],
    ["with a list that lacks the pull request", { siblings: [] }, "untold", /not told in full/],
    [
      "with another into another branch",
      { siblings: [OWN, { ...OWN, number: 8, baseRefName: "old" }] },
      "changed",
      /#8/,
    ],
    [
      "with another whose base was changed",
      { siblings: [OWN, { ...OWN, number: 8, timelineItems: { nodes: [{ createdAt: BEFORE }] } }] },
      "changed",
      /#8/,
    ],
    [
      "with a fork's of the same branch name",
      { siblings: [OWN, { ...OWN, number: 8, baseRefName: "old", headRepository: { databaseId: 2 } }] },
      "unchanged",
      /^$/,
    ],
    [
      "set off before the base was changed",
      { siblings: [{ ...OWN, timelineItems: { nodes: [{ createdAt: AT }] } }] },
      "changed",
      /before the base/,
    ],
    [
      "whose text is cut",
      { files: { [QUESTION.workflow]: blob("jobs: {}", { isTruncated: true }) } },
      "untold",
      /cannot be read/,
    ],
    ["that is no YAML", { files: { [QUESTION.workflow]: blob("{ a") } }, "untold", /cannot be read/],
    ["that is nowhere", { files: {} }, "untold", /in neither/],
    ["that the commit lacks", { head: { [QUESTION.workflow]: tree() } }, "changed", /not that of main/],
    ["that calls what is nowhere", { files: uses("./gone") }, "untold", /in neither/],
    ["that calls what lies outside", { files: uses("./../x") }, "untold", /cannot be read/],
    ["that calls the whole", { files: { ...uses("./"), "": tree() }, head: { "": tree("t2") } }, "changed", /`\.`/],
    [
      "that calls an action that calls another that differs",
      {
        files: {
          ...uses("./a"),
          a: tree(),
          "a/action.yaml": action("runs: { steps: [{ uses: ./b }] }"),
          b: tree("t3"),
        },
        head: { b: tree("t4") },
      },
      "changed",
      /`b`/,
    ],
    [
      "that calls itself in a circle",
      { files: { ...uses("./a"), a: tree(), "a/action.yml": action("runs: { steps: [{ uses: ./a }] }") } },
      "unchanged",
      /^$/,
    ],
  ])("%s", async (_what, github, expected, detail) => {
    const found = await origin(github);
    expect(found?.origin).toBe(expected);
    expect(found?.detail).toMatch(detail);
  });

  it("is not followed through more files than a workflow sensibly calls", async () => {
    const many = Array.from({ length: 60 }, (_, index) => `{ uses: ./a${index} }`).join(", ");
    const dirs = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`a${index}`, tree()]));
    const files = { [QUESTION.workflow]: blob(`jobs: { a: { steps: [${many}] } }`), ...dirs };
    expect(await origin({ files })).toMatchObject({ origin: "untold", detail: expect.stringMatching(/more .* than/u) });
  });
});

describe("what a workflow calls of its own repository", () => {
  it.each<[string, readonly string[] | null]>([
    ["jobs: { a: { uses: ./.github/workflows/b.yml } }", [".github/workflows/b.yml"]],
    ["jobs: { a: { steps: [{ uses: './x/' }, { uses: .\\y\\z }, { uses: ././x }] } }", ["y/z", "x"]],
    ["jobs: { a: { steps: [{ uses: actions/checkout@v5 }, { uses: 'docker://alpine' }, { run: 'uses: ./x' }] } }", []],
    ["runs: { steps: [{ uses: ./ }] }", [""]],
    ['jobs: { a: { steps: [{ "us\\x65s": ./x }] } }', ["x"]],
    ["jobs: { a: { steps: [{ ? uses : ./x }] } }", ["x"]],
    ["a: &a { uses: ./x }\njobs: { b: *a }", null],
    ["jobs: { a: { steps: [{ uses: ./x/../../y }] } }", null],
    ["- uses: ./x", null],
  ])("of %s: %j", (content, expected) => {
    const found = localUses(content);
    expect(found === null ? null : [...found].sort()).toEqual(expected === null ? null : [...expected].sort());
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addRepository,
  asApp as asTheApp,
  asUser,
  commitFiles,
  createCheckRun,
  mintInstallationToken,
  setDraft,
  submitReview,
} from "../../src/sandbox/world/index.ts";
import { furnish, type House } from "./house.ts";

let house: House;
let token: string;

beforeEach(async () => {
  house = await furnish();
  token = mintInstallationToken(house.sandbox.world, house.installation).token;
});
afterEach(() => house.close());

interface Answer {
  status: number;
  headers: Headers;
  data: Record<string, never>;
  errors?: { type?: string; message: string; path?: unknown[] }[];
}

async function ask(query: string, variables: object = {}, as = token): Promise<Answer> {
  const response = await fetch(`${house.sandbox.url}/api/graphql`, {
    method: "POST",
    headers: { authorization: `bearer ${as}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors }: Pick<Answer, "data" | "errors"> = JSON.parse(await response.text());
  return { status: response.status, headers: response.headers, data, ...(errors === undefined ? {} : { errors }) };
}

const snapshot = `query Snapshot($owner: String!, $name: String!, $number: Int!) {
  rateLimit { cost remaining resetAt }
  viewer { login }
  repository(owner: $owner, name: $name) {
    id databaseId nameWithOwner isPrivate defaultBranchRef { name target { oid } }
    label(name: "bug") { id }
    labels(first: 100) { nodes { id name } pageInfo { hasNextPage endCursor } }
    collaborators(first: 10) { edges { permission node { login databaseId } } }
    object(expression: "main:.github/workflows/qa.yml") { ... on Blob { text } }
    pullRequest(number: $number) {
      id number title body state isDraft merged createdAt updatedAt
      author { __typename login ... on User { databaseId } ... on Bot { databaseId } }
      headRefName headRefOid baseRefName baseRefOid mergeable mergeStateStatus reviewDecision
      autoMergeRequest { mergeMethod }
      labels(first: 50) { totalCount nodes { id name } }
      files(first: 100) { nodes { path additions deletions changeType } }
      comments(last: 5) { nodes { databaseId body author { login } } }
      reviewRequests(first: 5) { nodes { requestedReviewer { __typename ... on User { login } ... on Team { slug } } } }
      reviews(first: 50) { nodes { databaseId state submittedAt authorCanPushToRepository commit { oid } author { __typename login ... on Bot { databaseId } ... on User { databaseId } } } }
      commits(last: 1) { nodes { commit { oid committedDate
        statusCheckRollup { state contexts(first: 50) { checkRunCount nodes { __typename ... on CheckRun { databaseId name status conclusion checkSuite { app { databaseId slug } } } ... on StatusContext { context state } } } }
        checkSuites(first: 20) { nodes { createdAt app { databaseId } checkRuns(first: 50, filterBy: { checkName: "stagewright / qa" }) { nodes { id databaseId name externalId isRequired(pullRequestNumber: 1) } } } } } } }
      timelineItems(first: 50, itemTypes: [LABELED_EVENT, UNLABELED_EVENT, PULL_REQUEST_REVIEW, PULL_REQUEST_COMMIT, HEAD_REF_FORCE_PUSHED_EVENT, CONVERT_TO_DRAFT_EVENT]) {
        totalCount nodes { __typename ... on LabeledEvent { createdAt label { name } actor { login } } ... on PullRequestReview { state } ... on PullRequestCommit { commit { oid } } ... on ConvertToDraftEvent { createdAt } } }
    }
  }
}`;

describe("queries", () => {
  it("answer a whole snapshot of a pull request", async () => {
    const { sandbox, bob, alice, pull, bot, repo, app } = house;
    const { world } = sandbox;
    await bot.rest.issues.addLabels({ owner: "acme", repo: "demo", issue_number: 1, labels: ["bug"] });
    submitReview(world, asUser(bob), pull, { state: "APPROVED" });
    submitReview(world, asTheApp(world, app), pull, { state: "COMMENTED", body: "hm" });
    setDraft(world, asUser(alice), pull, true);
    createCheckRun(world, asTheApp(world, app), {
      repository: repo,
      app,
      headSha: pull.head.sha,
      name: "stagewright / qa",
      externalId: "x",
      status: "in_progress",
    });
    await bot.rest.repos.createCommitStatus({
      owner: "acme",
      repo: "demo",
      sha: pull.head.sha,
      state: "success",
      context: "ci",
    });
    const answer = await ask(snapshot, { owner: "acme", name: "demo", number: 1 });
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toMatchObject({
      viewer: { login: "stagewright[bot]" },
      repository: {
        object: { text: expect.stringContaining("workflow_dispatch") },
        collaborators: {
          edges: [
            { permission: "ADMIN", node: { login: "alice" } },
            { permission: "WRITE", node: { login: "bob" } },
          ],
        },
        pullRequest: {
          isDraft: true,
          mergeStateStatus: "DRAFT",
          labels: { totalCount: 1 },
          files: { nodes: [{ path: "src/a.txt", additions: 1, deletions: 0, changeType: "MODIFIED" }] },
          reviews: {
            nodes: [
              { state: "APPROVED", authorCanPushToRepository: true, author: { __typename: "User", login: "bob" } },
              {
                state: "COMMENTED",
                authorCanPushToRepository: false,
                author: { __typename: "Bot", login: "stagewright" },
              },
            ],
          },
          commits: {
            nodes: [
              {
                commit: {
                  oid: pull.head.sha,
                  statusCheckRollup: {
                    state: "PENDING",
                    contexts: {
                      checkRunCount: 1,
                      nodes: [
                        { __typename: "CheckRun", status: "IN_PROGRESS" },
                        { __typename: "StatusContext", state: "SUCCESS" },
                      ],
                    },
                  },
                  checkSuites: {
                    nodes: [
                      { checkRuns: { nodes: [{ name: "stagewright / qa", externalId: "x", isRequired: false }] } },
                    ],
                  },
                },
              },
            ],
          },
          timelineItems: {
            totalCount: 5,
            nodes: [
              { __typename: "PullRequestCommit" },
              { __typename: "LabeledEvent", label: { name: "bug" } },
              { state: "APPROVED" },
              { state: "COMMENTED" },
              { __typename: "ConvertToDraftEvent" },
            ],
          },
        },
      },
    });
    expect(sandbox.requests.counts().graphql).toMatchObject({ queries: 1, mutations: 0, operations: { Snapshot: 1 } });
  });

  it("find nodes by their id, each on its own", async () => {
    const { pull, repo } = house;
    const answer = await ask(
      "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on PullRequest { number } } }",
      { ids: [pull.nodeId, "no", repo.nodeId] },
    );
    expect(answer.data).toMatchObject({ nodes: [{ number: 1 }, null, { __typename: "Repository", id: repo.nodeId }] });
    expect(answer.errors).toMatchObject([{ type: "NOT_FOUND", path: ["nodes", 1] }]);
  });

  it("page by cursors, and insist on a bounded page", async () => {
    const { bot } = house;
    for (const name of ["a", "b", "c"]) await bot.rest.issues.createLabel({ owner: "acme", repo: "demo", name });
    const page = (args: string) =>
      ask(
        `{ repository(owner: "acme", name: "demo") { labels(${args}) { nodes { name } pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } } }`,
      );
    const first = await page("first: 2");
    expect(first.data).toMatchObject({
      repository: {
        labels: { nodes: [{ name: "a" }, { name: "b" }], pageInfo: { hasNextPage: true, hasPreviousPage: false } },
      },
    });
    const cursor = JSON.stringify(first.data).match(/"endCursor":"([^"]+)"/)?.[1];
    expect((await page(`first: 2, after: "${cursor}"`)).data).toMatchObject({
      repository: { labels: { nodes: [{ name: "c" }], pageInfo: { hasNextPage: false, hasPreviousPage: true } } },
    });
    expect((await page("last: 1")).data).toMatchObject({ repository: { labels: { nodes: [{ name: "c" }] } } });
    expect((await page("first: 101")).errors).toMatchObject([{ type: "EXCESSIVE_PAGINATION" }]);
    expect((await ask('{ repository(owner: "acme", name: "demo") { labels { nodes { id } } } }')).errors).toMatchObject(
      [{ type: "MISSING_PAGINATION_BOUNDARIES" }],
    );
  });

  it("say what is wrong, unknown, or not built", async () => {
    expect((await ask("{ nonsense }")).errors?.[0]?.message).toContain("nonsense");
    expect((await ask("{ viewer {")).errors?.[0]?.message).toContain("Syntax Error");
    expect((await ask('{ repository(owner: "acme", name: "no") { id } }')).errors).toMatchObject([
      { type: "NOT_FOUND", path: ["repository"] },
    ]);
    const partly = await ask('{ repository(owner: "acme", name: "demo") { name stargazerCount } }');
    expect(partly.status).toBe(200);
    expect(partly.errors).toMatchObject([
      { type: "NOT_IMPLEMENTED", message: "not implemented in the sandbox: Repository.stargazerCount" },
    ]);
    const root = await ask('{ search(query: "x", type: REPOSITORY, first: 1) { repositoryCount } }');
    expect(root.status).toBe(501);
    expect(root.errors).toMatchObject([{ message: "not implemented in the sandbox: Query.search" }]);
    expect((await ask("{ viewer { login } }", {}, "nobody")).status).toBe(401);
  });
});

describe("mutations", () => {
  it("run in order as aliases of one request; one that fails is null and the later ones still run", async () => {
    const { bot, pull, repo, sandbox } = house;
    const where = { owner: "acme", repo: "demo" };
    const old = (await bot.rest.issues.createLabel({ ...where, name: "stage/one" })).data.node_id;
    const next = (await bot.rest.issues.createLabel({ ...where, name: "stage/two" })).data.node_id;
    await bot.rest.issues.addLabels({ ...where, issue_number: 1, labels: ["stage/one"] });
    const answer = await ask(
      `mutation Transition($pull: ID!, $old: [ID!]!, $next: [ID!]!, $repo: ID!, $sha: GitObjectID!) {
        remove: removeLabelsFromLabelable(input: { labelableId: $pull, labelIds: $old }) { clientMutationId }
        bad: addLabelsToLabelable(input: { labelableId: $pull, labelIds: ["gone"] }) { clientMutationId }
        add: addLabelsToLabelable(input: { labelableId: $pull, labelIds: $next }) { labelable { ... on PullRequest { labels(first: 10) { nodes { name } } } } }
        check: createCheckRun(input: { repositoryId: $repo, headSha: $sha, name: "stagewright / two", status: COMPLETED, conclusion: SUCCESS, externalId: "e",
          output: { title: "t", summary: "s", annotations: [{ path: "a", location: { startLine: 1, endLine: 2 }, annotationLevel: WARNING, message: "m" }] } }) {
          checkRun { databaseId conclusion title annotations(first: 5) { nodes { annotationLevel location { start { line } } } } checkSuite { app { slug } } } }
      }`,
      { pull: pull.nodeId, old: [old], next: [next], repo: repo.nodeId, sha: pull.head.sha },
    );
    expect(answer.status).toBe(200);
    expect(answer.data).toMatchObject({
      remove: { clientMutationId: null },
      bad: null,
      add: { labelable: { labels: { nodes: [{ name: "stage/two" }] } } },
      check: {
        checkRun: {
          conclusion: "SUCCESS",
          title: "t",
          annotations: { nodes: [{ annotationLevel: "WARNING", location: { start: { line: 1 } } }] },
          checkSuite: { app: { slug: "stagewright" } },
        },
      },
    });
    expect(answer.errors).toMatchObject([{ type: "NOT_FOUND", path: ["bad"] }]);
    expect(sandbox.requests.counts().graphql).toMatchObject({
      mutations: 1,
      fields: { addLabelsToLabelable: 2, removeLabelsFromLabelable: 1, createCheckRun: 1 },
    });
  });

  it("update checks, comments, drafts and reviews, and merge when asked", async () => {
    const { pull, repo, app, sandbox, bob } = house;
    const run = createCheckRun(sandbox.world, asTheApp(sandbox.world, app), {
      repository: repo,
      app,
      headSha: pull.head.sha,
      name: "n",
    });
    repo.protections.set("main", { requiredChecks: [{ context: "n", appId: app.id }], requiredApprovals: 0 });
    const answer = await ask(
      `mutation($pull: ID!, $repo: ID!, $run: ID!) {
        comment: addComment(input: { subjectId: $pull, body: "hello" }) { commentEdge { node { id databaseId body } } }
        draft: convertPullRequestToDraft(input: { pullRequestId: $pull }) { pullRequest { isDraft } }
        ready: markPullRequestReadyForReview(input: { pullRequestId: $pull }) { pullRequest { isDraft } }
        review: addPullRequestReview(input: { pullRequestId: $pull, event: APPROVE, body: "ok" }) { pullRequestReview { id state } }
        ask: requestReviews(input: { pullRequestId: $pull, userIds: ["${bob.nodeId}"] }) { pullRequest { reviewRequests(first: 1) { nodes { requestedReviewer { ... on User { login } } } } } }
        auto: enablePullRequestAutoMerge(input: { pullRequestId: $pull, mergeMethod: SQUASH }) { pullRequest { autoMergeRequest { mergeMethod enabledBy { login } } mergeStateStatus } }
        done: updateCheckRun(input: { repositoryId: $repo, checkRunId: $run, conclusion: SUCCESS, status: COMPLETED }) { checkRun { status } }
        label: createLabel(input: { repositoryId: $repo, name: "new", color: "ff0000" }) { label { id name } }
      }`,
      { pull: pull.nodeId, repo: repo.nodeId, run: run.nodeId },
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toMatchObject({
      draft: { pullRequest: { isDraft: true } },
      ready: { pullRequest: { isDraft: false } },
      review: { pullRequestReview: { state: "APPROVED" } },
      ask: { pullRequest: { reviewRequests: { nodes: [{ requestedReviewer: { login: "bob" } }] } } },
      auto: {
        pullRequest: {
          autoMergeRequest: { mergeMethod: "SQUASH", enabledBy: { login: "stagewright" } },
          mergeStateStatus: "BLOCKED",
        },
      },
      done: { checkRun: { status: "COMPLETED" } },
    });
    expect(pull.merged).toBe(true);
    const id = JSON.stringify(answer.data).match(/"id":"(IC_[^"]+)"/)?.[1];
    expect(
      (await ask(`mutation { updateIssueComment(input: { id: "${id}", body: "bye" }) { issueComment { body } } }`))
        .data,
    ).toMatchObject({ updateIssueComment: { issueComment: { body: "bye" } } });
    expect(
      (await ask(`mutation { mergePullRequest(input: { pullRequestId: "${pull.nodeId}" }) { clientMutationId } }`))
        .errors,
    ).toMatchObject([{ type: "UNPROCESSABLE" }]);
  });

  it("are refused by type where the token lacks the permission", async () => {
    const { pull, repo, sandbox, installation } = house;
    const weak = mintInstallationToken(sandbox.world, installation, {
      permissions: { pull_requests: "read", contents: "read" },
    }).token;
    const add = `mutation { addComment(input: { subjectId: "${pull.nodeId}", body: "x" }) { clientMutationId } }`;
    expect((await ask(add, {}, weak)).errors).toMatchObject([
      { type: "FORBIDDEN", message: "Resource not accessible by integration" },
    ]);
    const rollup = `{ repository(owner: "acme", name: "demo") { name pullRequest(number: 1) { number statusCheckRollup { state } } } }`;
    const answer = await ask(rollup, {}, weak);
    expect(answer.data).toMatchObject({ repository: { pullRequest: { number: 1, statusCheckRollup: null } } });
    expect(answer.errors).toMatchObject([
      { type: "FORBIDDEN", path: ["repository", "pullRequest", "statusCheckRollup"] },
    ]);
    expect(pull.comments).toEqual([]);
    const create = `mutation { createCheckRun(input: { repositoryId: "${repo.nodeId}", headSha: "${pull.head.sha}", name: "n" }) { clientMutationId } }`;
    const { addUserToken } = await import("../../src/sandbox/world/index.ts");
    expect((await ask(create, {}, addUserToken(sandbox.world, house.alice))).errors).toMatchObject([
      { type: "FORBIDDEN", message: "You must authenticate via a GitHub App." },
    ]);
  });

  it("do not tell of private repositories beyond the installation", async () => {
    const { sandbox, bob } = house;
    const hidden = addRepository(sandbox.world, asUser(bob), {
      owner: bob,
      name: "secret",
      private: true,
      files: { "a.txt": "a" },
    });
    commitFiles(sandbox.world, asUser(bob), hidden, { branch: "main", message: "m", files: { "b.txt": "b" } });
    expect((await ask('{ repository(owner: "bob", name: "secret") { id } }')).errors).toMatchObject([
      { type: "NOT_FOUND" },
    ]);
    expect((await ask(`{ node(id: "${hidden.nodeId}") { id } }`)).errors).toMatchObject([{ type: "NOT_FOUND" }]);
  });
});

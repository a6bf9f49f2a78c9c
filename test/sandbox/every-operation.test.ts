/**
 * Every operation once, in an order in which each finds what it needs. The sandbox itself refuses (500) an answer that
 * does not fit GitHub's description. What can be asked of a list is honoured, or refused by name.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { description } from "../../src/sandbox/openapi/excerpt.ts";
import { routes } from "../../src/sandbox/rest/routes.ts";
import * as w from "../../src/sandbox/world/index.ts";
import { furnish, type House } from "./house.ts";

let house: House;
/** What earlier calls gave: ids for later ones. */
const kept: Record<string, number | string> = {};

beforeAll(async () => {
  house = await furnish();
  const { sandbox, alice, acme, app, repo, pull } = house;
  const { world } = sandbox;
  w.addTeam(world, w.asUser(alice), acme, "quality");
  w.addProtectionRule(world, repo, "qa", app);
  const run = w.createRun(world, w.asUser(alice), {
    repository: repo,
    path: ".github/workflows/qa.yml",
    event: "push",
    ref: "refs/heads/task-7",
    sha: pull.head.sha,
    headSha: pull.head.sha,
    headBranch: "task-7",
    payload: {},
    pullNumbers: [1],
  });
  const held = w.addJob(world, run, { key: "held", name: "held", labels: [], environment: "qa", status: "waiting" });
  kept.deployment = w.deployJob(world, run, held).deployment.id;
  const job = w.addJob(world, run, { key: "qa", name: "qa", labels: ["self-hosted"] });
  w.updateJob(world, job, {
    status: "in_progress",
    steps: [
      { number: 1, name: "s", status: "in_progress", conclusion: null, startedAt: world.now(), completedAt: null },
    ],
  });
  Object.assign(kept, {
    run: run.id,
    job: job.id,
    held: held.id,
    sha: pull.head.sha,
    main: w.requireBranch(repo, "main"),
  });
  w.appendLog(job, "the log\n");
  await sandbox.webhooks.idle();
  kept.delivery = [...world.deliveries.keys()][0] ?? 0;
  kept.installation = house.installation.id;
});
afterAll(() => house.close());

type Who = "bot" | "app" | "alice" | "bob";
type Params = Record<string, unknown>;
interface Step {
  readonly as: Who;
  readonly operation: string;
  readonly params: () => Params;
  /** Keeps `id` (or another field) of the answer under a name. */
  readonly keep?: readonly [name: string, ...path: string[]];
  readonly before?: () => void;
}

const step = (
  as: Who,
  operation: string,
  params: Params | (() => Params) = {},
  keep?: Step["keep"],
  before?: () => void,
): Step => ({
  as,
  operation,
  params: typeof params === "function" ? params : () => params,
  ...(keep === undefined ? {} : { keep }),
  ...(before === undefined ? {} : { before }),
});

const R = "/repos/{owner}/{repo}";
const T = "/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}";
const finishRun = () => {
  const { world } = house.sandbox;
  const run = w.required(world.runs.get(Number(kept.run)));
  for (const job of w.jobsOf(world, run))
    if (job.status !== "completed") w.updateJob(world, job, { status: "completed", conclusion: "failure" });
  w.completeRun(world, run);
};
const rerunWithFailure = () => {
  const { world } = house.sandbox;
  const run = w.required(world.runs.get(Number(kept.run)));
  kept.job = w.addJob(world, run, { key: "qa", name: "qa", labels: [] }).id;
  finishRun();
};

const steps: readonly Step[] = [
  step("bot", "GET /meta"),
  step("bot", "GET /rate_limit"),
  step("app", "GET /app"),
  step("bot", "GET /apps/{app_slug}", { app_slug: "stagewright" }),
  step("app", "GET /app/installations"),
  step("app", "GET /app/installations/{installation_id}", () => ({ installation_id: kept.installation })),
  step("app", "PUT /app/installations/{installation_id}/suspended", () => ({ installation_id: kept.installation })),
  step("app", "DELETE /app/installations/{installation_id}/suspended", () => ({ installation_id: kept.installation })),
  step("app", "POST /app/installations/{installation_id}/access_tokens", () => ({
    installation_id: kept.installation,
    repositories: ["demo"],
  })),
  step("app", "GET /orgs/{org}/installation", { org: "acme" }),
  step("app", `GET ${R}/installation`),
  step("bot", "GET /installation/repositories"),
  step("app", "GET /app/hook/deliveries"),
  step("app", "GET /app/hook/deliveries/{delivery_id}", () => ({ delivery_id: kept.delivery })),
  step("app", "POST /app/hook/deliveries/{delivery_id}/attempts", () => ({ delivery_id: kept.delivery })),
  step("alice", "GET /user"),
  step("bot", "GET /users/{username}", { username: "bob" }),
  step("bot", "GET /orgs/{org}/teams", { org: "acme" }),
  step("bot", "GET /orgs/{org}/teams/{team_slug}", { org: "acme", team_slug: "quality" }),
  step("alice", "PUT /orgs/{org}/teams/{team_slug}/memberships/{username}", {
    org: "acme",
    team_slug: "quality",
    username: "bob",
    role: "maintainer",
  }),
  step("bot", "GET /orgs/{org}/teams/{team_slug}/memberships/{username}", {
    org: "acme",
    team_slug: "quality",
    username: "bob",
  }),
  step("bot", "GET /orgs/{org}/teams/{team_slug}/members", { org: "acme", team_slug: "quality" }),
  step("alice", "DELETE /orgs/{org}/teams/{team_slug}/memberships/{username}", {
    org: "acme",
    team_slug: "quality",
    username: "bob",
  }),
  step("bot", `GET ${R}`),
  step("alice", `PATCH ${R}`, { description: "d" }),
  step("bot", `GET ${R}/collaborators/{username}/permission`, { username: "bob" }),
  step("bot", `GET ${R}/collaborators/{username}`, { username: "bob" }),
  step("alice", `PUT ${R}/collaborators/{username}`, { username: "bob", permission: "maintain" }),
  step("bot", `GET ${R}/contents/{path}`, { path: "README.md" }),
  step("bot", `PUT ${R}/contents/{path}`, { path: "n.txt", message: "m", content: "", branch: "task-7" }, [
    "sha",
    "commit",
    "sha",
  ]),
  step("bot", `GET ${R}/branches`, { protected: false }),
  step("bot", `GET ${R}/branches/{branch}`, { branch: "main" }),
  step("bot", `GET ${R}/commits`),
  step("bot", `GET ${R}/commits/{ref}`, { ref: "task-7" }),
  step("bot", `GET ${R}/commits/{commit_sha}/pulls`, () => ({ commit_sha: kept.sha })),
  step("bot", `GET ${R}/compare/{basehead}`, { basehead: "main...task-7" }),
  step("bot", `GET ${R}/git/ref/{ref}`, { ref: "heads/main" }),
  step("bot", `GET ${R}/git/matching-refs/{ref}`, { ref: "heads/" }),
  step("bot", `GET ${R}/git/commits/{commit_sha}`, () => ({ commit_sha: kept.main }), ["tree", "tree", "sha"]),
  step("bot", `POST ${R}/git/commits`, () => ({ message: "m", tree: kept.tree, parents: [kept.main] }), [
    "made",
    "sha",
  ]),
  step("bot", `POST ${R}/git/refs`, () => ({ ref: "refs/heads/side", sha: kept.main })),
  step("bot", `PATCH ${R}/git/refs/{ref}`, () => ({ ref: "heads/side", sha: kept.made })),
  step("bob", `POST ${R}/pulls`, { title: "side", head: "side", base: "main" }),
  step("bot", `DELETE ${R}/git/refs/{ref}`, { ref: "heads/side" }),
  step("bot", `POST ${R}/dispatches`, { event_type: "go" }),
  step("bot", `GET ${R}/pulls`, { state: "all" }),
  step("bot", `GET ${R}/pulls/{pull_number}`, { pull_number: 1 }),
  step("bot", `PATCH ${R}/pulls/{pull_number}`, { pull_number: 1, title: "New" }),
  step("bot", `GET ${R}/pulls/{pull_number}/files`, { pull_number: 1 }),
  step("bot", `GET ${R}/pulls/{pull_number}/commits`, { pull_number: 1 }),
  step("alice", `PUT ${T}`, { org: "acme", team_slug: "quality" }),
  step("bot", `GET ${T}`, { org: "acme", team_slug: "quality" }),
  step("alice", `POST ${R}/pulls/{pull_number}/requested_reviewers`, {
    pull_number: 1,
    reviewers: ["bob"],
    team_reviewers: ["quality"],
  }),
  step("bot", `GET ${R}/pulls/{pull_number}/requested_reviewers`, { pull_number: 1 }),
  step("alice", `DELETE ${R}/pulls/{pull_number}/requested_reviewers`, { pull_number: 1, reviewers: ["bob"] }),
  step("bob", `POST ${R}/pulls/{pull_number}/reviews`, { pull_number: 1, event: "APPROVE" }, ["review", "id"]),
  step("bot", `GET ${R}/pulls/{pull_number}/reviews`, { pull_number: 1 }),
  step("bot", `GET ${R}/pulls/{pull_number}/reviews/{review_id}`, () => ({ pull_number: 1, review_id: kept.review })),
  step("bob", `PUT ${R}/pulls/{pull_number}/reviews/{review_id}`, () => ({
    pull_number: 1,
    review_id: kept.review,
    body: "b",
  })),
  step("bot", `PUT ${R}/pulls/{pull_number}/reviews/{review_id}/dismissals`, () => ({
    pull_number: 1,
    review_id: kept.review,
    message: "m",
  })),
  step("bot", `GET ${R}/issues/{issue_number}`, { issue_number: 1 }),
  step("alice", `DELETE ${T}`, { org: "acme", team_slug: "quality" }),
  step("alice", `POST ${R}/issues/{issue_number}/assignees`, { issue_number: 1, assignees: ["bob"] }),
  step("alice", `DELETE ${R}/issues/{issue_number}/assignees`, { issue_number: 1, assignees: ["bob"] }),
  step("bot", `POST ${R}/labels`, { name: "bug" }),
  step("bot", `GET ${R}/labels`),
  step("bot", `GET ${R}/labels/{name}`, { name: "bug" }),
  step("bot", `PATCH ${R}/labels/{name}`, { name: "bug", color: "00ff00" }),
  step("bot", `POST ${R}/issues/{issue_number}/labels`, { issue_number: 1, labels: ["bug", "x"] }),
  step("bot", `GET ${R}/issues/{issue_number}/labels`, { issue_number: 1 }),
  step("bot", `DELETE ${R}/issues/{issue_number}/labels/{name}`, { issue_number: 1, name: "bug" }),
  step("bot", `PUT ${R}/issues/{issue_number}/labels`, { issue_number: 1, labels: ["bug"] }),
  step("bot", `DELETE ${R}/issues/{issue_number}/labels`, { issue_number: 1 }),
  step("bot", `DELETE ${R}/labels/{name}`, { name: "bug" }),
  step("bot", `POST ${R}/issues/{issue_number}/comments`, { issue_number: 1, body: "b" }, ["comment", "id"]),
  step("bot", `GET ${R}/issues/{issue_number}/timeline`, { issue_number: 1 }),
  step("bot", `GET ${R}/issues/{issue_number}/comments`, { issue_number: 1 }),
  step("bot", `GET ${R}/issues/comments/{comment_id}`, () => ({ comment_id: kept.comment })),
  step("bot", `PATCH ${R}/issues/comments/{comment_id}`, () => ({ comment_id: kept.comment, body: "c" })),
  step("bot", `POST ${R}/issues/comments/{comment_id}/reactions`, () => ({ comment_id: kept.comment, content: "+1" }), [
    "reaction",
    "id",
  ]),
  step("bot", `GET ${R}/issues/comments/{comment_id}/reactions`, () => ({ comment_id: kept.comment })),
  step("bot", `DELETE ${R}/issues/comments/{comment_id}/reactions/{reaction_id}`, () => ({
    comment_id: kept.comment,
    reaction_id: kept.reaction,
  })),
  step("bot", `DELETE ${R}/issues/comments/{comment_id}`, () => ({ comment_id: kept.comment })),
  step("bot", `POST ${R}/check-runs`, () => ({ name: "n", head_sha: kept.sha }), ["check", "id"]),
  step("bot", `GET ${R}/check-runs/{check_run_id}`, () => ({ check_run_id: kept.check }), [
    "suite",
    "check_suite",
    "id",
  ]),
  step("bot", `PATCH ${R}/check-runs/{check_run_id}`, () => ({
    check_run_id: kept.check,
    conclusion: "failure",
    completed_at: "2026-01-01T00:00:00Z",
    output: {
      title: "t",
      summary: "s",
      annotations: [
        {
          path: "a",
          start_line: 1,
          end_line: 1,
          annotation_level: "failure",
          message: "m",
          title: "t",
          raw_details: "r",
        },
      ],
    },
  })),
  step("bot", `GET ${R}/check-runs/{check_run_id}/annotations`, () => ({ check_run_id: kept.check })),
  step("bob", `POST ${R}/check-runs/{check_run_id}/rerequest`, () => ({ check_run_id: kept.check })),
  step("bot", `GET ${R}/commits/{ref}/check-runs`, () => ({ ref: kept.sha })),
  step("bot", `GET ${R}/commits/{ref}/check-suites`, () => ({ ref: kept.sha })),
  step("bot", `POST ${R}/check-suites`, () => ({ head_sha: kept.sha })),
  step("bot", `GET ${R}/check-suites/{check_suite_id}`, () => ({ check_suite_id: kept.suite })),
  step("bot", `GET ${R}/check-suites/{check_suite_id}/check-runs`, () => ({ check_suite_id: kept.suite })),
  step("bob", `POST ${R}/check-suites/{check_suite_id}/rerequest`, () => ({ check_suite_id: kept.suite })),
  step("bot", `POST ${R}/statuses/{sha}`, () => ({ sha: kept.sha, state: "success", target_url: "http://x.test/" })),
  step("bot", `GET ${R}/commits/{ref}/statuses`, () => ({ ref: kept.sha })),
  step("bot", `GET ${R}/commits/{ref}/status`, () => ({ ref: kept.sha })),
  step("bot", `GET ${R}/actions/workflows`),
  step("bot", `GET ${R}/actions/workflows/{workflow_id}`, { workflow_id: "qa.yml" }),
  step("bot", `POST ${R}/actions/workflows/{workflow_id}/dispatches`, {
    workflow_id: "qa.yml",
    ref: "main",
    inputs: { pr: "1" },
  }),
  step("bot", `GET ${R}/actions/workflows/{workflow_id}/runs`, { workflow_id: "qa.yml" }),
  step("bot", `GET ${R}/actions/runs`, { event: "push", created: ">=2020-01-01" }),
  step("bot", `GET ${R}/actions/runs/{run_id}`, () => ({ run_id: kept.run })),
  step("bot", `GET ${R}/actions/runs/{run_id}/jobs`, () => ({ run_id: kept.run, filter: "all" })),
  step("bot", `GET ${R}/actions/runs/{run_id}/attempts/{attempt_number}`, () => ({
    run_id: kept.run,
    attempt_number: 1,
  })),
  step("bot", `GET ${R}/actions/runs/{run_id}/attempts/{attempt_number}`, () => ({
    run_id: kept.run,
    attempt_number: 1,
  })),
  step("bot", `GET ${R}/actions/runs/{run_id}/attempts/{attempt_number}/jobs`, () => ({
    run_id: kept.run,
    attempt_number: 1,
  })),
  step("bot", `GET ${R}/actions/jobs/{job_id}`, () => ({ job_id: kept.job })),
  step("bot", `GET ${R}/actions/jobs/{job_id}/logs`, () => ({ job_id: kept.job })),
  step("bot", `GET ${R}/environments`),
  step("bot", `GET ${R}/environments/{environment_name}`, { environment_name: "qa" }),
  step("bot", `GET ${R}/actions/runs/{run_id}/pending_deployments`, () => ({ run_id: kept.run })),
  step("bot", `GET ${R}/environments/{environment_name}/deployment_protection_rules`, { environment_name: "qa" }),
  step("bot", `GET ${R}/environments/{environment_name}/deployment_protection_rules/apps`, { environment_name: "qa" }),
  step("bot", `POST ${R}/actions/runs/{run_id}/deployment_protection_rule`, () => ({
    run_id: kept.run,
    environment_name: "qa",
    state: "approved",
    comment: "ok",
  })),
  step("bot", `GET ${R}/deployments`),
  step("bot", `GET ${R}/deployments/{deployment_id}`, () => ({ deployment_id: kept.deployment })),
  step("bot", `GET ${R}/deployments/{deployment_id}/statuses`, () => ({ deployment_id: kept.deployment })),
  step("bot", `POST ${R}/deployments/{deployment_id}/statuses`, () => ({
    deployment_id: kept.deployment,
    state: "success",
  })),
  step("bot", `POST ${R}/actions/runs/{run_id}/cancel`, () => ({ run_id: kept.run })),
  step("bot", `POST ${R}/actions/runs/{run_id}/force-cancel`, () => ({ run_id: kept.run })),
  step("bot", `POST ${R}/actions/runs/{run_id}/rerun`, () => ({ run_id: kept.run }), undefined, finishRun),
  step(
    "bot",
    `POST ${R}/actions/runs/{run_id}/rerun-failed-jobs`,
    () => ({ run_id: kept.run }),
    undefined,
    rerunWithFailure,
  ),
  step("bot", `POST ${R}/actions/jobs/{job_id}/rerun`, () => ({ job_id: kept.job }), undefined, rerunWithFailure),
  step("bot", `PUT ${R}/pulls/{pull_number}/merge`, { pull_number: 1, merge_method: "rebase" }),
  step("bot", `GET ${R}/pulls/{pull_number}/merge`, { pull_number: 1 }),
  step("alice", `DELETE ${R}/collaborators/{username}`, { username: "bob" }),
  step("bot", "DELETE /installation/token"),
  step("app", "GET /users/{username}/installation", { username: "acme" }),
  step("app", "DELETE /app/installations/{installation_id}", () => ({ installation_id: kept.installation })),
];

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce(
    (here, key) =>
      typeof here === "object" && here !== null ? new Map<string, unknown>(Object.entries(here)).get(key) : undefined,
    value,
  );
}

/** What can be asked of a list and is not honoured: refused by name. */
const notHonoured: Readonly<Record<string, string>> = { "GET /app/installations": "outdated" };

const queryShape = z.object({
  properties: z.record(z.string(), z.object({ type: z.unknown(), enum: z.array(z.string()).optional() })),
});
const times: ReadonlySet<string> = new Set(["since", "until", "created"]);

/** Each parameter of an operation's query, with a value that it can have. */
function everythingAsked(operation: string): Params {
  const { properties } = queryShape.parse(description().excerpt.operations[operation]?.query);
  return Object.fromEntries(
    Object.entries(properties).map(([name, { type, enum: words }]) => {
      if (times.has(name)) return [name, "2026-01-01T00:00:00Z"];
      if (type === "integer") return [name, 1];
      return [name, words?.[0] ?? (type === "boolean" ? true : "main")];
    }),
  );
}

const clientOf = (who: Who) => ({ bot: house.bot, app: house.asApp, alice: house.asAlice, bob: house.asBob })[who];

describe("every operation", () => {
  it.each(steps.map((one) => [one.operation, one] as const))("%s", async (operation, { as, params, keep, before }) => {
    before?.();
    const answer = await clientOf(as).request(operation, { owner: "acme", repo: "demo", ...params() });
    expect(answer.status).toBeLessThan(400);
    const query = everythingAsked(operation);
    if (Object.keys(query).length > 0) {
      const again = { owner: "acme", repo: "demo", ...params(), ...query };
      const said = await clientOf(as)
        .request(operation, again)
        .then(({ status }) => String(status), String);
      const ignored = notHonoured[operation];
      expect(said).toContain(ignored === undefined ? "200" : `the parameter ${ignored} of ${operation}`);
    }
    if (keep !== undefined) {
      const found = at(answer.data, keep.slice(1));
      if (typeof found !== "number" && typeof found !== "string" && typeof found !== "bigint")
        throw new Error(`${operation} gave no ${keep.join(".")}`);
      // Octokit leaves a bigint out of an address.
      kept[keep[0]] = typeof found === "bigint" ? `${found}` : found;
    }
  });

  it("is in the table", () => {
    const listed = new Set(steps.map((one) => one.operation));
    expect(routes.map((one) => one.operation).filter((operation) => !listed.has(operation))).toEqual([]);
  });
});

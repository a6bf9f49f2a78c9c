import { describe, expect, it } from "vitest";
import { deliveryOrder, readWebhook } from "../../src/github/webhooks/webhook.ts";

const repository = {
  id: 1,
  node_id: "R_1",
  name: "widget",
  owner: { login: "acme" },
  default_branch: "main",
  private: false,
};
const sender = { id: 5, login: "cleo", type: "User" };
const ourselves = { appId: 99 };
const news = (event: string, payload: object) =>
  readWebhook(event, { repository, sender, installation: { id: 3 }, ...payload }, ourselves).events;

describe("a check run", () => {
  const run = (overrides: object) => ({
    name: "build",
    head_sha: "abc",
    status: "completed",
    conclusion: "success",
    started_at: "2026-01-01T00:00:00Z",
    completed_at: "2026-01-01T00:01:00Z",
    app: { id: 4, slug: "ci" },
    pull_requests: [],
    ...overrides,
  });

  it("of another app is a check on its commit, also when the payload names no pull request (a fork)", () => {
    expect(news("check_run", { action: "completed", check_run: run({}) })).toEqual([
      {
        kind: "commit",
        sha: "abc",
        pulls: [],
        what: {
          kind: "checks",
          checks: [
            {
              name: "build",
              appId: 4,
              appSlug: "ci",
              status: "completed",
              conclusion: "success",
              sha: "abc",
              at: Date.parse("2026-01-01T00:01:00Z"),
              ours: false,
            },
          ],
          suites: [],
        },
      },
    ]);
  });

  it("tells the suite that it is part of, which may not have finished, and neither has one that waits for approval", () => {
    const date = "2026-01-01T00:01:00Z";
    const told = (check_suite: object) =>
      news("check_run", { action: "completed", check_run: run({ check_suite: { app: null, ...check_suite } }) }).map(
        (each) => (each.kind === "commit" && each.what.kind === "checks" ? each.what.suites : []),
      );
    const suite = { node_id: "CS_1", updated_at: date };
    const seen = { id: "CS_1", sha: "abc", app: "ci", workflow: null, at: Date.parse(date) };
    expect(told({ ...suite, status: "in_progress" })).toEqual([[{ ...seen, finished: false }]]);
    expect(told({ ...suite, status: "completed", conclusion: "success" })).toEqual([[{ ...seen, finished: true }]]);
    expect(told({ ...suite, status: "completed", conclusion: "action_required" })).toEqual([
      [{ ...seen, finished: false }],
    ]);
  });

  it("of ours is no news, unless somebody asks for it again", () => {
    const ours = run({ app: { id: 99, slug: "stagewright" } });
    expect(news("check_run", { action: "completed", check_run: ours })).toEqual([]);
    expect(news("check_run", { action: "rerequested", check_run: ours })).toMatchObject([
      { what: { kind: "pressed", identifier: "retry", pull: null } },
    ]);
    const written = { ...ours, external_id: "stagewright:7:stagewright / approved" };
    expect(
      news("check_run", { action: "requested_action", check_run: written, requested_action: { identifier: "back" } }),
    ).toMatchObject([
      { sha: "abc", what: { kind: "pressed", identifier: "back", check: ours.name, pull: 7, by: { login: "cleo" } } },
    ]);
  });

  it("of ours in name only, written by another app, is that app's", () => {
    const forged = run({ name: "stagewright / approved", app: { id: 4, slug: "ci" } });
    expect(news("check_run", { action: "completed", check_run: forged })).toMatchObject([
      { what: { kind: "checks", checks: [{ ours: false, appId: 4 }] } },
    ]);
  });

  it("names only pull requests of its own repository", () => {
    const references = [
      { number: 7, base: { repo: { id: 1 } } },
      { number: 8, base: { repo: { id: 2 } } },
    ];
    expect(news("check_run", { action: "created", check_run: run({ pull_requests: references }) })).toMatchObject([
      { pulls: [7] },
    ]);
  });
});

describe("a workflow run", () => {
  const run = (conclusion: string | null, path = ".github/workflows/qa.yml@refs/heads/main") => ({
    action: "completed",
    workflow_run: { id: 6, path, head_sha: "abc", conclusion, updated_at: "2026-01-01T00:00:00Z", actor: sender },
  });
  it.each([
    ["success", "success"],
    ["neutral", "success"],
    ["failure", "failure"],
    ["timed_out", "failure"],
    ["startup_failure", "failure"],
    ["cancelled", "cancelled"],
    ["skipped", "cancelled"],
  ])("that ended with %s is a %s of its file, whatever ref it was taken from", (conclusion, result) => {
    expect(news("workflow_run", run(conclusion))).toMatchObject([
      { kind: "run", runId: "6" },
      { sha: "abc", what: { kind: "acts", acts: [{ workflow: ".github/workflows/qa.yml", result, runId: "6" }] } },
    ]);
  });
  it.each([null, "action_required"])("with %s has not ended", (conclusion) => {
    expect(news("workflow_run", run(conclusion))).toEqual([{ kind: "run", runId: "6" }]);
  });
  it("that somebody asked for is told as such", () => {
    const { workflow_run } = run("success");
    const asked = { action: "completed", workflow_run: { ...workflow_run, event: "workflow_dispatch" } };
    expect(news("workflow_run", asked)).toMatchObject([{ kind: "run" }, { what: { dispatched: true } }]);
  });
});

describe("a job that waits for an environment", () => {
  const url = "https://api.example/repos/acme/widget";
  const asked = (callback: string, base = url) => ({
    action: "requested",
    environment: "qa",
    event: "pull_request",
    ref: "refs/pull/7/merge",
    deployment_callback_url: callback,
    repository: { ...repository, url: base },
  });
  it("is known by its run, which only the callback's address names", () => {
    const callback = `${url}/actions/runs/55/deployment_protection_rule`;
    expect(news("deployment_protection_rule", asked(callback))).toEqual([
      { kind: "gate", runId: "55", environment: "qa", ref: "refs/pull/7/merge", event: "pull_request" },
    ]);
    expect(news("deployment_protection_rule", { ...asked(callback), action: "else" })).toEqual([]);
  });
  it.each([
    "https://evil.example/repos/acme/widget/actions/runs/55/deployment_protection_rule",
    "https://api.example/repos/acme/widget.evil/actions/runs/55/deployment_protection_rule",
    `${url}/actions/runs/55/deployment_protection_rule?x=1`,
    `${url}/actions/runs/5e1/deployment_protection_rule`,
    `${url}/actions/runs/-5/deployment_protection_rule`,
    `${url}/actions/runs/55/../../deployment_protection_rule`,
    `${url}@evil.example/actions/runs/55/deployment_protection_rule`,
    "",
  ])("is refused with the address %s", (callback) => {
    expect(() => news("deployment_protection_rule", asked(callback))).toThrow(/deployment_callback_url/);
  });
});

describe("a comment", () => {
  const comment = (action: string, issue: object) => ({
    action,
    issue: { number: 7, ...issue },
    comment: { id: 1, node_id: "IC_1", user: sender, body: "/stage back", created_at: "2026-01-01T00:00:00Z" },
  });
  it("on a pull request is heard when it is made, and when it is edited, with who did that", () => {
    expect(news("issue_comment", comment("created", { pull_request: {} }))).toMatchObject([
      { kind: "comment", number: 7, comment: { by: { id: 5 }, body: "/stage back", before: null } },
    ]);
    const edited = { ...comment("edited", { pull_request: {} }), changes: { body: { from: "hello" } } };
    expect(news("issue_comment", edited)).toMatchObject([{ kind: "comment", comment: { before: "hello" } }]);
    expect(news("issue_comment", comment("deleted", { pull_request: {} }))).toEqual([]);
  });
  it("on an issue is none of our business", () => {
    expect(news("issue_comment", comment("created", {}))).toEqual([]);
  });
});

describe("others", () => {
  it("a status is a check by nobody known", () => {
    const status = { sha: "abc", context: "ci/build", created_at: "2026-01-01T00:00:00Z" };
    expect(news("status", { ...status, state: "pending" })).toMatchObject([
      { what: { checks: [{ status: "in_progress", conclusion: null, appId: 0 }] } },
    ]);
    expect(news("status", { ...status, state: "error" })).toMatchObject([
      { what: { checks: [{ status: "completed", conclusion: "failure" }] } },
    ]);
  });
  it("a label's event matters when it may be on pull requests, or is a stage's", () => {
    expect(news("label", { action: "created", label: { name: "bug" } })).toEqual([]);
    expect(news("label", { action: "edited", label: { name: "bug" }, changes: {} })).toEqual([]);
    expect(news("label", { action: "created", label: { name: "Stage/a" } })).toEqual([
      { kind: "labels", onPulls: false },
    ]);
    expect(news("label", { action: "deleted", label: { name: "bug" } })).toEqual([{ kind: "labels", onPulls: true }]);
    const renamed = { action: "edited", label: { name: "done" }, changes: { name: { from: "stage/a" } } };
    expect(news("label", renamed)).toEqual([{ kind: "labels", onPulls: true }]);
  });
  it("an event that nobody reads says nothing, whatever its shape", () => {
    expect(readWebhook("constructor", null, ourselves).events).toEqual([]);
    expect(readWebhook("star", { repository: 7 }, ourselves).events).toEqual([]);
  });
});

describe("the order of deliveries", () => {
  it.each([
    ["pull_request", { repository: { id: 1 }, installation: { id: 3 }, pull_request: { number: 7 } }, "1#7", 3],
    ["issue_comment", { repository: { id: 1 }, issue: { number: 7 } }, "1#7"],
    ["check_run", { repository: { id: 1 } }, "1"],
    ["installation", { installation: { id: 3 } }, "installation 3", 3],
    ["ping", { zen: "…" }, "ping"],
    ["odd", { repository: "x", pull_request: [] }, "odd"],
    ["none", null, "none"],
  ])("of %s %j is kept by %s", (event, payload, key, installationId?: number) => {
    expect(deliveryOrder(event, payload)).toEqual({ key, installationId: installationId ?? null });
  });
});

describe("a push", () => {
  const touched = (added: string[] = [], modified: string[] = [], removed: string[] = []) => ({
    added,
    modified,
    removed,
  });
  const policy = ".github/stagewright.yml";
  const pushed = (overrides: object = {}) =>
    news("push", {
      ref: "refs/heads/main",
      after: "abc",
      forced: false,
      created: false,
      commits: [touched(["README.md"])],
      ...overrides,
    }).map((each) => each.kind);

  it.each([
    ["adds", touched([policy])],
    ["modifies", touched([], [policy])],
    ["removes", touched([], [], [policy])],
  ])("to the default branch that %s the policy is news", (_, commit) => {
    expect(pushed({ commits: [touched(["README.md"]), commit] })).toEqual(["default_branch"]);
    expect(pushed({ ref: "refs/heads/other", commits: [commit] })).toEqual([]);
    expect(pushed({ ref: "refs/tags/main", commits: [commit] })).toEqual([]);
  });

  it("that tells of everything it did, and of nothing to the policy, is none", () => {
    expect(pushed()).toEqual([]);
  });

  it.each([
    ["is forced", { forced: true }],
    ["makes the branch", { created: true }],
    ["does not say whether it is forced", { forced: undefined }],
    ["lists no commits", { commits: [] }],
    ["may have more commits than are listed", { commits: Array.from({ length: 2048 }, () => touched(["a"])) }],
    ["may have more files than are listed", { commits: [touched(Array.from({ length: 3_000 }, (_, i) => `${i}`))] }],
    ["has a merge that names no files", { commits: [touched(["a"]), touched()] }],
  ])("that %s may have changed the policy", (_, overrides) => {
    expect(pushed(overrides)).toEqual(["default_branch"]);
  });
});

describe("the check run about the policy", () => {
  const event = (action: string) =>
    news("check_run", {
      action,
      check_run: { name: "stagewright / policy", head_sha: "abc", status: "completed", app: { id: 99, slug: "us" } },
    });

  it("has the policy read anew when it is run again, and is no news else", () => {
    expect(event("rerequested")).toEqual([{ kind: "default_branch" }]);
    expect(event("created")).toEqual([]);
  });
});

/** The demo's verification bites: each thing that can be wrong in the sandbox is named. */
import { beforeEach, describe, expect, test } from "vitest";
import { movedThrough, ranPlan, showsStage } from "../../../app/demo/expectations.ts";
import type { Scene } from "../../../app/demo/scene.ts";
import {
  addApp,
  addJob,
  addLabelsByName,
  addOrganization,
  addRepository,
  addSummary,
  addUser,
  annotateJob,
  appendLog,
  asApp,
  asUser,
  commitFiles,
  completeRun,
  createCheckRun,
  createRun,
  createWorld,
  openPull,
  type PullRequest,
  removeLabelByName,
  updateCheckRun,
  updateJob,
  type WorkflowRun,
  type World,
} from "../../../src/sandbox/world/index.ts";

let world: World;
let scene: Scene;
let pull: PullRequest;

beforeEach(() => {
  world = createWorld({ report: (error) => expect(error).toBeUndefined() });
  const owner = addOrganization(world, "acme");
  const [author, quality, testing] = [addUser(world, "rex"), addUser(world, "cleo"), addUser(world, "tess")];
  const repository = addRepository(world, asUser(owner), { owner, name: "trainer", files: { "a.txt": "1" } });
  const app = addApp(world, { slug: "stagewright", owner, permissions: {}, events: [] });
  scene = { repository, app, author, quality, testing };
  commitFiles(world, asUser(author), repository, { branch: "task-7", message: "Change", files: { "a.txt": "2" } });
  pull = openPull(world, asUser(author), repository, { title: "Change", head: "task-7", base: "main" });
});

function check(name: string, status: "queued" | "in_progress" | "completed", title = "needs something"): void {
  createCheckRun(world, asApp(world, scene.app), {
    repository: scene.repository,
    app: scene.app,
    headSha: pull.head.sha,
    name,
    ...(status === "completed" ? { conclusion: "success" as const } : { status }),
    output: { title, summary: "" },
  });
}

function showFirstStage(): void {
  addLabelsByName(world, asApp(world, scene.app), pull, ["stage/pr-created"]);
  check("stagewright / pr-created", "completed");
  check("stagewright / ready-for-qa", "in_progress");
  check("stagewright / approved", "queued");
}

describe("showsStage", () => {
  test("is content with one label and its checks", () => {
    showFirstStage();
    expect(showsStage(world, scene, pull, "pr-created")).toEqual([]);
  });

  test("names a label that is missing, wrong, or one too many", () => {
    expect(showsStage(world, scene, pull, "pr-created")[0]).toMatch(/stage\/pr-created \(now: none\)/);
    showFirstStage();
    addLabelsByName(world, asUser(scene.quality), pull, ["stage/approved"]);
    expect(showsStage(world, scene, pull, "pr-created")).toEqual([
      expect.stringMatching(/now: stage\/pr-created, stage\/approved/),
    ]);
    removeLabelByName(world, asUser(scene.quality), pull, "stage/pr-created");
    expect(showsStage(world, scene, pull, "pr-created")).toHaveLength(1);
  });

  test("names each check that is missing, not where it should be, or silent", () => {
    addLabelsByName(world, asApp(world, scene.app), pull, ["stage/pr-created"]);
    check("stagewright / pr-created", "in_progress");
    check("stagewright / ready-for-qa", "in_progress", "");
    expect(showsStage(world, scene, pull, "pr-created")).toEqual([
      expect.stringMatching(/pr-created" success \(now: in_progress\)/),
      expect.stringMatching(/a title on check "stagewright \/ ready-for-qa"/),
      expect.stringMatching(/approved" queued \(now: none\)/),
    ]);
  });

  test("a check of another app of the same name does not count", () => {
    showFirstStage();
    const other = addApp(world, { slug: "forger", owner: scene.author, permissions: {}, events: [] });
    createCheckRun(world, asApp(world, other), {
      repository: scene.repository,
      app: other,
      headSha: pull.head.sha,
      name: "stagewright / approved",
      conclusion: "success",
    });
    expect(showsStage(world, scene, pull, "pr-created")).toEqual([]);
    expect(showsStage(world, scene, pull, "approved").length).toBeGreaterThan(0);
  });
});

test("movedThrough names a skipped stage, and labels that others put on", () => {
  addLabelsByName(world, asApp(world, scene.app), pull, ["stage/pr-created"]);
  addLabelsByName(world, asUser(scene.quality), pull, ["stage/ready-for-qa"]);
  expect(movedThrough(scene, pull, ["pr-created"])).toEqual([]);
  expect(movedThrough(scene, pull, ["pr-created", "ready-for-qa"])).toEqual([
    expect.stringMatching(/now: pr-created\)/),
  ]);
});

describe("ranPlan", () => {
  const WANTED = { agents: 2, changed: "a.txt" };
  const at0 = { startLine: 1, endLine: 1, startColumn: null, endColumn: null, rawDetails: null, title: null };

  function finished(
    overrides: {
      conclusion?: "success" | "failure";
      summary?: string;
      notice?: string;
      said?: string;
      runners?: readonly string[];
    } = {},
  ): WorkflowRun {
    const run = createRun(world, asUser(scene.author), {
      ...{ repository: scene.repository, path: ".github/workflows/train.yml", event: "pull_request" },
      ...{ ref: "refs/pull/1/merge", sha: pull.head.sha, headSha: pull.head.sha, headBranch: "task-7", payload: {} },
    });
    for (const [at, name] of (overrides.runners ?? ["runner-1", "runner-2"]).entries()) {
      const job = addJob(world, run, { key: "train", name: `train (${at})`, labels: ["self-hosted"] });
      updateJob(world, job, { status: "in_progress", runner: { id: at + 1, name, groupId: 1, groupName: "Default" } });
      addSummary(job, overrides.summary ?? "multi-epoch-training checkpoint-2 ```mermaid");
      appendLog(job, overrides.said ?? "The plan said success");
      annotateJob(world, job, [{ ...at0, path: overrides.notice ?? "a.txt", level: "notice", message: "here" }]);
      updateJob(world, job, { status: "completed", conclusion: overrides.conclusion ?? "success" });
    }
    completeRun(world, run);
    return run;
  }
  const plansCheck = (conclusion: "success" | "failure", title = "7 stages, 2 agents"): void => {
    const actions = [...world.apps.values()].find((one) => one.slug === "github-actions");
    if (actions === undefined) throw new Error("no actions app");
    const made = createCheckRun(world, asApp(world, actions), {
      ...{ repository: scene.repository, app: actions, headSha: pull.head.sha, name: "plan / multi-epoch-training" },
    });
    updateCheckRun(world, asApp(world, actions), made, { conclusion, output: { title, summary: "" } });
  };

  test("is content when job, output, summary, annotation and check are there", () => {
    finished();
    plansCheck("success");
    expect(ranPlan(world, scene, pull, WANTED)).toEqual([]);
  });

  test.each([
    ["the job failed", { conclusion: "failure" as const }, /job "train \(0\)" success/],
    ["the summary lacks the stages", { summary: "nothing" }, /"checkpoint-2" in a job summary/],
    ["the annotation is elsewhere", { notice: "b.txt" }, /the notice on a.txt:1/],
    ["the output did not come through", { said: "" }, /output `result`/],
    ["two jobs shared a runner", { runners: ["runner-1", "runner-1"] }, /a runner of its own for each job/],
    ["a job is missing", { runners: ["runner-1"] }, /2 jobs of the workflow run \(now: 1\)/],
  ])("says so when %s", (_, overrides, expected) => {
    finished(overrides);
    plansCheck("success");
    expect(ranPlan(world, scene, pull, WANTED).join("\n")).toMatch(expected);
  });

  test("says so when there is no run, no check, or a failed one", () => {
    expect(ranPlan(world, scene, pull, WANTED)).toEqual(["a workflow run for the pull request"]);
    finished();
    const result = /one check run of the plan's result, success/;
    expect(ranPlan(world, scene, pull, WANTED)).toEqual([expect.stringMatching(/success \(is: none\)/)]);
    plansCheck("failure");
    expect(ranPlan(world, scene, pull, WANTED)).toEqual([expect.stringMatching(result)]);
    plansCheck("success");
    expect(ranPlan(world, scene, pull, WANTED)).toEqual([expect.stringMatching(/is: failure, success/)]);
  });

  test("says so when the result is not of the whole group", () => {
    finished();
    plansCheck("success", "7 stages");
    expect(ranPlan(world, scene, pull, WANTED)).toEqual([expect.stringMatching(/"2 agents" in the title/)]);
  });
});

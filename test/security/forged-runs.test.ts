/**
 * A pull request that brings its own proof: runs of a workflow that it wrote, told by real webhooks over HTTP. Each of
 * these came to the last stage, and was merged, before it was asked who wrote what a run executed.
 */
import { afterEach, describe, expect, it } from "vitest";
import {
  addJob,
  addLabelsByName,
  addProtectionRule,
  asUser,
  commitFiles,
  completeRun,
  createRef,
  createRun,
  deployJob,
  dispatchWorkflow,
  editPull,
  findWorkflow,
  forkRepository,
  jobsOf,
  openPull,
  type PullRequest,
  required,
  updateJob,
  type WorkflowRun,
} from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../app/house.ts";

const QA_PATH = ".github/workflows/qa.yml";
const CI_PATH = ".github/workflows/ci.yml";
const QA = `name: QA
on:
  workflow_dispatch:
    inputs:
      sha: { required: true, type: string }
      pull_request: { required: true, type: string }
      stagewright_key: { required: true, type: string }
jobs: { qa: { runs-on: self-hosted, steps: [{ run: ./test.sh }] } }
`;
const FORGED = "on: pull_request\njobs: { qa: { runs-on: ubuntu-latest, steps: [{ run: exit 0 }] } }\n";
const CI = `on: [push, pull_request, pull_request_target, workflow_dispatch]
jobs:
  build: { uses: ./.github/workflows/build.yml }
  test: { runs-on: ubuntu-latest, steps: [{ uses: ./.github/actions/test }] }
`;
const FILES = {
  [QA_PATH]: QA,
  [CI_PATH]: CI,
  ".github/workflows/build.yml": "on: workflow_call\njobs: { b: { runs-on: x, steps: [{ uses: ./tools/setup }] } }\n",
  ".github/actions/test/action.yml": "runs: { using: composite, steps: [{ run: ./test.sh, shell: sh }] }\n",
  "tools/setup/action.yml": "runs: { using: node24, main: index.js }\n",
  "tools/setup/index.js": "prepare();\n",
};
/** The policy starts its QA itself, for forks as well. */
const STARTED = `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: qa, enter: { label: go }, on_enter: [{ start: { workflow: qa.yml, forks: true } }] }
  - { name: done, gate: true, enter: { workflow: qa.yml }, on_enter: [{ auto_merge: squash }] }
`;
const WITH_BACK = STARTED.replace(
  "forks: true } }] }",
  "forks: true } }], back: { when: { workflow: qa.yml, result: failure }, to: open } }",
);
/** Its CI is started by GitHub. */
const OTHER = `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: done, gate: true, enter: { workflow: ci.yml }, on_enter: [{ auto_merge: squash }, { release: staging }] }
`;

let house: House;
afterEach(async () => {
  await house.close();
});

async function open(policy: string): Promise<void> {
  house = await openHouse({
    manifest: "app-full.yml",
    files: { ...FILES, ".github/stagewright.yml": policy },
    timings: { askRuns: 3_600_000, runAppears: 600_000 },
  });
  addProtectionRule(world(), house.repository, "staging", house.registered);
}

const world = () => house.sandbox.world;

/** A pull request of these files, from the fork of somebody who may only read. */
async function fromFork(files: Record<string, string>): Promise<PullRequest> {
  const fork = forkRepository(world(), asUser(house.mallory), house.repository, house.mallory);
  commitFiles(world(), asUser(house.mallory), fork, { branch: "theirs", message: "Mine", files });
  return await opened(() =>
    openPull(world(), asUser(house.mallory), house.repository, {
      title: "Theirs",
      head: "theirs",
      headRepository: fork,
      base: "main",
    }),
  );
}
/** A pull request of these files, by somebody who may write. */
async function fromBranch(files: Record<string, string>, base = "main"): Promise<PullRequest> {
  commitFiles(world(), asUser(house.rex), house.repository, { branch: "mine", message: "Mine", files });
  return await opened(() =>
    openPull(world(), asUser(house.rex), house.repository, { title: "Mine", head: "mine", base }),
  );
}
async function opened(make: () => PullRequest): Promise<PullRequest> {
  const pull = make();
  await house.settled();
  later();
  return pull;
}
/** More than a run may take to be made. */
const later = () => house.later(600);

interface Ran {
  readonly path: string;
  readonly event?: string;
  readonly conclusion?: "success" | "failure";
}
/** A run that GitHub made for this pull request, and that has ended. */
async function ran(
  pull: PullRequest,
  { path, event = "pull_request", conclusion = "success" }: Ran,
): Promise<WorkflowRun> {
  const ofMerge = event.startsWith("pull_request");
  const run = createRun(world(), asUser(house.rex), {
    repository: house.repository,
    path,
    event,
    ref: ofMerge ? `refs/pull/${pull.number}/merge` : `refs/heads/${pull.head.ref}`,
    sha: ofMerge ? required(pull.mergeCommitSha) : pull.head.sha,
    headSha: pull.head.sha,
    headBranch: pull.head.ref,
    pullNumbers: ofMerge ? [pull.number] : [],
    payload: {},
  });
  await end(run, conclusion);
  return run;
}
async function end(run: WorkflowRun, conclusion: "success" | "failure"): Promise<void> {
  const job = addJob(world(), run, { key: "qa", name: "qa", labels: [] });
  updateJob(world(), job, { status: "completed", conclusion });
  for (const each of jobsOf(world(), run)) {
    if (each.status !== "completed") updateJob(world(), each, { status: "completed", conclusion });
  }
  completeRun(world(), run, conclusion);
  await house.settled();
  later();
}
/** In `qa`: the run that the app started for it. */
async function started(pull: PullRequest): Promise<WorkflowRun> {
  addLabelsByName(world(), asUser(house.cleo), pull, ["go"]);
  await house.settled();
  later();
  return required(
    [...world().runs.values()].findLast((run) => run.event === "workflow_dispatch"),
    "nothing was started",
  );
}
const stage = (pull: PullRequest) => house.stageLabels(pull).join();
const missing = async (pull: PullRequest) => (await house.row(pull))?.evaluation?.missing?.summary ?? "";
async function expectRefused(pull: PullRequest, reason: RegExp, at = "stage/open"): Promise<void> {
  expect(stage(pull)).toBe(at);
  expect(pull).toMatchObject({ merged: false, autoMerge: null });
  expect(await missing(pull)).toMatch(reason);
}
async function expectMerged(pull: PullRequest): Promise<void> {
  await house.until("it is merged", () => pull.merged);
  await house.settled();
  expect(stage(pull)).toBe("stage/done");
}

describe("where the policy starts the workflow", () => {
  const notStarted = /run \d+.*, but this app did not start it for this commit/u;

  it("a run that the pull request's own file has GitHub start does not override a failure", async () => {
    await open(STARTED);
    const pull = await fromBranch({ [QA_PATH]: FORGED });
    await end(await started(pull), "failure");
    await ran(pull, { path: QA_PATH });
    await expectRefused(pull, notStarted, "stage/qa");
    expect(await missing(pull)).toMatch(/^qa\.yml failed; /u);
  });

  it("such a run merges nothing from a fork, and the one that the app starts does", async () => {
    await open(STARTED);
    const pull = await fromFork({ [QA_PATH]: FORGED });
    const run = await started(pull);
    await ran(pull, { path: QA_PATH });
    await expectRefused(pull, notStarted, "stage/qa");
    await end(run, "success");
    await expectMerged(pull);
  });

  it("a run that somebody dispatches on the pull request's branch, or by a tag named main, does not count", async () => {
    await open(STARTED);
    const pull = await fromBranch({ [QA_PATH]: QA.replace("./test.sh", "exit 0") });
    await started(pull);
    createRef(world(), asUser(house.rex), house.repository, "refs/tags/main", pull.head.sha);
    const inputs = { sha: pull.head.sha, pull_request: `${pull.number}`, stagewright_key: "1-1-qa-enter-1-0-start" };
    const workflow = required(findWorkflow(world(), house.repository, "qa.yml"));
    for (const ref of ["mine", "refs/tags/main"]) {
      await end(dispatchWorkflow(world(), asUser(house.rex), house.repository, workflow, { ref, inputs }), "success");
    }
    await expectRefused(pull, notStarted, "stage/qa");
  });

  it("a failure that the pull request forges sends nobody back", async () => {
    await open(WITH_BACK);
    const pull = await fromBranch({ [QA_PATH]: FORGED });
    const run = await started(pull);
    await ran(pull, { path: QA_PATH, conclusion: "failure" });
    expect(stage(pull)).toBe("stage/qa");
    await end(run, "failure");
    expect(stage(pull)).toBe("stage/open");
    // Nor does a success of its own keep it.
    await ran(pull, { path: QA_PATH });
    expect(stage(pull)).toBe("stage/open");
  });
});

describe("where GitHub starts the workflow", () => {
  const changes = (path: string) =>
    new RegExp(`it does not count: .${path.replaceAll(".", "\\.")}. of .* is not that of main`, "u");

  it.each(["pull_request", "push"])(
    "a run on %s of the file as it is in the base branch counts, and opens gates",
    async (event) => {
      await open(OTHER);
      const pull = await fromBranch({ "a.txt": "a\n" });
      await ran(pull, { path: CI_PATH, event });
      await expectMerged(pull);
    },
  );

  it("a run of a fork's pull request that leaves the file alone counts", async () => {
    await open(OTHER);
    const pull = await fromFork({ "a.txt": "a\n" });
    await ran(pull, { path: CI_PATH });
    await expectMerged(pull);
  });

  it("a run that takes the file from the default branch counts whatever the pull request changes", async () => {
    await open(OTHER);
    const pull = await fromFork({ [CI_PATH]: FORGED });
    await ran(pull, { path: CI_PATH });
    await expectRefused(pull, changes(CI_PATH));
    await ran(pull, { path: CI_PATH, event: "pull_request_target" });
    await expectMerged(pull);
  });

  it.each([
    ["the file itself", CI_PATH, FORGED],
    ["a workflow that it calls", ".github/workflows/build.yml", "on: workflow_call\njobs: {}\n"],
    ["an action that it uses", ".github/actions/test/action.yml", "runs: { using: composite, steps: [] }\n"],
    ["a file of an action that a workflow that it calls uses", "tools/setup/index.js", "process.exit();\n"],
  ])("a run does not count of a pull request that changes %s", async (_what, path, content) => {
    await open(OTHER);
    const pull = await fromFork({ [path]: content });
    await ran(pull, { path: CI_PATH });
    await expectRefused(pull, changes(path.startsWith("tools") ? "tools/setup" : path.replace("/action.yml", "")));
    expect(await missing(pull)).toContain("Let the policy start the workflow (on_enter: start)");
  });

  it("a run dispatched by a tag with the default branch's name does not pass for one on it", async () => {
    await open(OTHER);
    const pull = await fromBranch({ [CI_PATH]: "on: workflow_dispatch\njobs: {}\n" });
    createRef(world(), asUser(house.rex), house.repository, "refs/tags/main", pull.head.sha);
    const workflow = required(findWorkflow(world(), house.repository, "ci.yml"));
    const run = dispatchWorkflow(world(), asUser(house.rex), house.repository, workflow, {
      ref: "refs/tags/main",
      inputs: {},
    });
    await end(run, "success");
    await expectRefused(pull, changes(CI_PATH));
  });

  it("a run for another pull request of the same head, into a branch with a weaker file, does not count", async () => {
    await open(OTHER);
    commitFiles(world(), asUser(house.owner), house.repository, {
      branch: "old",
      message: "Old",
      files: { [CI_PATH]: FORGED },
    });
    const pull = await fromBranch({ "a.txt": "a\n" });
    const decoy = await opened(() =>
      openPull(world(), asUser(house.rex), house.repository, { title: "Decoy", head: "mine", base: "old" }),
    );
    expect(decoy.head.sha).toBe(pull.head.sha);
    await ran(decoy, { path: CI_PATH });
    await expectRefused(pull, /#\d+ has the same head and another base branch/u);
  });

  it("a run that began before the base branch was changed does not count", async () => {
    await open(OTHER);
    commitFiles(world(), asUser(house.owner), house.repository, {
      branch: "old",
      message: "Old",
      files: { [CI_PATH]: FORGED },
    });
    const pull = await fromBranch({ "a.txt": "a\n" }, "old");
    const run = createRun(world(), asUser(house.rex), {
      repository: house.repository,
      path: CI_PATH,
      event: "pull_request",
      ref: `refs/pull/${pull.number}/merge`,
      sha: required(pull.mergeCommitSha),
      headSha: pull.head.sha,
      headBranch: pull.head.ref,
      pullNumbers: [pull.number],
      payload: {},
    });
    later();
    editPull(world(), asUser(house.rex), pull, { base: "main" });
    await house.settled();
    later();
    await end(run, "success");
    await expectRefused(pull, /set off before the base branch was changed to main/u);
    later();
    await ran(pull, { path: CI_PATH });
    await expectMerged(pull);
  });

  it("a job that waits for an environment is not let in by a forged run", async () => {
    await open(OTHER);
    const pull = await fromBranch({ [CI_PATH]: `${CI}# weaker\n` });
    await ran(pull, { path: CI_PATH });
    const deploy = createRun(world(), asUser(house.mallory), {
      repository: house.repository,
      path: ".github/workflows/deploy.yml",
      event: "pull_request",
      ref: `refs/pull/${pull.number}/merge`,
      sha: required(pull.mergeCommitSha),
      headSha: pull.head.sha,
      headBranch: pull.head.ref,
      pullNumbers: [pull.number],
      payload: {},
    });
    const options = { key: "deploy", name: "deploy", labels: [], environment: "staging", status: "waiting" } as const;
    const [request] = deployJob(world(), deploy, addJob(world(), deploy, options)).requests;
    await house.settled();
    expect(request).toMatchObject({ state: "pending" });
    await expectRefused(pull, changes(CI_PATH));
  });

  it("what was taken for proof by rows of before is asked about when it matters", async () => {
    await open(OTHER);
    const pull = await fromFork({ [CI_PATH]: FORGED });
    await ran(pull, { path: CI_PATH });
    const row = required(await house.row(pull));
    const { runOrigins: known, ...before } = row.facts;
    expect(known).toMatchObject([{ origin: "changed", baseRef: "main" }]);
    await house.store.commit({ pulls: [{ ...row, facts: before, reevaluateAt: Date.now() }], now: Date.now() });
    addLabelsByName(world(), asUser(house.cleo), pull, ["other"]);
    await house.settled();
    expect((await house.row(pull))?.facts.runOrigins).toMatchObject([{ origin: "changed", baseRef: "main" }]);
    await expectRefused(pull, changes(CI_PATH));
  });
});

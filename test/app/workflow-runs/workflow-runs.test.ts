/** `start` over real HTTP: once, in line, followed to its end, cancelled when nobody needs it, whatever gets lost. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StartedRun } from "../../../app/store/model/started-runs.ts";
import { readPolicy } from "../../../src/lifecycle/policy/read-policy.ts";
import {
  addComment,
  addJob,
  addLabelsByName,
  asUser,
  type CheckRun,
  closePull,
  commitFiles,
  completeRun,
  dispatchWorkflow,
  findWorkflow,
  forkRepository,
  jobsOf,
  openPull,
  type PullRequest,
  removeLabelByName,
  required,
  rerun,
  updateJob,
  type WorkflowRun,
} from "../../../src/sandbox/world/index.ts";
import { type House, type HouseOptions, openHouse } from "../house.ts";

const QA = `name: QA
run-name: "QA of #\${{ inputs.pull_request }} (\${{ inputs.stagewright_key }})"
on:
  workflow_dispatch:
    inputs:
      sha: { required: true, type: string }
      pull_request: { required: true, type: string }
      stagewright_key: { required: true, type: string }
      level: { type: string }
jobs: { qa: { runs-on: self-hosted, steps: [{ run: "true" }] } }
`;
const policy = (more = "", onPush = "{ back_to: open, cancel: true }") => `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - name: qa
    enter: { label: go }
    on_enter: [{ start: { workflow: qa.yml, inputs: { level: high }${more} } }]
    back: { when: { workflow: qa.yml, result: failure }, to: open }
  - { name: done, gate: true, enter: { workflow: qa.yml } }
on_push: ${onPush}
`;

let house: House;
afterEach(async () => {
  await house?.close();
});

async function open(text: string, options: HouseOptions & { readonly workflow?: string } = {}): Promise<House> {
  house = await openHouse({
    permissions: { actions: "write", ...options.permissions },
    ...options,
    files: {
      ".github/stagewright.yml": text,
      ...(options.workflow === "" ? {} : { ".github/workflows/qa.yml": options.workflow ?? QA }),
    },
    timings: { askRuns: 3_600_000, runAppears: 600_000, ...options.timings },
  });
  // What a runner would do: end what is to be cancelled.
  house.sandbox.world.changes.subscribe((change) => {
    if (change.kind === "cancel_wanted") {
      finish(change.run, "cancelled");
    }
  });
  return house;
}

const world = () => house.sandbox.world;
const runs = (): WorkflowRun[] => [...world().runs.values()].filter((run) => run.event === "workflow_dispatch");
const go = (pull: PullRequest) => addLabelsByName(world(), asUser(house.cleo), pull, ["go"]);
const onlyRun = (): WorkflowRun => required(runs()[0], "no run was started");
const runOf = (pull: PullRequest): WorkflowRun =>
  required(
    runs().findLast((run) => run.inputs.pull_request === `${pull.number}`),
    `no run of #${pull.number}`,
  );

function begin(run: WorkflowRun): void {
  const job = addJob(world(), run, { key: "qa", name: "qa", labels: [] });
  updateJob(world(), job, { status: "in_progress" });
}
function finish(run: WorkflowRun, conclusion: "success" | "failure" | "cancelled"): void {
  if (jobsOf(world(), run).length === 0) begin(run);
  for (const job of jobsOf(world(), run)) {
    if (job.status !== "completed") updateJob(world(), job, { status: "completed", conclusion });
  }
  completeRun(world(), run, conclusion);
}

async function opened(): Promise<PullRequest> {
  const pull = house.open();
  await house.settled();
  house.later();
  return pull;
}
/** In `qa`, its run asked for. */
async function inQa(): Promise<PullRequest> {
  const pull = await opened();
  go(pull);
  await house.settled();
  return pull;
}
async function startOf(pull: PullRequest): Promise<StartedRun | null> {
  return (await house.store.starts.ofPull({ repositoryId: house.repository.id, number: pull.number }))[0] ?? null;
}
/** Something is told of its pull request, and looked at. */
async function woken(pull: PullRequest, nth: number): Promise<void> {
  addLabelsByName(world(), asUser(house.cleo), pull, [`told-${nth}`]);
  await house.settled();
}
/** The process is killed, and had stored so much of the pull request's run. */
async function killedAt(pull: PullRequest, left: Partial<StartedRun>): Promise<void> {
  await house.killed(async ({ starts }) => {
    expect(await starts.save({ ...required(await startOf(pull)), ...left, nextAt: null })).toBe(true);
  });
}

/** Its head is in mallory's fork. */
async function forked(): Promise<PullRequest> {
  const fork = forkRepository(world(), asUser(house.mallory), house.repository, house.mallory);
  const branch = { branch: "theirs", message: "Mine", files: { "mine.txt": "mine\n" } };
  commitFiles(world(), asUser(house.mallory), fork, branch);
  const pull = openPull(world(), asUser(house.mallory), house.repository, {
    title: "Theirs",
    head: "theirs",
    headRepository: fork,
    base: "main",
  });
  await house.settled();
  house.later();
  return pull;
}
const checkOf = (pull: PullRequest, sha = pull.head.sha): CheckRun | undefined =>
  [...world().checkRuns.values()].findLast(
    (run) => run.appId === house.registered.id && run.headSha === sha && run.name === "stagewright: qa.yml",
  );
const shown = (pull: PullRequest, sha = pull.head.sha): string => {
  const check = checkOf(pull, sha);
  return check === undefined ? "nothing" : `${check.conclusion ?? check.status}: ${check.output.title}`;
};
const lines = async (pull: PullRequest) =>
  (await house.history(pull)).filter((line) => line.kind === "effect").map((line) => line.reason);
const stage = (pull: PullRequest) => house.stageLabels(pull).join();

describe("a stage that starts a workflow", () => {
  beforeEach(() => open(policy()));

  it("runs it on the default branch, with the commit, the pull request and its key as inputs", async () => {
    const pull = await inQa();
    expect(runs()).toHaveLength(1);
    const run = onlyRun();
    expect(run).toMatchObject({ ref: "refs/heads/main", headBranch: "main", path: ".github/workflows/qa.yml" });
    expect(run.inputs).toEqual({
      level: "high",
      sha: pull.head.sha,
      pull_request: `${pull.number}`,
      stagewright_key: expect.stringMatching(/^\d+-1-qa-enter-\d+-0-start$/),
    });
    expect(await lines(pull)).toEqual([`qa.yml was started: run ${run.id}`]);
  });

  it("shows how the run goes on as a check run on the pull request's head", async () => {
    const pull = await inQa();
    const run = onlyRun();
    expect(shown(pull)).toBe("queued: Waits for a runner");
    expect(checkOf(pull)?.detailsUrl).toContain(`/actions/runs/${run.id}`);
    begin(run);
    await house.settled();
    expect(shown(pull)).toMatch(/^in_progress: Running since \d\d:\d\d UTC$/);
    finish(run, "success");
    await house.settled();
    expect(shown(pull)).toBe("success: Succeeded");
    expect([...world().checkRuns.values()].filter((each) => each.name === "stagewright: qa.yml")).toHaveLength(1);
  });

  it("takes the result as a fact about the pull request's commit, not about the run's", async () => {
    const pull = await inQa();
    const other = await opened();
    house.later();
    finish(onlyRun(), "success");
    await house.settled();
    expect(stage(pull)).toBe("stage/done");
    expect((await house.row(pull))?.facts.acts.filter((act) => act.kind === "workflow")).toMatchObject([
      { workflow: ".github/workflows/qa.yml", result: "success", sha: pull.head.sha, runId: `${onlyRun().id}` },
    ]);
    expect((await house.row(other))?.facts.acts.filter((act) => act.kind === "workflow")).toEqual([]);
    expect(await lines(pull)).toContain(`qa.yml succeeded: run ${onlyRun().id}`);
  });

  it("goes back when the run failed, and starts anew the next time", async () => {
    const pull = await inQa();
    house.later();
    finish(onlyRun(), "failure");
    await house.settled();
    expect(stage(pull)).toBe("stage/open");
    expect(shown(pull)).toBe("failure: Failed");
    house.later();
    go(pull);
    await house.settled();
    expect(runs()).toHaveLength(2);
    expect(stage(pull)).toBe("stage/qa");
    house.later();
    finish(runOf(pull), "success");
    await house.settled();
    expect(stage(pull)).toBe("stage/done");
  });

  it("follows a run that is run again by hand", async () => {
    const pull = await inQa();
    house.later();
    const run = onlyRun();
    finish(run, "cancelled");
    await house.settled();
    expect(shown(pull)).toBe("cancelled: Cancelled");
    house.later();
    rerun(world(), asUser(house.tess), run, "all");
    await house.settled();
    expect(shown(pull)).toBe("queued: Waits for a runner");
    house.later();
    finish(run, "success");
    await house.settled();
    expect(shown(pull)).toBe("success: Succeeded");
    expect(stage(pull)).toBe("stage/done");
  });

  it("does not take a run of somebody else for its own", async () => {
    const workflow = required(findWorkflow(world(), house.repository, "qa.yml"));
    const dispatch = (by: Parameters<typeof dispatchWorkflow>[1]) =>
      dispatchWorkflow(world(), by, house.repository, workflow, {
        ref: "main",
        inputs: { sha: "x", pull_request: "1", stagewright_key: "x" },
      });
    const theirs = dispatch(asUser(house.mallory));
    const pull = await inQa();
    house.later();
    finish(theirs, "success");
    await house.settled();
    expect(stage(pull)).toBe("stage/qa");
    expect(shown(pull)).toBe("queued: Waits for a runner");
  });

  it("leaves stages' check runs alone when everything is read again", async () => {
    const pull = await inQa();
    addLabelsByName(world(), asUser(house.mallory), pull, ["stage/done"]);
    await house.settled();
    expect(house.checks(pull)).toMatchObject({ "stagewright: qa.yml": "queued", "stagewright / qa": "success" });
    expect(shown(pull)).toBe("queued: Waits for a runner");
  });
});

describe("a workflow that cannot be started", () => {
  const MINUS = (text: string) =>
    QA.split("\n")
      .filter((line) => !line.includes(text))
      .join("\n");
  it.each([
    ["is not there", "", {}, /there is no qa.yml in .github\/workflows of main, or .* actions: write/],
    ["does not declare its inputs", MINUS("stagewright_key"), {}, /declare `sha`, `pull_request`, `stagewright_key`/],
    [
      "has no workflow_dispatch",
      "on: push\njobs: { a: { runs-on: x, steps: [{ run: a }] } }\n",
      {},
      /add `workflow_dispatch`/,
    ],
  ] as const)("because it %s is told with what to do", async (_, workflow, permissions, remedy) => {
    await open(policy(), { workflow, permissions: { actions: "write", ...permissions } });
    const pull = await inQa();
    expect(runs()).toEqual([]);
    expect(checkOf(pull)).toMatchObject({ conclusion: "failure" });
    expect(`${checkOf(pull)?.output.title} ${checkOf(pull)?.output.summary?.replaceAll("\\", "")}`).toMatch(
      /Not started/,
    );
    expect((await lines(pull)).join("\n")).toMatch(remedy);
  });

  it("is tried again when somebody asks for it", async () => {
    await open(policy(), { workflow: MINUS("stagewright_key") });
    const pull = await inQa();
    expect(checkOf(pull)?.conclusion).toBe("failure");
    const files = { ".github/workflows/qa.yml": QA };
    commitFiles(world(), asUser(house.owner), house.repository, { branch: "main", message: "Declare it", files });
    await house.settled();
    house.later();
    addComment(world(), asUser(house.cleo), pull, "/stage retry");
    await house.settled();
    expect(runs()).toHaveLength(1);
    expect(shown(pull)).toBe("queued: Waits for a runner");
  });

  it("because the app may not is told", async () => {
    await open(policy(), { permissions: { actions: "read" } });
    const pull = await inQa();
    expect(runs()).toEqual([]);
    expect((await lines(pull)).join("\n")).toMatch(/actions: write/);
  });
});

describe("when GitHub's answers or webhooks go wrong", () => {
  const dispatches = { route: "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches" };

  it.each(["cut", "502"] as const)("a run whose answer was lost (%s) is found, not started twice", async (how) => {
    await open(policy());
    const pull = await opened();
    house.sandbox.faults.place({ kind: "dropAnswer", match: dispatches, how });
    go(pull);
    await house.until("it is followed", () => shown(pull) === "queued: Waits for a runner");
    expect(runs()).toHaveLength(1);
    expect(await lines(pull)).toEqual([`qa.yml was started: run ${onlyRun().id}`]);
  });

  it("a run without its key in its name is found, too", async () => {
    await open(policy(), { workflow: QA.replace(/^run-name.*\n/mu, "") });
    const pull = await opened();
    house.sandbox.faults.place({ kind: "dropAnswer", match: dispatches });
    go(pull);
    await house.until("it is followed", () => shown(pull) === "queued: Waits for a runner");
    expect(runs()).toHaveLength(1);
  });

  it("what was refused before it was applied is asked for again when no run appears", async () => {
    await open(policy(), { timings: { runAppears: 200 } });
    const pull = await opened();
    house.sandbox.faults.place({ kind: "status", match: dispatches, status: 502 });
    go(pull);
    await house.until("it was started", () => runs().length > 0);
    await house.settled();
    expect(runs()).toHaveLength(1);
    expect(await lines(pull)).toEqual([
      expect.stringMatching(/no run appeared .*asked for again/),
      `qa.yml was started: run ${onlyRun().id}`,
    ]);
  });

  it("a run that never appears is given up, and says so", async () => {
    await open(policy(), { timings: { runAppears: 60 } });
    const pull = await opened();
    house.sandbox.faults.place({ kind: "status", match: dispatches, status: 502, times: 100 });
    go(pull);
    await house.until("it is given up", () => checkOf(pull)?.conclusion === "failure");
    expect(shown(pull)).toMatch(/^failure: Not started: GitHub was asked 3 times, and no run appeared/);
  });

  it("is not given up for failing each time that something wakes it within its pause", async () => {
    await open(policy(), { timings: { reevaluationPause: 3_600_000 } });
    const pull = await opened();
    const listed = { route: "GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs" };
    house.sandbox.faults.place({ kind: "dropAnswer", match: dispatches });
    house.sandbox.faults.place({ kind: "status", match: listed, status: 502, times: 100 });
    go(pull);
    await house.until("it is asked for", async () => (await startOf(pull))?.state === "sent");
    for (let nth = 0; nth < 13; nth += 1) await woken(pull, nth);
    expect(await startOf(pull)).toMatchObject({ state: "sent", tries: 1 });
    house.sandbox.faults.clear();
    await woken(pull, 13);
    await house.until("it is followed", () => shown(pull) === "queued: Waits for a runner");
    expect(runs()).toHaveLength(1);
  });

  it("is not looked for while the app does not know its own name, nor given up for that", async () => {
    const named = { route: "GET /app" };
    await open(policy(), {
      before: ({ sandbox }) => sandbox.faults.place({ kind: "status", match: named, status: 502, times: 100 }),
    });
    const pull = await opened();
    house.sandbox.faults.place({ kind: "dropAnswer", match: dispatches });
    go(pull);
    await house.until("it is asked for", async () => (await startOf(pull))?.state === "sent");
    for (let nth = 0; nth < 13; nth += 1) await woken(pull, nth);
    expect(await startOf(pull)).toMatchObject({ state: "sent", tries: 0, error: null });
    house.sandbox.faults.clear();
    await house.killed(async () => undefined);
    await house.until("it is followed", () => shown(pull) === "queued: Waits for a runner");
    expect(runs()).toHaveLength(1);
  });

  it("a rate limit is waited for", async () => {
    await open(policy());
    const pull = await opened();
    house.sandbox.faults.place({ kind: "rateLimited", match: dispatches, retryAfter: 1 });
    go(pull);
    await house.until("it was started", () => runs().length > 0);
    await house.settled();
    expect(runs()).toHaveLength(1);
  });

  it("a lost event is made up for by asking", async () => {
    await open(policy(), { timings: { askRuns: 100 } });
    const pull = await inQa();
    house.later();
    house.sandbox.faults.place({ kind: "hookDrop", match: { event: "workflow_run" }, times: 100 });
    finish(onlyRun(), "success");
    await house.until("its result counts", () => stage(pull) === "stage/done");
    expect(shown(pull)).toBe("success: Succeeded");
  });

  it("a lost event is made up for by the sweep", async () => {
    await open(policy());
    const pull = await inQa();
    house.later();
    house.sandbox.faults.place({ kind: "hookDrop", match: { event: "workflow_run" }, times: 100 });
    finish(onlyRun(), "success");
    await house.settled();
    expect(stage(pull)).toBe("stage/qa");
    await house.app.engine().reconciliation.sweep(required(await house.store.repository(house.repository.id)));
    await house.settled();
    expect(stage(pull)).toBe("stage/done");
  });

  it("killed between asking for a run and hearing of it, the app finds it when it comes back", async () => {
    await open(policy());
    const pull = await inQa();
    await killedAt(pull, { state: "sent", runId: null, runUrl: null, askAt: null });
    expect(runs()).toHaveLength(1);
    expect((await house.store.starts.ofRun(house.repository.id, `${onlyRun().id}`))?.state).toBe("running");
  });

  it("killed before it asked, the app asks when it comes back", async () => {
    await open(policy());
    house.sandbox.faults.place({ kind: "status", match: dispatches, status: 502, times: 1 });
    const pull = await opened();
    go(pull);
    await house.until("GitHub was asked", () => house.sandbox.requests.entries().some(({ status }) => status === 502));
    await killedAt(pull, { state: "queued", sends: 0, sentAt: null, firstSentAt: null });
    expect(runs()).toHaveLength(1);
  });

  it("a check run whose answer was lost is made once", async () => {
    await open(policy());
    const pull = await opened();
    house.sandbox.faults.place({ kind: "dropAnswer", match: { route: "POST /repos/{owner}/{repo}/check-runs" } });
    go(pull);
    await house.until("it is shown", () => shown(pull) === "queued: Waits for a runner");
    finish(onlyRun(), "success");
    await house.until("its end is shown", () => shown(pull) === "success: Succeeded");
    expect([...world().checkRuns.values()].filter((each) => each.name === "stagewright: qa.yml")).toHaveLength(1);
  });
});

describe("a limit", () => {
  it("lets one run at a time, in the order they came, and shows each its place", async () => {
    await open(policy(", limit: 1"));
    const [first, second, third] = [await inQa(), await inQa(), await inQa()] as const;
    expect(runs()).toHaveLength(1);
    expect(shown(first)).toBe("queued: Waits for a runner");
    expect(shown(second)).toBe(`queued: 1st in the queue for qa.yml: 1 may run at a time; #${first.number} is running`);
    expect(shown(third)).toBe(`queued: 2nd in the queue for qa.yml: 1 may run at a time; #${first.number} is running`);
    house.later();
    finish(runOf(first), "success");
    await house.settled();
    expect(runs()).toHaveLength(2);
    expect(shown(second)).toBe("queued: Waits for a runner");
    expect(shown(third)).toBe(`queued: 1st in the queue for qa.yml: 1 may run at a time; #${second.number} is running`);
    house.later();
    finish(runOf(second), "failure");
    await house.settled();
    expect(runOf(third).inputs.sha).toBe(third.head.sha);
    expect(runs()).toHaveLength(3);
  });

  it("of two lets two", async () => {
    await open(policy(", limit: 2"));
    const pulls = [await inQa(), await inQa(), await inQa()];
    expect(runs()).toHaveLength(2);
    expect(pulls.map((pull) => shown(pull).split(":")[1]?.trim())).toEqual([
      "Waits for a runner",
      "Waits for a runner",
      "1st in the queue for qa.yml",
    ]);
  });

  it("frees the turn of a run whose end nobody told", async () => {
    await open(policy(", limit: 1"), { timings: { askRuns: 100 } });
    const first = await inQa();
    const second = await inQa();
    house.sandbox.faults.place({ kind: "hookDrop", match: { event: "workflow_run" }, times: 2 });
    finish(runOf(first), "success");
    await house.until("the next one runs", () => runs().length === 2);
    expect(runOf(second).inputs.sha).toBe(second.head.sha);
  });

  it("passes over what is on hold until it is not", async () => {
    await open(policy(", limit: 1"));
    const [first, second, third] = [await inQa(), await inQa(), await inQa()] as const;
    house.later();
    addComment(world(), asUser(house.rex), second, "/stage hold later");
    await house.settled();
    expect(shown(second)).toBe("queued: Waits: on hold by rex");
    expect(shown(third)).toMatch(/^queued: 1st in the queue/);
    house.later();
    finish(runOf(first), "success");
    await house.settled();
    expect(runOf(third).inputs.pull_request).toBe(`${third.number}`);
    addComment(world(), asUser(house.rex), second, "/stage unhold");
    await house.settled();
    expect(shown(second)).toMatch(/^queued: 1st in the queue/);
    house.later();
    finish(runOf(third), "success");
    await house.settled();
    expect(runOf(second).inputs.sha).toBe(second.head.sha);
  });

  it("drops from the line what has left the stage and come anew", async () => {
    await open(policy(", limit: 1"));
    const first = await inQa();
    const second = await inQa();
    house.later();
    removeLabelByName(world(), asUser(house.cleo), second, "go");
    await house.settled();
    expect(shown(second)).toBe("queued: Waits: it is not in qa any more");
    house.later();
    go(second);
    await house.settled();
    expect(shown(second)).toMatch(/^queued: 1st in the queue/);
    finish(runOf(first), "success");
    await house.settled();
    expect(runs().filter((run) => run.inputs.pull_request === `${second.number}`)).toHaveLength(1);
  });
});

describe("a push", () => {
  it("cancels the run for the old head, and that of no other pull request", async () => {
    await open(policy());
    const [pull, other] = [await inQa(), await inQa()];
    const old = pull.head.sha;
    begin(runOf(pull));
    await house.settled();
    house.later();
    house.push(pull);
    await house.settled();
    expect(runOf(pull).conclusion).toBe("cancelled");
    expect(runOf(other).status).not.toBe("completed");
    expect(shown(pull, old)).toMatch(/^cancelled: Cancelled: a newer commit was pushed \(\w{7}\)$/);
    expect(stage(pull)).toBe("stage/open");
  });

  it("takes what waits for the old head out of the line", async () => {
    await open(policy(", limit: 1"));
    const [first, second, third] = [await inQa(), await inQa(), await inQa()] as const;
    const old = second.head.sha;
    house.later();
    house.push(second);
    await house.settled();
    expect(shown(second, old)).toMatch(/^cancelled: Not started: a newer commit was pushed/);
    expect(shown(third)).toMatch(/^queued: 1st in the queue/);
    finish(runOf(first), "success");
    await house.settled();
    expect(runs()).toHaveLength(2);
  });

  it("lets it go on where the policy does not cancel, but its result is not the new head's", async () => {
    await open(policy("", "{ back_to: open, cancel: false }"));
    const pull = await inQa();
    const old = pull.head.sha;
    house.later();
    house.push(pull);
    await house.settled();
    expect(runOf(pull).status).not.toBe("completed");
    house.later();
    finish(runOf(pull), "success");
    house.later();
    go(pull);
    await house.settled();
    expect(shown(pull, old)).toBe("success: Succeeded");
    expect(stage(pull)).toBe("stage/qa");
  });

  it("by somebody excepted leaves it running, and its result counts", async () => {
    await open(policy("", "{ back_to: open, cancel: true, except: { by: [cleo] } }"));
    const pull = await inQa();
    house.later();
    house.push(pull, house.cleo);
    await house.settled();
    expect(runOf(pull).status).not.toBe("completed");
    house.later();
    finish(runOf(pull), "success");
    await house.settled();
    expect(stage(pull)).toBe("stage/done");
  });

  it("while it is not known which run it is: that is found and cancelled", async () => {
    await open(policy(), { timings: { reevaluationPause: 150 } });
    const pull = await opened();
    house.sandbox.faults.place({
      kind: "dropAnswer",
      match: { route: "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches" },
    });
    go(pull);
    await house.until("GitHub has it", () => runs().length === 1);
    house.later();
    house.push(pull);
    await house.until("it is cancelled", () => onlyRun().conclusion === "cancelled");
  });
});

it("closing a pull request cancels its run and takes it out of the line", async () => {
  await open(policy(", limit: 1"));
  const [first, second] = [await inQa(), await inQa()];
  closePull(world(), asUser(house.rex), second);
  await house.settled();
  expect(shown(second)).toMatch(/^cancelled: Not started: #2 was closed/);
  closePull(world(), asUser(house.rex), first);
  await house.settled();
  expect(runOf(first).conclusion).toBe("cancelled");
  expect(shown(first)).toBe("cancelled: Cancelled: #1 was closed");
});

it("a run that ended before it could be cancelled is told as it ended", async () => {
  await open(policy());
  const pull = await inQa();
  const old = pull.head.sha;
  house.later();
  house.sandbox.faults.place({ kind: "hookDelay", match: { event: "workflow_run" }, times: 9, ms: 300 });
  finish(onlyRun(), "success");
  house.push(pull);
  await house.until("its end is shown", () => shown(pull, old) === "success: Succeeded");
  expect(stage(pull)).toBe("stage/open");
});

describe("the head of a fork", () => {
  it("starts nothing unless the policy says so", async () => {
    await open(policy());
    const pull = await forked();
    go(pull);
    await house.settled();
    expect(runs()).toEqual([]);
    expect((await lines(pull)).join()).toMatch(/the head is in another repository.*forks: true/);
  });

  it("starts the default branch's workflow if the policy says so", async () => {
    await open(policy(", forks: true"));
    const pull = await forked();
    go(pull);
    await house.settled();
    expect(onlyRun()).toMatchObject({ ref: "refs/heads/main", inputs: { sha: pull.head.sha } });
  });
});

describe("a policy", () => {
  beforeEach(() => open(policy()));
  it("gives no input that every run is given", () => {
    const { problems } = readPolicy(policy().replace("level: high", "sha: abc"));
    expect(problems.map((each) => each.message).join()).toMatch(/leave out sha: every run is given it/);
  });
});

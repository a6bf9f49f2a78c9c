/** The bundle in dist/, started as a runner starts it, against a sandbox over HTTP. */
import { afterEach, describe, expect, test } from "vitest";
import { addUser, asUser, cancelRun, forkRepository, jobsOf, runsOf } from "../../src/sandbox/world/index.ts";
import {
  annotationsOf,
  completed,
  jobNamed,
  logOf,
  type Place,
  place,
  processesWith,
  until,
  writtenChecks,
} from "./builders.ts";

let here: Place;
afterEach(async () => {
  await here.close();
  expect(here.faults).toEqual([]);
});

const workflow = (permissions: string, more = ""): string => `
on: pull_request
permissions: ${permissions}
jobs:
  bench:
    runs-on: self-hosted
${more}    steps:
      - uses: actions/checkout@v5
      - id: plan
        uses: stagewright/stagewright@v1
        with:
          plan: plan.yml
          agent-count: 1
          params: "\${{ matrix.params }}"
      - if: always()
        run: echo "result=\${{ steps.plan.outputs.result }} stage=[\${{ steps.plan.outputs.failed-stage }}]"
`;
const WRITE = "{ contents: read, checks: write }";

const FAILING = `name: bench
stages:
  - { name: preflight, run: echo ready }
  - name: execute
    type: custom
    run: |
      echo "the disk is on fire"
      exit 7
  - { name: cleanup, run: echo wiped }
`;

describe("a failing plan", () => {
  test("fails the job and stands on the plan's line, on the head commit", async () => {
    here = await place({ ".github/workflows/bench.yml": workflow(WRITE), "plan.yml": FAILING });
    const pull = here.pull("slow", { "a.txt": "1" });
    const run = await completed(here, "pull_request");
    const job = jobNamed(here, run, "bench");
    expect({ run: run.conclusion, job: job.conclusion }).toEqual({ run: "failure", job: "failure" });
    const log = logOf(job);
    expect(log).toContain("Process completed with exit code 1.");
    expect(log).toContain("result=failure stage=[execute]");
    // Cleanup ran all the same.
    expect(log).toContain("wiped");

    expect(pull.head.sha).not.toBe(run.sha);
    const [check] = writtenChecks(here, pull.head.sha);
    expect(check).toMatchObject({ status: "completed", conclusion: "failure", headSha: pull.head.sha });
    expect(check?.annotations).toEqual([
      expect.objectContaining({
        path: "plan.yml",
        startLine: 4,
        level: "failure",
        message: "bench-0 failed: exit code 7",
        rawDetails: "the disk is on fire",
      }),
    ]);
    expect(writtenChecks(here, run.sha)).toEqual([]);
    expect(job.summaries.join("")).toMatch(/execute/);
    expect(job.steps.map((step) => step.conclusion)).toEqual([
      ...["success", "success", "failure", "success", "success", "success"],
    ]);
  });

  test("of a fork, without permission to write checks, is told by the job's own annotations", async () => {
    here = await place({ ".github/workflows/bench.yml": workflow(WRITE), "plan.yml": FAILING });
    const mallory = addUser(here.world, "mallory");
    const fork = forkRepository(here.world, asUser(mallory), here.repository, mallory);
    const pull = here.pull("change", { "a.txt": "1" }, { headRepository: fork, by: mallory });
    const run = await completed(here, "pull_request");
    const job = jobNamed(here, run, "bench");
    expect(job.conclusion).toBe("failure");
    expect(writtenChecks(here, pull.head.sha)).toEqual([]);
    expect(annotationsOf(here, job)).toContainEqual(
      expect.objectContaining({
        path: "plan.yml",
        startLine: 4,
        level: "failure",
        message: expect.stringContaining("the disk is on fire"),
      }),
    );
    expect(job.summaries.join("")).toMatch(/execute/);
  });
});

test("a succeeding plan of a fork does not fail for lack of permission", async () => {
  const plan = "stages: [{ name: prepare, run: echo prepared }]\n";
  here = await place({ ".github/workflows/bench.yml": workflow(WRITE), "plan.yml": plan });
  const mallory = addUser(here.world, "mallory");
  const fork = forkRepository(here.world, asUser(mallory), here.repository, mallory);
  here.pull("change", { "a.txt": "1" }, { headRepository: fork, by: mallory });
  const run = await completed(here, "pull_request");
  expect(run.conclusion).toBe("success");
  expect(logOf(jobNamed(here, run, "bench"))).toContain("result=success stage=[]");
});

test("a cancelled job ends its commands and their children, and the post step cleans up", async () => {
  const marker = "86399.25";
  const plan = `stages:
  - name: execute
    type: custom
    run: |
      sh -c 'sleep ${marker} & sleep ${marker}' &
      echo "at work"
      sleep ${marker}
  - { name: cleanup, run: echo "wiped by the post step" }
`;
  here = await place({ ".github/workflows/bench.yml": workflow(WRITE), "plan.yml": plan });
  const pull = here.pull("slow", { "a.txt": "1" });
  const run = await until("the run", () =>
    runsOf(here.world, here.repository).find((one) => one.event === "pull_request"),
  );
  await until("the stage at work", () => jobsOf(here.world, run).some((job) => /Z at work/.test(logOf(job))));
  await until("its processes", async () => (await processesWith(marker)).length >= 4);
  const cancelledAt = Date.now();
  cancelRun(here.world, asUser(here.alice), run);
  await completed(here, "pull_request");
  expect(Date.now() - cancelledAt).toBeLessThan(25_000);
  const job = jobNamed(here, run, "bench");
  expect({ run: run.conclusion, job: job.conclusion }).toEqual({ run: "cancelled", job: "cancelled" });
  expect(await processesWith(marker)).toEqual([]);
  const log = logOf(job);
  expect(log).not.toContain("Terminate orphan process");
  expect(log).toMatch(/wiped by the post step/);
  const post = job.steps.find((step) => step.name.startsWith("Post "));
  expect(post?.conclusion).toBe("success");
  const [check] = writtenChecks(here, pull.head.sha);
  expect(check).toMatchObject({ status: "completed", conclusion: "cancelled" });
});

test("each job of a matrix runs the plan with its own parameters, as many at a time as there are runners", async () => {
  const plan = `params: { size: { type: integer } }
stages:
  - { name: execute, type: custom, run: 'echo "size is $STAGEWRIGHT_PARAM_SIZE"; test "$STAGEWRIGHT_PARAM_SIZE" != 2' }
`;
  const matrix = '    strategy: { fail-fast: false, matrix: { params: ["size=1", "size=2", "size=3"] } }\n';
  here = await place({ ".github/workflows/bench.yml": workflow(WRITE, matrix), "plan.yml": plan }, { runners: 2 });
  const pull = here.pull("sizes", { "a.txt": "1" });
  const run = await completed(here, "pull_request");
  const conclusions = Object.fromEntries(jobsOf(here.world, run).map((job) => [job.name, job.conclusion]));
  expect(conclusions).toEqual({
    "bench (size=1)": "success",
    "bench (size=2)": "failure",
    "bench (size=3)": "success",
  });
  for (const size of [1, 2, 3]) expect(logOf(jobNamed(here, run, `bench (size=${size})`))).toContain(`size is ${size}`);
  const checks = writtenChecks(here, pull.head.sha).map((check) => check.conclusion);
  expect(checks.toSorted()).toEqual(["failure", "success", "success"]);
  expect(new Set(jobsOf(here.world, run).map((job) => job.runner?.name)).size).toBe(2);
});

test("a plan that is not valid is refused with the file's own lines, and nothing runs", async () => {
  here = await place({
    ".github/workflows/bench.yml": workflow(WRITE),
    "plan.yml": "stages:\n  - { name: execute, rum: echo never }\n",
  });
  here.pull("typo", { "a.txt": "1" });
  const run = await completed(here, "pull_request");
  const job = jobNamed(here, run, "bench");
  expect(run.conclusion).toBe("failure");
  expect(logOf(job)).toMatch(/rum/);
  expect(logOf(job)).not.toMatch(/Z never/);
  expect(logOf(job)).toContain("Process completed with exit code 2.");
});

/** The jobs of a matrix are the agents of one group: the shipped bundle on several runners, meeting at one of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { asUser, cancelRun, jobsOf, rerun, runsOf, type WorkflowRun } from "../../src/sandbox/world/index.ts";
import {
  completed,
  jobNamed,
  logOf,
  type Place,
  place,
  processesWith,
  ROOT,
  until,
  writtenChecks,
} from "./builders.ts";

let here: Place;
afterEach(async () => {
  await here.close();
  expect(here.faults).toEqual([]);
});

const PERMISSIONS = "{ actions: read, contents: read, checks: write, id-token: write }";
const workflow = `
on: pull_request
permissions: ${PERMISSIONS}
jobs:
  train:
    runs-on: self-hosted
    strategy: { fail-fast: false, matrix: { index: [0, 1, 2] } }
    steps:
      - uses: actions/checkout@v5
      - uses: stagewright/stagewright@v1
        with: { plan: plan.yml, coordinator: leader, listen: "127.0.0.1:0" }
`;

const conclusions = (run: WorkflowRun): Record<string, string | null> =>
  Object.fromEntries(jobsOf(here.world, run).map((job) => [job.name, job.conclusion]));
const logs = (run: WorkflowRun): string =>
  jobsOf(here.world, run)
    .map((job) => `== ${job.name}: ${job.conclusion}\n${logOf(job)}`)
    .join("\n");
/** The check runs that show results; the leader's beacon is none. */
const results = (sha: string) => writtenChecks(here, sha).filter((check) => check.name.startsWith("plan / "));

async function started(plan: string, file = workflow): Promise<{ run: WorkflowRun; sha: string }> {
  here = await place({ ".github/workflows/bench.yml": file, "plan.yml": plan }, { runners: 3 });
  const pull = here.pull("three", { "a.txt": "1" });
  const run = await until("the run", () =>
    runsOf(here.world, here.repository).find((one) => one.event === "pull_request"),
  );
  return { run, sha: pull.head.sha };
}

/** The bars of a Mermaid gantt chart, by section. Times in milliseconds. */
function bars(chart: string): ReadonlyMap<string, readonly { agent: string; from: number; to: number }[]> {
  const sections = chart.split("\n  section ").slice(1);
  return new Map(
    sections.map((section) => {
      const [name = "", ...lines] = section.split("```")[0]?.split("\n") ?? [];
      const drawn = lines.flatMap((line) => {
        const [, agent = "", from, to] = /^ {2}. (.+) :done, (\d+), (\d+)$/u.exec(line) ?? [];
        return agent === "" ? [] : [{ agent, from: Number(from), to: Number(to) }];
      });
      return [name, drawn] as const;
    }),
  );
}

test("a matrix of four trains in epochs: the check run and one job's summary show all four in the gantt", async () => {
  const folder = join(ROOT, "examples/multi-epoch");
  const scripts = readdirSync(folder).map((name): [string, string] => [
    `examples/multi-epoch/${name}`,
    readFileSync(join(folder, name), "utf8"),
  ]);
  const four = workflow.replace("[0, 1, 2]", "[0, 1, 2, 3]").replace("plan.yml", "examples/multi-epoch.yml");
  const plan = readFileSync(join(ROOT, "examples/multi-epoch.yml"), "utf8");
  here = await place(
    { ".github/workflows/train.yml": four, "examples/multi-epoch.yml": plan, ...Object.fromEntries(scripts) },
    { runners: 4 },
  );
  const { head } = here.pull("four", { "a.txt": "1" });
  const run = await completed(here, "pull_request");
  const agents = ["train-0", "train-1", "train-2", "train-3"];
  expect(conclusions(run), logs(run)).toEqual({
    "train (0)": "success",
    "train (1)": "success",
    "train (2)": "success",
    "train (3)": "success",
  });
  const shown = results(head.sha);
  expect(shown).toEqual([expect.objectContaining({ status: "completed", conclusion: "success" })]);
  expect(shown[0]?.output.title).toContain("4 agents");
  // The summary of the job that leads; the others show their own part.
  const summary = jobNamed(here, run, "train (0)").summaries.join("");
  for (const text of [`${shown[0]?.output.summary}\n${shown[0]?.output.text}`, summary]) {
    const gantt = bars(text);
    expect([...gantt.keys()], text).toEqual([
      "preflight",
      "prepare",
      "epoch-1",
      "checkpoint-1",
      "epoch-2",
      "checkpoint-2",
      "cleanup",
    ]);
    let released = 0;
    for (const [stage, drawn] of gantt) {
      // One tree for all, made and removed by the first agent.
      const expected = stage === "prepare" || stage === "cleanup" ? agents.slice(0, 1) : agents;
      expect(drawn.map(({ agent }) => agent).toSorted(), stage).toEqual(expected);
      // Nobody is in a stage before everybody has left the last one.
      expect(Math.min(...drawn.map(({ from }) => from)), stage).toBeGreaterThanOrEqual(released);
      released = Math.max(...drawn.map(({ to }) => to));
    }
  }
});

describe("a matrix of three", () => {
  test("passes its barriers together and shows one result", async () => {
    const { run, sha } = await started(`name: together
stages:
  - { name: prepare, runs_on: first, run: 'sleep 1; echo "prepared at $(date +%s%3N)"' }
  - { name: execute, type: custom, run: 'echo "agent $STAGEWRIGHT_AGENT_INDEX of $STAGEWRIGHT_AGENT_COUNT at $(date +%s%3N)"' }
`);
    await completed(here, "pull_request");
    expect(run.conclusion, logs(run)).toBe("success");
    const time = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? "0");
    const prepared = time(logs(run), /prepared at (\d+)/);
    expect(prepared).toBeGreaterThan(0);
    for (const index of [0, 1, 2]) {
      const log = logOf(jobNamed(here, run, `train (${index})`));
      // Nobody starts before the first agent's preparation is behind the barrier.
      expect(time(log, new RegExp(`agent ${index} of 3 at (\\d+)`))).toBeGreaterThan(prepared);
    }
    expect(results(sha)).toEqual([expect.objectContaining({ conclusion: "success" })]);
    expect(results(sha)[0]?.output.title).toContain("3 agents");
    const summaries = jobsOf(here.world, run).map((job) => job.summaries.join(""));
    for (const name of ["train-0", "train-1", "train-2"]) {
      expect(summaries.some((summary) => summary.includes("gantt") && summary.includes(name))).toBe(true);
    }
  });

  test("fails as a whole when one of them does, naming it", async () => {
    const { run, sha } = await started(`stages:
  - { name: execute, type: custom, run: 'test "$STAGEWRIGHT_AGENT_INDEX" != 1 || exit 4' }
`);
    await completed(here, "pull_request");
    expect(conclusions(run)).toEqual({ "train (0)": "failure", "train (1)": "failure", "train (2)": "failure" });
    const [result] = results(sha);
    expect(result?.conclusion).toBe("failure");
    expect(result?.annotations).toContainEqual(
      expect.objectContaining({ path: "plan.yml", startLine: 2, message: expect.stringContaining("train-1") }),
    );
  });

  test("cancelled in the middle of a stage leaves no process behind", async () => {
    const marker = "86398.75";
    const { run } = await started(
      `stages:\n  - { name: execute, type: custom, run: 'sleep ${marker} & sleep ${marker}' }\n`,
    );
    await until(
      "all at work",
      async () => (await processesWith(`sleep ${marker}`)).filter((line) => line.startsWith("sleep")).length === 6,
    );
    cancelRun(here.world, asUser(here.alice), run);
    await completed(here, "pull_request");
    expect(conclusions(run)).toEqual({ "train (0)": "cancelled", "train (1)": "cancelled", "train (2)": "cancelled" });
    expect(await processesWith(marker)).toEqual([]);
    expect(logs(run)).not.toContain("Terminate orphan process");
  });

  test("of which only the failed one runs again ends within seconds and says what to do", async () => {
    const failingAfterwards = `${workflow}      - run: test \${{ matrix.index }} != 1\n`;
    const plan = "stages: [{ name: execute, type: custom, run: 'true' }]\n";
    const { run } = await started(plan, failingAfterwards);
    await completed(here, "pull_request");
    expect(conclusions(run)).toEqual({ "train (0)": "success", "train (1)": "failure", "train (2)": "success" });
    const startedAt = Date.now();
    rerun(here.world, asUser(here.alice), run, "failed");
    await completed(here, "pull_request");
    expect(Date.now() - startedAt).toBeLessThan(30_000);
    expect(logs(run)).toMatch(/attempt 2 restarts 1 of 3 agents/);
    expect(run.conclusion).toBe("failure");
  });
});

test("the reusable workflow makes the matrix from a number", async () => {
  const caller = `
on: pull_request
permissions: ${PERMISSIONS}
jobs:
  group:
    uses: stagewright/stagewright/.github/workflows/group.yml@v1
    with: { agents: 2, plan: plan.yml, listen: "127.0.0.1:0" }
    permissions: ${PERMISSIONS}
  after:
    needs: group
    runs-on: self-hosted
    steps: [{ run: 'echo "the group said \${{ needs.group.outputs.result }}"' }]
`;
  const plan =
    "stages: [{ name: execute, type: custom, run: 'echo agent $STAGEWRIGHT_AGENT_INDEX of $STAGEWRIGHT_AGENT_COUNT' }]\n";
  here = await place({ ".github/workflows/caller.yml": caller, "plan.yml": plan }, { runners: 2 });
  here.pull("two", { "a.txt": "1" });
  const run = await completed(here, "pull_request");
  expect(conclusions(run), logs(run)).toEqual({
    "group / size": "success",
    "group / agent (0)": "success",
    "group / agent (1)": "success",
    after: "success",
  });
  expect(logOf(jobNamed(here, run, "group / agent (1)"))).toContain("agent 1 of 2");
  expect(logOf(jobNamed(here, run, "after"))).toContain("the group said success");
  expect(readFileSync(join(ROOT, ".github/workflows/group.yml"), "utf8")).toContain("workflow_call");
});

import { describe, expect, it } from "vitest";
import { whyIncomplete } from "../../src/action/input/rerun.ts";

const BEGAN = "2026-11-20T10:00:00Z";
const BEFORE = "2026-11-20T09:00:00Z";
const AFTER = "2026-11-20T10:00:30Z";

interface Job {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly run_attempt?: number;
  readonly started_at: string | null;
  readonly runner_name: string | null;
}

const job = (name: string, overrides: Partial<Job> = {}): Job => ({
  id: 1,
  name,
  status: "queued",
  run_attempt: 2,
  started_at: null,
  runner_name: null,
  ...overrides,
});
const own = (name: string) => job(name, { status: "in_progress", started_at: AFTER, runner_name: "box-1" });

async function ask(jobs: readonly Job[], attempt = 2, size = 4): Promise<string | null> {
  const client = {
    request: async (route: string, parameters?: Record<string, unknown>) => {
      if (!route.endsWith("/jobs")) return { status: 200, data: { run_started_at: BEGAN }, headers: {} };
      const page = Number(parameters?.page);
      return { status: 200, data: { jobs: jobs.slice((page - 1) * 100, page * 100) }, headers: {} };
    },
    graphql: async () => null,
  };
  return await whyIncomplete(client, {
    owner: "acme",
    repo: "widgets",
    runId: "77",
    attempt,
    size,
    resumes: false,
    runner: "box-1",
  });
}

const restartsOne = /^attempt 2 restarts 1 of 4 agents; choose "Re-run all jobs": .* begins with the first stage$/;

describe("a re-run of some jobs of a matrix", () => {
  it.each<[string, readonly Job[]]>([
    ["lists only those that were restarted", [own("train (1)"), job("report")]],
    [
      "lists the others with their old number",
      [
        own("train (1)"),
        ...[0, 2, 3].map((n) => job(`train (${n})`, { status: "completed", run_attempt: 1, started_at: BEFORE })),
      ],
    ],
    [
      "lists the others as its own, with their old times",
      [own("train (1)"), ...[0, 2, 3].map((n) => job(`train (${n})`, { status: "completed", started_at: BEFORE }))],
    ],
  ])("is told apart when GitHub %s", async (_name, jobs) => {
    expect(await ask(jobs)).toMatch(restartsOne);
  });

  it("is complete when all of the group's jobs are there, queued, running or already done", async () => {
    const jobs = [
      own("train (1)"),
      job("train (0)"),
      job("train (2)", { status: "completed", started_at: AFTER }),
      job("train (3)", { status: "in_progress", started_at: AFTER, runner_name: "box-2" }),
    ];
    expect(await ask(jobs)).toBeNull();
  });

  it("is not refused when names do not tell the group and there are enough jobs in all", async () => {
    expect(await ask(["a", "b", "c"].map((name) => job(name)).concat(own("d")))).toBeNull();
  });

  it("asks nothing on the first attempt", async () => {
    expect(await ask([], 1)).toBeNull();
  });

  it("reads all pages", async () => {
    const others = Array.from({ length: 120 }, (_, n) => job(`train (${n})`));
    expect(await ask([...others, own("train (120)")], 2, 121)).toBeNull();
  });
});

/** The example of a server and its clients on runners: two jobs, one group; as jobs, and as the reusable workflow. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { jobsOf, type WorkflowRun } from "../../src/sandbox/world/index.ts";
import { freePort } from "../bench/redis.ts";
import { completed, jobNamed, logOf, type Place, place, processesWith, ROOT, writtenChecks } from "./builders.ts";

let here: Place;
afterEach(async () => {
  await here.close();
  expect(here.faults).toEqual([]);
});

const EXAMPLE = "examples/server-and-clients";
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** On this machine everybody is reached over loopback. */
const JOBS = read("examples/workflows/server-and-clients.yml")
  .replace("on: workflow_dispatch", "on: pull_request")
  .replace("role: server", 'role: server\n          listen: "127.0.0.1:0"\n          advertise: 127.0.0.1');

const CALL = `
name: load
on: pull_request
jobs:
  load:
    uses: stagewright/stagewright/.github/workflows/server-and-clients.yml@v1
    with: { clients: 3, plan: ${EXAMPLE}/plan.yml, listen: "127.0.0.1:0", advertise: 127.0.0.1 }
    permissions: { contents: read, id-token: write, checks: write }
`;

async function ran(workflow: string): Promise<{ run: WorkflowRun; sha: string }> {
  const port = await freePort();
  const files = readdirSync(join(ROOT, EXAMPLE)).map((name) => [`${EXAMPLE}/${name}`, read(`${EXAMPLE}/${name}`)]);
  const example: Record<string, string> = Object.fromEntries(files);
  const plan = example[`${EXAMPLE}/plan.yml`]?.replace("default: 8377", `default: ${port}`) ?? "";
  const all = { ...example, [`${EXAMPLE}/plan.yml`]: plan, ".github/workflows/load.yml": workflow };
  here = await place(all, { runners: 4 });
  const pull = here.pull("load", { "a.txt": "1" });
  return { run: await completed(here, "pull_request"), sha: pull.head.sha };
}

describe("a server and three clients", () => {
  test.each([
    ["as two jobs", JOBS, ""],
    ["as the reusable workflow", CALL, "load / "],
  ])("%s meet in one group, and the clients reach the server", async (_name, workflow, prefix) => {
    const { run, sha } = await ran(workflow);
    const logs = jobsOf(here.world, run).map((job) => `== ${job.name}: ${job.conclusion}\n${logOf(job)}`);
    expect(run.conclusion, logs.join("\n")).toBe("success");
    const server = logOf(jobNamed(here, run, `${prefix}server`));
    expect(server).toContain("for 3 clients");
    expect(server).toMatch(/600 requests from client-\d, client-\d, client-\d/);
    const clients = jobsOf(here.world, run).filter(({ name }) => name.startsWith(`${prefix}client`));
    expect(clients).toHaveLength(3);
    for (const client of clients) expect(logOf(client)).toContain("200 requests answered by http://127.0.0.1:");
    // One result for all four of them.
    const results = writtenChecks(here, sha).filter(({ name }) => name.startsWith("plan / "));
    expect(results).toEqual([expect.objectContaining({ conclusion: "success" })]);
    expect(await processesWith(`${EXAMPLE}/server.mjs`)).toEqual([]);
  });
});

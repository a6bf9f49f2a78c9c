/** Jobs that are over before they join: a group that waits for them ends, naming them. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createTokenVerifier } from "../../../src/coordinator/admission/admission.ts";
import { endedJobs, type ListedJob, watchJobs } from "../../../src/coordinator/admission/ended-jobs.ts";
import { type Connection, type CoordinatorLocation, connect } from "../../../src/coordinator/client/connect.ts";
import { EVERYTHING, keyOf, NEVER, planOf } from "../builders.ts";
import { type Issuer, startIssuer } from "./issuer.ts";

const PLAN = planOf("name: group\nassembly: { timeout: 10m }\nstages:\n  - { name: work, run: 'true' }\n");

const job = (index: number, status: string, conclusion: string | null = null): ListedJob => ({
  id: String(7000 + index),
  name: `train (${index})`,
  status,
  conclusion,
});
const build: ListedJob = { id: "6000", name: "build", status: "completed", conclusion: "success" };
const group = { own: "7000", onlyJob: "train", size: 3 };

describe("jobs that are over", () => {
  const own = job(0, "in_progress");
  it.each<[string, readonly ListedJob[], readonly string[]]>([
    ["of the own matrix", [build, own, job(1, "completed", "failure"), job(2, "queued")], ["7001"]],
    [
      "whatever became of them",
      [own, job(1, "completed", "skipped"), job(2, "completed", "success")],
      ["7001", "7002"],
    ],
    ["but of no other", [own, build, { ...build, id: "6001", name: "train" }], []],
    ["not where names tell nothing", [{ ...own, name: "node zero" }, job(1, "completed", "failure")], []],
    ["not as many as need not join", [own, job(1, "completed"), job(2, "queued"), job(3, "queued")], []],
    ["not where this job is not listed", [job(1, "completed", "failure")], []],
  ])("are seen: %s", (_name, jobs, ids) => {
    expect(endedJobs(jobs, group).map(({ id }) => id)).toEqual(ids);
  });
});

describe("the watch", () => {
  const pace = { firstMs: 1, everyMs: 1 };
  it("ends, saying so once, where the token may not list jobs", async () => {
    const said: string[] = [];
    const list = async () => {
      throw Object.assign(new Error("Resource not accessible by integration"), { status: 403 });
    };
    const rest = { isWaiting: () => true, found: () => undefined, say: (text: string) => said.push(text) };
    await watchJobs({ list, group, pace, ...rest }, NEVER);
    expect(said).toEqual([expect.stringContaining("actions: read")]);
  });

  it("goes on after a failure that passes, and ends when nobody is waited for", async () => {
    let asked = 0;
    const list = async (): Promise<readonly ListedJob[]> => {
      asked += 1;
      if (asked === 1) throw new Error("connection reset");
      return [job(0, "in_progress"), job(1, "completed", "failure")];
    };
    let waiting = true;
    const found = () => {
      waiting = false;
    };
    await watchJobs({ list, group, pace, isWaiting: () => waiting, found, say: () => undefined }, NEVER);
    expect(asked).toBe(2);
  });
});

describe("a group", () => {
  let issuer: Issuer;
  const connections: Connection[] = [];
  beforeAll(async () => {
    issuer = await startIssuer();
  });
  afterEach(async () => {
    for (const connection of connections.splice(0)) await connection.close();
  });
  afterAll(() => issuer.close());

  const tokens = (check_run_id: string, jobs: readonly ListedJob[]) => ({
    idToken: (audience: string) => issuer.token({ audience, claims: { check_run_id } }),
    verifier: (audience: string) => createTokenVerifier({ issuer: issuer.url, audience }),
    onlyJob: "train",
    jobName: null,
    listJobs: async () => jobs,
  });
  async function connected(location: CoordinatorLocation): Promise<Connection> {
    const options = {
      location,
      key: keyOf(PLAN),
      plan: PLAN,
      selection: EVERYTHING,
      agentCount: 3,
      say: () => undefined,
    };
    const connection = await connect({ ...options, jobsPace: { firstMs: 10, everyMs: 50 } }, NEVER);
    connections.push(connection);
    return connection;
  }

  it("whose third job failed before its step ends, with the reason", async () => {
    const jobs = [job(0, "in_progress"), job(1, "in_progress"), job(2, "completed", "failure")];
    const leads = { kind: "leader", listen: "127.0.0.1:0", advertise: null, announce: null } as const;
    const { host } = await connected({ ...leads, ...tokens("7000", jobs) });
    await expect.poll(() => host?.isOver, { timeout: 10_000 }).toBe(true);
    expect(host?.summary()).toMatchObject({
      verdict: "failure",
      message: "only 2 of 3 agents can be there: the job train (2) is over (failure)",
    });
  });

  it("whose leader's job failed before its step ends where its followers look for it", async () => {
    const jobs = [job(0, "completed", "failure"), job(1, "in_progress"), job(2, "in_progress")];
    const follows = { kind: "follower", addresses: async () => [], isTrusted: false } as const;
    await expect(connected({ ...follows, ...tokens("7001", jobs) })).rejects.toThrow(
      "only 2 of 3 agents can be there: the job train (0) is over (failure)",
    );
  });

  it("takes a job that is over for no reason where it can do without", async () => {
    const plan = planOf("name: group\nassembly: { timeout: 1s, at_least: 2 }\nstages:\n  - { name: w, run: 'true' }\n");
    const jobs = [job(0, "completed", "failure"), job(1, "in_progress"), job(2, "in_progress")];
    const location = {
      kind: "follower",
      addresses: async () => [],
      isTrusted: false,
      ...tokens("7001", jobs),
    } as const;
    const options = { location, key: keyOf(plan), plan, selection: EVERYTHING, agentCount: 3, say: () => undefined };
    const searching = connect({ ...options, jobsPace: { firstMs: 10, everyMs: 50 } }, NEVER);
    await expect(searching).rejects.toThrow("no leader was found within 1 s");
  });
});

/** Who somebody is within a workflow run: a job is one agent, and not any job of the run leads a group. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTokenVerifier } from "../../src/coordinator/admission/admission.ts";
import { type GroupJobsOptions, matrixStem } from "../../src/coordinator/admission/jobs.ts";
import { type Connection, type CoordinatorLocation, connect } from "../../src/coordinator/client/connect.ts";
import type { JoinRequest } from "../../src/coordinator/protocol/port.ts";
import { groupJobs, type Issuer, startIssuer } from "../coordinator/admission/issuer.ts";
import { EVERYTHING, joinOf, keyOf, planOf } from "../coordinator/builders.ts";

const PLAN = planOf("name: epochs\nagents: 4\nstages:\n  - { name: epoch, run: 'true' }\n");
const KEY = keyOf(PLAN);
const FILE = "acme/training/.github/workflows/train.yml@refs/heads/main";
const CLAIMS = { repository: "acme/training", repositoryId: "42", runId: "1001", attempt: 1 };
const NEVER = new AbortController().signal;
const NAMES = new Map([
  ["7000", "train (0)"],
  ["7001", "train (1)"],
  ["7002", "train (2)"],
  ["7003", "train (3)"],
  ["6000", "deploy"],
  ["6001", "node (gpu)"],
]);

const nameOf = async (id: string) => NAMES.get(id) ?? Promise.reject(new Error("GitHub does not know it"));

let issuer: Issuer;
const connections: Connection[] = [];
beforeAll(async () => {
  issuer = await startIssuer();
});
afterEach(async () => {
  for (const { coordinator, close } of connections.splice(0).toReversed()) {
    await coordinator.leave("the test is over", NEVER).catch(() => undefined);
    await close();
  }
});
afterAll(async () => {
  await issuer.close();
});

interface TestJob {
  /** Null: its server's tokens do not say it. */
  checkRun: string | null;
  readonly file?: string;
}

/** What connects this job, whose tokens come from the issuer, to a group. */
async function connected(
  job: TestJob,
  location: { leads: true } | { at: string },
  more: Partial<GroupJobsOptions> = {},
) {
  const tokens = {
    idToken: (audience: string) => {
      const claims = { check_run_id: job.checkRun ?? undefined, job_workflow_ref: job.file ?? FILE };
      return issuer.token({ audience, claims });
    },
    verifier: (audience: string) => createTokenVerifier({ issuer: issuer.url, audience }),
    onlyJob: more.onlyJob ?? null,
    jobName: more.nameOf ?? null,
    listJobs: null,
  };
  let address = "";
  const announce = async (at: string) => {
    address = at;
    return async () => undefined;
  };
  const where: CoordinatorLocation =
    "leads" in location
      ? { kind: "leader", listen: "127.0.0.1:0", advertise: "127.0.0.1", announce, ...tokens }
      : { kind: "follower", addresses: async () => [location.at], isTrusted: true, ...tokens };
  const options = { location: where, key: KEY, plan: PLAN, selection: EVERYTHING, agentCount: 4, say: () => undefined };
  const connection = await connect(options, NEVER);
  connections.push(connection);
  return { address, join: (request: JoinRequest) => connection.coordinator.join(request, NEVER), connection };
}

const agent = (index: number) => joinOf(PLAN, `train-${index}`, { index });

describe("a group with a leader in one of its jobs", () => {
  let leader: Awaited<ReturnType<typeof connected>>;
  beforeEach(async () => {
    leader = await connected({ checkRun: "7000" }, { leads: true });
  });

  it("counts one job once, whatever names it joins by", async () => {
    await leader.join(agent(0));
    const one = await connected({ checkRun: "7001" }, { at: leader.address });
    const again = await connected({ checkRun: "7001" }, { at: leader.address });
    await one.join(agent(1));
    await expect(again.join(agent(2))).rejects.toThrow(
      "the job of train-2 has its place in this group already, as train-1: one job is one agent",
    );
    // A process that was started again in the same job takes its own place over.
    await again.join(agent(1));
  });

  it("keeps the first place for the process that leads, however early another job asks for it", async () => {
    const other = await connected({ checkRun: "7001" }, { at: leader.address });
    const early = other.join(agent(0));
    early.catch(() => undefined);
    const asRemote = await connected({ checkRun: "7002" }, { at: leader.address });
    const named = asRemote.join(joinOf(PLAN, "first", { index: 0 }));
    named.catch(() => undefined);
    await leader.join(agent(0));
    await expect(early).rejects.toThrow("train-0 is the agent that leads this group, in its own process");
    await expect(named).rejects.toThrow(/index 0 is train-0's|this run is over/);
    // A job of the group's own matrix that has no place in it: the group can never be complete.
    expect(leader.connection.host?.state).toMatchObject({ status: "failed", assembledAt: null });
  });

  it("takes nobody in who holds a token of the leader's own job", async () => {
    await leader.join(agent(0));
    const job = { checkRun: "7001" };
    const other = await connected(job, { at: leader.address });
    job.checkRun = "7000";
    await expect(other.join(agent(1))).rejects.toThrow("this very job's: one job is one agent");
  });
});

it("takes no other job of the workflow run in, and follows none", async () => {
  const names = { onlyJob: "train", nameOf };
  const leader = await connected({ checkRun: "7000" }, { leads: true }, names);
  await leader.join(agent(0));
  const deploy = await connected({ checkRun: "6000" }, { at: leader.address });
  await expect(deploy.join(agent(1))).rejects.toThrow('the job "deploy", which is not of the matrix "train"');
  const one = await connected({ checkRun: "7001" }, { at: leader.address }, names);
  await one.join(agent(1));
});

it("lets agents be told apart by their names alone where tokens do not say the job", async () => {
  const leader = await connected({ checkRun: null }, { leads: true });
  await leader.join(agent(0));
  const one = await connected({ checkRun: null }, { at: leader.address });
  await one.join(agent(1));
  const two = await connected({ checkRun: null }, { at: leader.address });
  await two.join(agent(2));
  const three = await connected({ checkRun: null }, { at: leader.address });
  await expect(three.join(agent(2))).rejects.toThrow("train-2 is held by another session");
});

describe("the jobs of one group", () => {
  const jobs = (own: Partial<Parameters<typeof groupJobs>[1]> = {}, onlyJob: string | null = "train") =>
    groupJobs(KEY, { ...CLAIMS, checkRunId: "7001", jobWorkflowRef: FILE, ...own }, { onlyJob, nameOf });
  const claims = (checkRunId: string | null, jobWorkflowRef: string | null = FILE) => ({
    ...CLAIMS,
    checkRunId,
    jobWorkflowRef,
  });
  const elsewhere = "acme/training/.github/workflows/release.yml@refs/heads/main";
  const foreign = "mallory/actions/.github/workflows/scan.yml@refs/heads/main";

  it("are of one matrix, as GitHub calls them", async () => {
    await jobs().check(claims("7000"), NEVER);
  });

  it.each([
    ["another job of the workflow", jobs(), claims("6000"), 'the job "deploy", which is not of the matrix "train"'],
    ["a job of another matrix", jobs(), claims("6001"), 'the job "node (gpu)"'],
    ["a job of another workflow file", jobs(), claims("7000", elsewhere), "release.yml"],
    ["a job that another repository defines", jobs({}, null), claims("7000", foreign), "mallory/actions"],
    ["this very job", jobs({}, null), claims("7001"), "one job is one agent"],
    ["a job that hides which it is", jobs({}, null), claims(null), "does not say which job"],
    ["another run", jobs({}, null), { ...claims("7000"), runId: "666" }, "workflow run 666"],
    ["another attempt", jobs({}, null), { ...claims("7000"), attempt: 2 }, "attempt 2"],
    ["a job whose name cannot be read", jobs(), claims("5"), "GitHub does not know it"],
  ])("do not include %s", async (_name, group, other, says) => {
    await expect(group.check(other, NEVER)).rejects.toThrow(says);
  });

  it("may be of several kinds where they say so, or have names that tell nothing", async () => {
    await jobs({}, null).check(claims("6000", elsewhere), NEVER);
    await jobs({ checkRunId: "6001" }).check(claims("6000"), NEVER);
  });

  it("ask again for a name that could not be read, and once for one that could", async () => {
    let asked = 0;
    const names = {
      onlyJob: "train",
      nameOf: async (id: string) => {
        asked += 1;
        if (asked === 1) throw new Error("GitHub is away");
        return NAMES.get(id) ?? "";
      },
    };
    const group = groupJobs(KEY, { ...CLAIMS, checkRunId: "7001", jobWorkflowRef: FILE }, names);
    await expect(group.check(claims("7000"), NEVER)).rejects.toThrow("GitHub is away");
    await group.check(claims("7000"), NEVER);
    await group.check(claims("7000"), NEVER);
    expect(asked).toBe(3);
  });
});

it.each([
  ["train (0)", "train"],
  ["train (0, fast)", "train"],
  ["call (a) / train (b / c)", "call (a) / train"],
  ["one / two / train (3)", "one / two / train"],
  ["train", null],
  ["node 0", null],
  ["train-0 (gpu)", null],
  ["retrain (0)", null],
  ["train (0) of 3", null],
])("what GitHub calls %j is of the matrix %j", (name, stem) => {
  expect(matrixStem(name, "train")).toBe(stem);
});

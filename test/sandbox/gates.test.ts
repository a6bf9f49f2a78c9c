import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as w from "../../src/sandbox/world/index.ts";
import { KEYS } from "../keys.ts";
import { furnish, type House, refusalOf } from "./house.ts";

const where = { owner: "acme", repo: "demo" };
let house: House;
let run: w.WorkflowRun;
let job: w.WorkflowJob;
const changes: w.Change[] = [];

beforeEach(async () => {
  house = await furnish();
  const { sandbox, alice, pull, repo, app } = house;
  const { world } = sandbox;
  changes.length = 0;
  world.changes.subscribe((change) => void changes.push(change));
  w.addProtectionRule(world, repo, "qa", app);
  run = w.createRun(world, w.asUser(alice), {
    repository: repo,
    path: ".github/workflows/qa.yml",
    event: "pull_request",
    ref: "refs/pull/1/merge",
    sha: pull.mergeCommitSha ?? "",
    headSha: pull.head.sha,
    headBranch: "task-7",
    pullNumbers: [1],
    payload: {},
  });
  job = w.addJob(world, run, { key: "qa", name: "qa", labels: [], environment: "qa", status: "waiting" });
  w.deployJob(world, run, job);
});
afterEach(() => house.close());

const answer = (body: { environment_name: string; state?: "approved" | "rejected"; comment?: string }) =>
  house.bot.request("POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule", {
    ...where,
    run_id: run.id,
    comment: "",
    ...body,
  });

const decided = async () => {
  await house.sandbox.webhooks.idle();
  return changes.flatMap((change) => (change.kind === "gate_decided" ? [change.verdict] : []));
};

describe("a gate", () => {
  it("asks the app, takes comments while it waits, and opens once", async () => {
    await house.sandbox.webhooks.idle();
    const asked = house.received.find((one) => one.event === "deployment_protection_rule");
    expect(asked?.payload).toMatchObject({
      environment: "qa",
      ref: "refs/pull/1/merge",
      pull_requests: [{ number: 1 }],
    });
    expect((await answer({ environment_name: "qa", comment: "two approvals are missing" })).status).toBe(204);
    expect(await decided()).toEqual([]);
    expect([...house.sandbox.world.protectionRequests.values()]).toMatchObject([
      { state: "pending", comments: [{ text: "two approvals are missing" }] },
    ]);
    await answer({ environment_name: "qa", state: "approved", comment: "go" });
    expect(await decided()).toEqual(["approved"]);
    expect((await refusalOf(answer({ environment_name: "qa", state: "approved" }))).status).toBe(422);
    expect((await house.bot.rest.repos.listDeployments(where)).data).toMatchObject([
      { environment: "qa", sha: run.sha },
    ]);
    const id = (await house.bot.rest.repos.listDeployments(where)).data[0]?.id ?? 0;
    expect(
      (await house.bot.rest.repos.listDeploymentStatuses({ ...where, deployment_id: id })).data.map((one) => one.state),
    ).toEqual(["queued", "pending"]);
  });

  it("is among the pending deployments of a run that waits, until it is answered", async () => {
    const pending = async () =>
      (await house.bot.rest.actions.getPendingDeploymentsForRun({ ...where, run_id: run.id })).data.map(
        (one) => one.environment.name,
      );
    const waiting = async () =>
      (await house.bot.rest.actions.listWorkflowRunsForRepo({ ...where, status: "waiting" })).data.workflow_runs.map(
        (one) => Number(one.id),
      );
    expect([await pending(), await waiting()]).toEqual([["qa"], [run.id]]);
    await answer({ environment_name: "qa", state: "approved" });
    expect([await pending(), await waiting()]).toEqual([[], []]);
  });

  it("stays shut when rejected", async () => {
    await answer({ environment_name: "qa", state: "rejected", comment: "superseded" });
    expect(await decided()).toEqual(["rejected"]);
  });

  it("waits for every app that guards it", async () => {
    const { sandbox, repo, acme, alice } = house;
    const { world } = sandbox;
    const second = w.addApp(world, {
      keys: KEYS,
      slug: "second",
      owner: acme,
      permissions: { deployments: "write" },
      events: [],
    });
    w.install(world, w.asUser(alice), { app: second, account: acme, repositories: "all" });
    w.addProtectionRule(world, repo, "prod", house.app);
    w.addProtectionRule(world, repo, "prod", second);
    const two = w.addJob(world, run, { key: "prod", name: "prod", labels: [], environment: "prod", status: "waiting" });
    expect(w.deployJob(world, run, two).requests).toHaveLength(2);
    await answer({ environment_name: "prod", state: "approved" });
    expect(await decided()).toEqual([]);
    w.answerProtection(world, second, run, { environment: "prod", verdict: "approved", comment: null });
    expect(await decided()).toEqual(["approved"]);
  });

  it("limits comments in number and length, and answers only its own app", async () => {
    for (let i = 0; i < 10; i += 1) await answer({ environment_name: "qa", comment: `${i}` });
    expect((await refusalOf(answer({ environment_name: "qa", comment: "eleven" }))).status).toBe(422);
    expect((await refusalOf(answer({ environment_name: "elsewhere", state: "approved" }))).status).toBe(422);
    expect((await refusalOf(answer({ environment_name: "qa", comment: "x".repeat(1025) }))).status).toBe(422);
  });

  it("without rules holds nothing", () => {
    const { world } = house.sandbox;
    const free = w.addJob(world, run, { key: "dev", name: "dev", labels: [], environment: "dev" });
    expect(w.deployJob(world, run, free).requests).toEqual([]);
  });
});

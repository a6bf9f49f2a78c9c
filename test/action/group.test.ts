import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTokenVerifier } from "../../src/coordinator/admission.ts";
import { runIdOf } from "../../src/coordinator/run-id.ts";
import { Runs } from "../../src/coordinator/runs.ts";
import { serveLeader } from "../../src/coordinator/serve.ts";
import { lightBeacon } from "../../src/github/leader-beacon.ts";
import { type Issuer, startIssuer } from "../coordinator/issuer.ts";
import { CheckServer } from "../github/check-server.ts";
import { type StepOptions, TestRunner } from "./step-runner.ts";

const SHA = "b".repeat(40);
const PLAN = `name: epochs
stages:
  - { name: prepare, runs_on: first, run: stagewright emit rows=3 }
  - { name: epoch, run: 'echo "$STAGEWRIGHT_AGENT_NAME has $STAGEWRIGHT_OUTPUT_PREPARE_ROWS rows"; echo in >> "$GITHUB_WORKSPACE/epoch"' }
  - { name: cleanup, run: 'echo wiped >> "$GITHUB_WORKSPACE/cleaned"' }
`;

let issuer: Issuer;
let tokens: http.Server;
let tokensUrl = "";
let github: CheckServer;
let runners: TestRunner[] = [];

beforeAll(async () => {
  issuer = await startIssuer();
  // As the runner's token endpoint: each job has an address of its own.
  tokens = http.createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://runner");
    const claims = {
      repository: "acme/widgets",
      repository_id: "11",
      run_id: "77",
      check_run_id: url.pathname.slice(1),
    };
    void issuer
      .token({ audience: url.searchParams.get("audience") ?? "", claims })
      .then((value) => response.end(JSON.stringify({ value })));
  });
  await new Promise<void>((resolve) => tokens.listen(0, "127.0.0.1", resolve));
  const at = tokens.address();
  tokensUrl = typeof at === "object" && at !== null ? `http://127.0.0.1:${at.port}` : "";
});
afterAll(async () => {
  tokens.closeAllConnections();
  await new Promise((resolve) => tokens.close(resolve));
  await issuer.close();
});
beforeEach(async () => {
  github = await new CheckServer().start();
});
afterEach(async () => {
  await github.stop();
  for (const runner of runners.splice(0)) await runner.remove();
  runners = [];
});

async function job(index: number, size: number, plan: string, more: StepOptions = {}) {
  const runner = await TestRunner.create({ "plan.yml": plan });
  runners.push(runner);
  const step = await runner.start({
    inputs: {
      plan: "plan.yml",
      "agent-index": String(index),
      "agent-count": String(size),
      "github-token": "t0ken",
      ...(index === 0 ? { listen: "127.0.0.1:0", advertise: "127.0.0.1" } : { advertise: "127.0.0.1" }),
      ...more.inputs,
    },
    env: {
      GITHUB_API_URL: github.url,
      STAGEWRIGHT_OIDC_ISSUER: issuer.url,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${tokensUrl}/${7000 + index}?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "runner",
      ...more.env,
    },
  });
  return { runner, ...step };
}

describe("the jobs of a matrix as one group", () => {
  it("find their leader by its check run, pass the plan together and report once", async () => {
    const jobs = await Promise.all([0, 1, 2].map((index) => job(index, 3, PLAN)));
    const results = await Promise.all(jobs.map(({ ended }) => ended));
    for (const [index, result] of results.entries()) {
      expect({ code: result.code, raw: result.raw }).toMatchObject({ code: 0 });
      expect(result.outputs.get("result")).toBe("success");
      expect(result.log.join("\n")).toContain(`train-${index} has 3 rows`);
    }
    expect(github.checks.map(({ name, status, conclusion }) => [name, status, conclusion])).toEqual([
      ["leader / epochs (train)", "completed", "neutral"],
      ["plan / epochs (train)", "completed", "success"],
    ]);
    const summaries = results.map(({ summary }) => summary);
    for (const name of ["train-0", "train-1", "train-2"]) expect(summaries[0]).toContain(name);
    expect(summaries[1]).toContain("train-1");
    expect(summaries[1]).not.toContain("train-2");
  });

  it("all exit with the group's verdict when one of them fails, which is named", async () => {
    const plan = PLAN.replace("echo in >>", '[ "$STAGEWRIGHT_AGENT_INDEX" != 2 ] && echo in >>');
    const jobs = await Promise.all([0, 1, 2].map((index) => job(index, 3, plan)));
    for (const { ended, runner } of jobs) {
      const result = await ended;
      expect(result.code).toBe(1);
      expect(result.outputs.get("failed-stage")).toBe("epoch");
      expect(result.outputs.get("message")).toContain("train-2");
      expect(runner.file("cleaned")).toBe("wiped\n");
    }
  });

  it("refuse a leader that cannot prove itself, and go on to the true one", async () => {
    const key = { repositoryId: "11", runId: "77", attempt: 1, group: "train", plan: "epochs" };
    const seen: string[] = [];
    // It holds a token of another run: all that somebody outside this one can have.
    const forged = await serveLeader({
      listen: "127.0.0.1:0",
      advertise: null,
      idToken: (audience) => issuer.token({ audience, claims: { repository_id: "11", run_id: "666" } }),
      verifier: (audience) => createTokenVerifier({ issuer: issuer.url, audience }),
      runs: new Runs({ store: null, onError: (error) => void seen.push(String(error)) }),
      onError: () => undefined,
    });
    const place = { owner: "acme", repo: "widgets", headSha: SHA, run: runIdOf(key), group: "train", plan: "epochs" };
    const { getOctokit } = await import("@actions/github");
    const client = getOctokit("t", { baseUrl: github.url });
    const pace = { now: Date.now, sleep: async (ms: number) => sleep(ms) };
    const lit = await lightBeacon(client, place, forged.address, pace, AbortSignal.timeout(10_000));
    expect(lit.lit).toBe(true);
    const follower = await job(1, 2, PLAN);
    await follower.seen("a false leader was refused");
    const leader = await job(0, 2, PLAN);
    const results = await Promise.all([leader.ended, follower.ended]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(results[1]?.log.join("\n")).toContain("workflow run 666");
    await forged.close();
  });

  it("stop, saying so, when the leader dies", async () => {
    const plan = PLAN.replace("echo in >>", "sleep 300; echo in >>");
    const [leader, follower, other] = await Promise.all([0, 1, 2].map((index) => job(index, 3, plan)));
    if (leader === undefined || follower === undefined || other === undefined) throw new Error("there are three");
    await Promise.all([follower.seen("train-1 has 3 rows"), other.seen("train-2 has 3 rows")]);
    leader.child.kill("SIGKILL");
    const results = await Promise.all([follower.ended, other.ended]);
    for (const { code, outputs } of results) {
      expect(code).toBe(1);
      expect(outputs.get("message")).toContain("has not answered for 60 s");
    }
    // What only the leader would have concluded does not stay in progress, and is concluded once.
    const why = { title: "the group's leader is gone", summary: expect.stringContaining("has not answered for 60 s") };
    expect(github.checks).toEqual([
      expect.objectContaining({
        name: "leader / epochs (train)",
        conclusion: "failure",
        output: expect.objectContaining(why),
      }),
      expect.objectContaining({
        name: "plan / epochs (train)",
        conclusion: "failure",
        output: expect.objectContaining(why),
      }),
    ]);
    const said = results.map(({ log }) => log.filter((line) => line.includes("concluded as failed")).length);
    expect(said.toSorted()).toEqual([0, 1]);
    const result = results[0];
    if (result === undefined) throw new Error("it has ended");
    // Its post step finds that the run was not finished, and cleans up.
    const post = await follower.runner.run({ state: result.state });
    expect(follower.runner.file("cleaned")).toBe("wiped\n");
    expect(post.code).toBe(0);
  }, 120_000);

  it("do not go on looking for a leader whose process was killed, once its post step has run", async () => {
    const leader = await job(0, 2, PLAN);
    // The second shows the result, and is opened when the first is known to the post step.
    await expect.poll(() => github.checks.length, { timeout: 20_000 }).toBe(2);
    leader.child.kill("SIGKILL");
    const { state } = await leader.ended;
    await leader.runner.run({
      state,
      inputs: { plan: "plan.yml", "github-token": "t0ken" },
      env: { GITHUB_API_URL: github.url },
    });
    expect(github.checks[0]).toMatchObject({
      name: "leader / epochs (train)",
      status: "completed",
      conclusion: "failure",
    });
  });
});

describe("a group that cannot meet", () => {
  it.each([
    ["fewer jobs at a time than agents", { inputs: { "max-parallel": "2" } }, /`max-parallel: 3`/],
    [
      "a pull request from a fork",
      {
        event: {
          pull_request: { head: { sha: SHA, repo: { id: 5 } }, base: { repo: { id: 11 } } },
        },
      },
      /from a fork/,
    ],
    ["no OIDC tokens", { env: { ACTIONS_ID_TOKEN_REQUEST_URL: "" } }, /id-token: write/],
  ])("says so at once: %s", async (_name, more, says) => {
    const runner = await TestRunner.create({ "plan.yml": PLAN });
    runners.push(runner);
    const { event, env, inputs } = { event: undefined, env: {}, inputs: {}, ...more };
    const result = await runner.run({
      inputs: { plan: "plan.yml", "agent-index": "1", "agent-count": "3", ...inputs },
      env: { ACTIONS_ID_TOKEN_REQUEST_URL: tokensUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x", ...env },
      ...(event === undefined ? {} : { event }),
    });
    expect(result.code).toBe(2);
    expect(result.annotations.map(({ message }) => message).join("\n")).toMatch(says);
    expect(result.took).toBeLessThan(10_000);
  });
});

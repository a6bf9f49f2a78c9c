import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTokenVerifier } from "../../src/coordinator/admission/admission.ts";
import { Runs } from "../../src/coordinator/hosting/runs.ts";
import { runIdOf } from "../../src/coordinator/protocol/run-id.ts";
import { serveLeader } from "../../src/coordinator/server/serve.ts";
import { lightBeacon } from "../../src/github/checks/leader-beacon.ts";
import { Matrix, PLAN, SHA } from "./matrix.ts";

let matrix: Matrix;
beforeEach(async () => {
  matrix = await Matrix.open();
});
afterEach(async () => {
  await matrix.close();
});

describe("the jobs of a matrix as one group", () => {
  it("find their leader by its check run, pass the plan together and report once", async () => {
    const jobs = await Promise.all([0, 1, 2].map((index) => matrix.job(index, 3, PLAN)));
    const results = await Promise.all(jobs.map(({ ended }) => ended));
    for (const [index, result] of results.entries()) {
      expect({ code: result.code, raw: result.raw }).toMatchObject({ code: 0 });
      expect(result.outputs.get("result")).toBe("success");
      expect(result.log.join("\n")).toContain(`train-${index} has 3 rows`);
    }
    expect(matrix.github.checks.map(({ name, status, conclusion }) => [name, status, conclusion])).toEqual([
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
    const jobs = await Promise.all([0, 1, 2].map((index) => matrix.job(index, 3, plan)));
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
      idToken: (audience) => matrix.issuer.token({ audience, claims: { repository_id: "11", run_id: "666" } }),
      verifier: (audience) => createTokenVerifier({ issuer: matrix.issuer.url, audience }),
      key,
      runs: new Runs({ store: null, onError: (error) => void seen.push(String(error)) }),
      onError: () => undefined,
    });
    const place = { owner: "acme", repo: "widgets", headSha: SHA, run: runIdOf(key), group: "train", plan: "epochs" };
    const { getOctokit } = await import("@actions/github");
    const client = getOctokit("t", { baseUrl: matrix.github.url });
    const pace = { now: Date.now, sleep: async (ms: number) => sleep(ms) };
    const lit = await lightBeacon(
      client,
      place,
      { address: forged.address, job: null },
      pace,
      AbortSignal.timeout(10_000),
    );
    expect(lit.lit).toBe(true);
    const follower = await matrix.job(1, 2, PLAN);
    await follower.seen("a false leader was refused");
    const leader = await matrix.job(0, 2, PLAN);
    const results = await Promise.all([leader.ended, follower.ended]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(results[1]?.log.join("\n")).toContain("workflow run 666");
    await forged.close();
  });

  it("do not go on looking for a leader whose process was killed, once its post step has run", async () => {
    const leader = await matrix.job(0, 2, PLAN);
    // The second shows the result, and is opened when the first is known to the post step.
    await expect.poll(() => matrix.github.checks.length, { timeout: 20_000 }).toBe(2);
    leader.child.kill("SIGKILL");
    const { state } = await leader.ended;
    await leader.runner.run({
      state,
      inputs: { plan: "plan.yml", "github-token": "t0ken" },
      env: { GITHUB_API_URL: matrix.github.url },
    });
    expect(matrix.github.checks[0]).toMatchObject({
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
    ["a role where the plan has none", { inputs: { role: "server" } }, /role: the plan has no roles, got "server"/],
    [
      "a role that the plan does not have",
      { inputs: { role: "nobody" }, plan: `${PLAN}roles: { server: 1, client: 2 }\n` },
      /role: expected server or client, as the plan has them, got "nobody"/,
    ],
    [
      "more jobs than the plan has agents",
      { inputs: { "agent-index": "3", "agent-count": "4" }, plan: `${PLAN}agents: 3\n` },
      /agent-index: 3 is beyond the group's 3 agents \(0 to 2\), and the matrix has 4 jobs/,
    ],
  ])("says so at once: %s", async (_name, more, says) => {
    const { event, env, inputs, plan } = { event: undefined, env: {}, inputs: {}, plan: PLAN, ...more };
    const runner = await matrix.runner(plan);
    const result = await runner.run({
      inputs: { plan: "plan.yml", "agent-index": "1", "agent-count": "3", ...inputs },
      env: { ACTIONS_ID_TOKEN_REQUEST_URL: matrix.tokensUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x", ...env },
      ...(event === undefined ? {} : { event }),
    });
    expect(result.code).toBe(2);
    expect(result.annotations.map(({ message }) => message).join("\n")).toMatch(says);
    expect(result.took).toBeLessThan(10_000);
  });
});

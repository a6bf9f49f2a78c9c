/** What a follower that has heard nothing of its leader may do to the leader's check runs. */
import { getOctokit } from "@actions/github";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Abandoned, endAbandoned } from "../../src/action/output/abandoned.ts";
import { CheckServer } from "../github/check-server.ts";

const SILENT = "the coordinator has not answered for 60 s: this agent stops its work";
let github: CheckServer;
beforeEach(async () => {
  github = await new CheckServer().start();
});
afterEach(() => github.stop());

/** What is said, after the leader has opened its check run. */
async function told(leaderIsOver: Abandoned["leaderIsOver"]): Promise<string> {
  const client = getOctokit("t", { baseUrl: github.url });
  const about = { owner: "acme", repo: "widgets", name: "plan / epochs (train)" };
  await client.rest.checks.create({ ...about, head_sha: "b".repeat(40), external_id: "run/0", status: "in_progress" });
  const said: string[] = [];
  const checks = [{ ...about, headSha: "b".repeat(40), externalId: "run/" }];
  await endAbandoned(
    { checks, client: async () => client, index: 1, agent: "train-1", leaderIsOver },
    SILENT,
    { console: { text: (text) => said.push(text) }, pace: { now: Date.now, sleep: async () => undefined } },
    AbortSignal.timeout(20_000),
  );
  return said.join("\n");
}

it.each<[string, Abandoned["leaderIsOver"], RegExp]>([
  ["still runs: it may be the follower that is cut off", async () => false, /the group may go on without this agent/],
  ["is not listed", async () => null, /is not known here/],
  ["cannot be asked for", null, /is not known here .*actions: read/],
  [
    "is not told because GitHub cannot be reached either",
    async () => {
      throw new Error("connect ETIMEDOUT");
    },
    /could not be looked for: connect ETIMEDOUT/,
  ],
])("leaves them alone when the leader's job %s", async (_name, leaderIsOver, says) => {
  expect(await told(leaderIsOver)).toMatch(says);
  expect(github.checks).toMatchObject([{ status: "in_progress", conclusion: null }]);
  expect(github.requests).not.toContain("PATCH");
});

it("concludes them as failed when the leader's job is over, saying what it knows and how", async () => {
  expect(await told(async () => true)).toContain("concluded as failed");
  expect(github.checks).toMatchObject([
    { status: "completed", conclusion: "failure", output: { summary: expect.stringContaining(SILENT) } },
  ]);
});

it("says so where GitHub lets nobody but the leader's job conclude them", async () => {
  github.faults.push({ method: "PATCH", status: 403, message: "can only be updated internally by GitHub Actions" });
  expect(await told(async () => true)).toContain("only be updated internally");
  expect(github.checks).toMatchObject([{ status: "in_progress" }]);
});

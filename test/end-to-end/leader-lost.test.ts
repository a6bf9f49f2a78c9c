/** A leader is given up after a minute. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Matrix, PLAN } from "../action/matrix.ts";

let matrix: Matrix;
beforeEach(async () => {
  matrix = await Matrix.open();
});
afterEach(async () => {
  await matrix.close();
});

it("jobs of a group stop, saying so, when their leader dies", async () => {
  const plan = PLAN.replace("echo in >>", "sleep 300; echo in >>");
  const [leader, follower, other] = await Promise.all([0, 1, 2].map((index) => matrix.job(index, 3, plan)));
  if (leader === undefined || follower === undefined || other === undefined) throw new Error("there are three");
  await Promise.all([follower.seen("train-1 has 3 rows"), other.seen("train-2 has 3 rows")]);
  leader.child.kill("SIGKILL");
  matrix.github.jobs = [{ id: 7000, name: "train (0)", status: "completed", conclusion: "failure" }];
  const results = await Promise.all([follower.ended, other.ended]);
  for (const { code, outputs } of results) {
    expect(code).toBe(1);
    expect(outputs.get("message")).toContain("has not answered for 60 s");
    // What it did itself it knows, though nobody tells it what came of that.
    const told = JSON.parse(readFileSync(outputs.get("results-file") ?? "", "utf8"));
    expect(told.phase_results).toMatchObject([{ phase: "epoch", success: false }]);
  }
  // What only the leader would have concluded does not stay in progress, and is concluded once.
  const why = { title: "the group's leader is gone", summary: expect.stringContaining("has not answered for 60 s") };
  expect(matrix.github.checks).toEqual([
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
  const post = await follower.runner.run({ inputs: { "github-token": "t0ken" }, state: result.state });
  expect(follower.runner.file("cleaned")).toBe("wiped\n");
  expect(post.code).toBe(0);
}, 120_000);

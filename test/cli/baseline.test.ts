import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Bench } from "./cli.ts";

let bench: Bench;
beforeAll(() => {
  bench = new Bench();
  mkdirSync(join(bench.directory, "results"));
  bench.file("results/broken.json", "{");
});
afterAll(() => bench.dispose());

const PLAN = `stages:
  - name: load
    run: 'echo "{\\"metric\\":{\\"name\\":\\"rate\\",\\"value\\":$(cat rate)}}" >> $STAGEWRIGHT_EVENTS'
    expect: { rate: { baseline: { from: results, better: bigger, runs: 3, at_least: 2 } } }
`;

it("a run is held against earlier ones: no verdict with too few, then within, then worse", async () => {
  bench.file("plan.yml", PLAN);
  const outcomes = [];
  for (const [n, rate] of ["100", "101", "100", "50"].entries()) {
    bench.file("rate", rate);
    const { code, stdout, stderr } = await bench.run(["run", "plan.yml", "-o", `results/${n}.json`]);
    outcomes.push([code, JSON.parse(stdout).phase_results[0].metrics[0].baseline.verdict]);
    expect(stderr).toContain("results/broken.json:1:2: error: not valid JSON");
  }
  expect(outcomes).toEqual([
    [1, "no_verdict"],
    [1, "no_verdict"],
    [0, "within"],
    [1, "worse"],
  ]);
});

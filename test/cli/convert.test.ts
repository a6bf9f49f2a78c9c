import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench } from "./cli.ts";

let bench: Bench;
beforeAll(() => {
  bench = new Bench();
});
afterAll(() => bench.dispose());

const CONFIGURATION = `target: "file:///tmp/x/"
concurrency: 8
range_engine: { enabled: true }
prepare: { ensure_objects: [{ count: 20 }], cleanup: true }
workload: [{ op: get, path: "*", weight: 100 }]
distributed:
  agents: [{ address: localhost }]
  ssh: { enabled: true }
  shared_filesystem: false
  tree_creation_mode: isolated
  path_selection: exclusive
  stages:
    - { name: prepare, order: 1, type: prepare, completion: tasks_done, expected_objects: 20 }
    - { name: execute, order: 2, type: execute, completion: duration, duration: 1s }
    - { name: cleanup, order: 3, type: cleanup }
`;

describe("convert", () => {
  it("writes a plan that runs as soon as its commands are there, and says what became of each key", async () => {
    bench.file("bench.yaml", CONFIGURATION);
    const { code, stdout, stderr } = await bench.run(["convert", "bench.yaml", "-o", "plan.yml"]);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("bench.yaml:3:1: needs a command: range_engine");
    expect(stderr).toContain("bench.yaml:8:3: no meaning here: distributed.ssh");
    expect(stderr).toContain("bench.yaml:13:9: mapped: distributed.stages.0.name: stage prepare");

    const script = (name: string, text: string): void => {
      bench.file(name, `#!/bin/sh\n${text}\n`);
      chmodSync(join(bench.directory, name), 0o755);
    };
    script("execute.sh", "echo $BENCH_TARGET $BENCH_CONCURRENCY > told; sleep 60");
    script("cleanup.sh", "true");
    const without = await bench.run(["run", "plan.yml"]);
    expect(without.code).toBe(1);
    script(
      "prepare.sh",
      `n=$((STAGEWRIGHT_PARTITION_END - STAGEWRIGHT_PARTITION_START))
echo "{\\"progress\\":{\\"done\\":$n,\\"total\\":$n,\\"errors\\":0}}" >> $STAGEWRIGHT_EVENTS`,
    );
    const run = await bench.run(["run", "plan.yml"]);
    expect(run).toMatchObject({ code: 0 });
    expect(JSON.parse(run.stdout).phase_results.map((each: { phase: string }) => each.phase)).toEqual([
      "prepare",
      "execute",
      "cleanup",
    ]);
    expect(bench.read("told")).toBe("file:///tmp/x/ 8\n");
  });

  it.each([
    ["nothing.yml", "a: 1\n", "nothing.yml:1:1: error: nothing here is known"],
    ["broken.yml", "workload: [\n", "broken.yml:2:1: error: not valid YAML"],
    ["bytes.yml", "\0\0\0", "bytes.yml:1:1: error: the file is not text in UTF-8"],
  ])("%s: exits 2 with a place, and no stack", async (file, content, message) => {
    bench.file(file, content);
    const { code, stdout, stderr } = await bench.run(["convert", file]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("    at ");
  });
});

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench } from "./cli.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  expect(bench.processes()).toEqual([]);
  bench.dispose();
});

const filesIn = (folder: string): readonly string[] =>
  readdirSync(join(bench.directory, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(bench.directory, folder).length + 1))
    .sort();

const PLAN = `stages:
  - { name: load, run: "mkdir out; echo 1 > out/load.json; ln -s /etc/passwd out/users", collect: [out/*], runs_on: first }
  - name: tasks
    tasks: [x, y]
    run: 'echo "$1" > "task-$1"'
    runs_on: [1]
    collect: [task-*]
  - name: fail
    run: 'echo "$STAGEWRIGHT_AGENT_NAME" > "log-$STAGEWRIGHT_AGENT_NAME"; exit 3'
    collect: ["log-*", nothing]
    runs_on: first
  - { name: cleanup, run: "rm -rf out log-*", runs_on: first }
`;

describe("files that stages keep", () => {
  it("are there for each agent, though the stage failed and cleanup has wiped the rest", async () => {
    bench.file("plan.yml", PLAN);
    const { code, stdout, stderr } = await bench.run(["run", "plan.yml", "--agents", "2", "--collect-to", "kept"]);
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(filesIn("kept")).toEqual([
      "local-0/fail/log-local-0",
      "local-0/load/out/load.json",
      "local-1/tasks/task-x",
      "local-1/tasks/task-y",
    ]);
    expect(stderr).toContain('collect: 1 left out, a link out of the working directory: "out/users"');
    expect(stderr).toContain('collect: there is nothing that "nothing" names');
    expect(stderr).toMatch(/kept 1 file \(2 bytes\) in \S+\/kept\/local-0\/load, 1 left out/);
    const part = { round: 1, left_out_total: 0, left_out: [], complete: true };
    const folder = (end: string) => expect.stringMatching(new RegExp(`/kept/${end}$`, "u"));
    const counted = { files_total: 1, bytes_total: 2 };
    expect(JSON.parse(stdout).collected).toEqual([
      {
        ...{ ...part, ...counted, agent: "local-0", phase: "load", folder: folder("local-0/load") },
        files: [{ path: "out/load.json", bytes: 2 }],
        ...{ left_out_total: 1, left_out: [{ path: "out/users", why: "a link out of the working directory" }] },
      },
      {
        ...{ ...part, agent: "local-0", phase: "fail", folder: folder("local-0/fail"), files_total: 1, bytes_total: 8 },
        files: [{ path: "log-local-0", bytes: 8 }],
      },
      {
        ...{
          ...part,
          agent: "local-1",
          phase: "tasks",
          folder: folder("local-1/tasks"),
          files_total: 2,
          bytes_total: 4,
        },
        files: ["task-x", "task-y"].map((path) => ({ path, bytes: 2 })),
      },
    ]);
    const again = await bench.run(["run", "plan.yml", "--agents", "2", "--collect-to", "kept"]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("expected a folder that is empty") });
  });

  it("are there after Ctrl-C, in a folder of the run's own", async () => {
    bench.file(
      "plan.yml",
      `stages: [{ name: load, run: "echo 1 > log; touch begun; sleep 60", collect: [.] }, { name: cleanup, run: rm log }]\n`,
    );
    const { child, outcome } = bench.start(["run", "plan.yml"]);
    for (let tries = 0; tries < 1_000 && !existsSync(join(bench.directory, "begun")); tries += 1) await sleep(20);
    child.kill("SIGINT");
    const { code, stdout } = await outcome;
    expect(code).toBe(130);
    expect(JSON.parse(stdout).collected).toMatchObject([
      { phase: "load", files: expect.arrayContaining([{ path: "log", bytes: 2 }]) },
    ]);
    expect(existsSync(join(bench.directory, "log"))).toBe(false);
    const files = filesIn("stagewright-collected");
    expect(files).toContainEqual(expect.stringMatching(/^plan \d{4}-\d\d-\d\dT[\d.-]+Z\/local-0\/load\/log$/));
    expect(files.filter((file) => !file.includes("/load/"))).toEqual([]);
  });
});

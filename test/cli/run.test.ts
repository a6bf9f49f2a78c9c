import { readdirSync } from "node:fs";
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

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1_000 && !holds(); tries += 1) await sleep(20);
}

function has(name: string): boolean {
  try {
    return bench.read(name) !== "";
  } catch {
    return false;
  }
}

const statuses = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    JSON.parse(stdout).phase_results.map((phase: { phase: string; status: string }) => [phase.phase, phase.status]),
  );

describe("run, without room for temporary files", () => {
  it.each([
    ["a directory that is not there", { TMPDIR: "missing" }, {}, /TMPDIR \(missing\): .*ENOENT/],
    ["one of a runner", { RUNNER_TEMP: "missing" }, {}, /RUNNER_TEMP \(missing\): .*ENOENT/],
    ["a full disk", { NODE_DISABLE_COMPILE_CACHE: "1" }, { before: "ulimit -f 0" }, /TMPDIR \(.*\): .*EFBIG/],
  ])("says what to do before anything has run, and ends: %s", async (_, env, files, said) => {
    bench.file("plan.yml", `stages: [{ name: a, run: "echo ran > ran" }]\n`);
    const { code, stderr, ms } = await bench.start(["run", "plan.yml"], env, files).outcome;
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(said) });
    expect(stderr).toMatch(/^.*; free space there, or give \w+ a directory that can be written to\n$/);
    expect(has("ran")).toBe(false);
    expect(readdirSync(bench.directory).filter((name) => name.startsWith("stagewright-"))).toEqual([]);
    expect(ms).toBeLessThan(60_000);
  });
});

describe("run, with output that cannot be written", () => {
  const PLAN = `stages:
  - { name: save, run: "for i in 1 2 3; do echo line; sleep 0.1; done; echo saved >> done" }
  - { name: cleanup, run: "echo cleaned >> done" }
`;

  it("goes on without its log, cleanup included, and prints the result", async () => {
    bench.file("plan.yml", PLAN);
    const { code, stdout } = await bench.start(["run", "plan.yml"], {}, { stderr: "/dev/full" }).outcome;
    expect(bench.read("done")).toBe("saved\ncleaned\n");
    expect({ code, statuses: statuses(stdout) }).toEqual({
      code: 0,
      statuses: { save: "success", cleanup: "success" },
    });
  });

  it("says in one line that the result could not be printed, and exits 1", async () => {
    bench.file("plan.yml", PLAN);
    const { code, stderr } = await bench.start(["run", "plan.yml", "-o", "o.json"], {}, { stdout: "/dev/full" })
      .outcome;
    expect(code).toBe(1);
    expect(stderr.match(/^.*ENOSPC.*$/gm)).toEqual([
      expect.stringMatching(/^stdout: the result could not be written: ENOSPC/),
    ]);
    expect(stderr).not.toContain("    at ");
    expect(JSON.parse(bench.read("o.json")).success).toBe(true);
  });

  it("exits 1 when only a part of the result fits", async () => {
    bench.file("plan.yml", PLAN);
    const cli = bench.start(
      ["run", "plan.yml"],
      { NODE_DISABLE_COMPILE_CACHE: "1" },
      { stdout: `${bench.directory}/out`, before: "ulimit -f 1" },
    );
    const { code, stderr } = await cli.outcome;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("the result could not be written") });
  });

  it("leaves no part of a file of results behind", async () => {
    bench.file("plan.yml", PLAN);
    const env = { NODE_DISABLE_COMPILE_CACHE: "1" };
    const { code, stdout, stderr } = await bench.start(["run", "plan.yml", "-o", "o.json"], env, {
      before: "ulimit -f 1",
    }).outcome;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/--output-file o\.json: could not be .*EFBIG/),
    });
    expect(JSON.parse(stdout).success).toBe(true);
    expect(readdirSync(bench.directory).filter((name) => name.includes("o.json"))).toEqual([]);
  });

  it.each([["--version"], ["schema plan"], ["validate plan.yml"]])("exits 1 after one line: %s", async (words) => {
    bench.file("plan.yml", PLAN);
    const { code, stderr } = await bench.start(words.split(" "), {}, { stdout: "/dev/full" }).outcome;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^stagewright: stdout could not be written: .*ENOSPC.*\n$/);
  });
});

describe("run", () => {
  it("fails when a generator lists two tasks of one key, and warns when it lists none", async () => {
    bench.file(
      "twice.yml",
      `stages: [{ name: t, tasks: { from: "echo 1; echo '{\\"id\\":\\"1\\"}'" }, run: "true" }]\n`,
    );
    bench.file("none.yml", `stages: [{ name: t, tasks: { from: "true" }, run: "true" }]\n`);
    const [twice, none] = await Promise.all([bench.run(["run", "twice.yml"]), bench.run(["run", "none.yml"])]);
    expect({ code: twice.code, message: JSON.parse(twice.stdout).message }).toEqual({
      code: 1,
      message: expect.stringContaining('lines 1 and 2: two tasks have the key "1"'),
    });
    expect(none.code).toBe(0);
    expect(statuses(none.stdout)).toEqual({ t: "warning" });
    expect(none.stderr).toContain("no tasks were listed");
  });

  it("fails, and runs no green zero, when a generator prints no JSON", async () => {
    bench.file(
      "plan.yml",
      `stages: [{ name: t, tasks: { from: "echo nope.dat; echo '{bad'; echo x" }, run: "echo ran" }]\n`,
    );
    const { code, stdout, stderr } = await bench.run(["run", "plan.yml"]);
    expect(code).toBe(1);
    const said = 't: its tasks could not be listed: line 1 is not JSON: "nope.dat"; print one JSON value a line';
    expect(JSON.parse(stdout).message).toContain(said);
    expect(stderr.match(/the task generator's output/g)).toHaveLength(1);
  });

  it("goes through the stages and prints the result on stdout, the log on stderr", async () => {
    bench.file(
      "plan.yml",
      `stages:
  - { name: preflight, run: echo checked }
  - { name: prepare, run: "stagewright emit rows=3" }
  - { name: epoch, duration: 1s, run: "echo rows $STAGEWRIGHT_OUTPUT_PREPARE_ROWS; sleep 60" }
  - { name: cleanup, run: echo wiped }
`,
    );
    const { code, stdout, stderr } = await bench.run(["run", "plan.yml", "-o", "result.json"]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ success: true, verdict: "success", failed_stage: null });
    expect(statuses(stdout)).toEqual({
      preflight: "success",
      prepare: "success",
      epoch: "success",
      cleanup: "success",
    });
    expect(result.phase_results[1].output_data).toEqual({ rows: 3 });
    expect(bench.read("result.json")).toBe(stdout);
    for (const text of ["checked", "rows 3", "wiped", "── epoch (3 of 4)", "✓ epoch", "✓ succeeded"])
      expect(stderr).toContain(text);
    expect(stderr).not.toContain("\u001b");
  });

  it("exits 1 when a stage fails, still cleans up, and names stage, reason and line", async () => {
    bench.file(
      "plan.yml",
      `stages:
  - { name: prepare, run: "true" }
  - { name: checkpoint-1, run: "echo no space left; exit 3" }
  - { name: epoch-2, run: touch ran }
  - { name: cleanup, run: echo wiped }
`,
    );
    const { code, stdout, stderr } = await bench.run(["run", "plan.yml"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ success: false, verdict: "failure", failed_stage: "checkpoint-1" });
    expect(statuses(stdout)).toEqual({
      prepare: "success",
      "checkpoint-1": "failure",
      "epoch-2": "skipped",
      cleanup: "success",
    });
    expect(stderr).toMatch(/✗ checkpoint-1.*exit code 3/);
    expect(stderr).toContain("plan.yml:3");
    expect(stderr).toContain("wiped");
    expect(has("ran")).toBe(false);
  });

  it("goes on after an optional stage fails, with a warning", async () => {
    bench.file("plan.yml", "stages: [{ name: a, run: exit 1, optional: true }, { name: b, run: 'true' }]");
    const { code, stdout } = await bench.run(["run", "plan.yml"]);
    expect(code).toBe(0);
    expect(statuses(stdout)).toEqual({ a: "warning", b: "success" });
  });

  it("tries again as the plan says, with pauses, as new attempts", async () => {
    bench.file(
      "plan.yml",
      `stages: [{ name: a, retry: { max_attempts: 3, backoff: 100ms }, run: 'echo "$STAGEWRIGHT_ATTEMPT" >> attempts; test $(wc -l < attempts) = 3' }]`,
    );
    const { code, stdout } = await bench.run(["run", "plan.yml"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).phase_results[0]).toMatchObject({ status: "success", retry_count: 2 });
    expect(new Set(bench.read("attempts").trim().split("\n")).size).toBe(3);
  });

  it.each([
    ["a command that cannot be started", "{ name: a, command: ./absent, args: [x] }", "absent"],
    ["a timeout", "{ name: a, timeout: 1s, run: sleep 60 }", "timed out"],
    ["a signal", "{ name: a, run: kill -KILL $$ }", "SIGKILL"],
  ])("fails by %s, naming it", async (_, stage, reason) => {
    bench.file("plan.yml", `stages:\n  - ${stage}\n`);
    const { code, stdout } = await bench.run(["run", "plan.yml"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).phase_results[0].error).toContain(reason);
  });

  it("sets parameters, and commands see them without any injection", async () => {
    bench.file(
      "plan.yml",
      "params: { who: { type: string, default: x } }\nstages: [{ name: a, run: 'echo \"to $STAGEWRIGHT_PARAM_WHO\"' }]",
    );
    const { stderr } = await bench.run(["run", "plan.yml", "--param", "who=$(touch ran) `touch ran`"]);
    expect(stderr).toContain("to $(touch ran) `touch ran`");
    expect(has("ran")).toBe(false);
  });

  it("hides what a command masks, in log and result", async () => {
    bench.file(
      "plan.yml",
      `stages: [{ name: a, run: 'v=hunter$((1+1)); echo "::add-mask::$v"; echo "it is $v"; stagewright emit v=$v; exit 1' }]`,
    );
    const { stdout, stderr } = await bench.run(["run", "plan.yml"]);
    expect(`${stdout}${stderr}`).not.toContain("hunter2");
    expect(stderr).toContain("it is ***");
  });

  it("is not hurt when nobody reads its output", async () => {
    bench.file("plan.yml", "stages: [{ name: a, run: seq 1 20000 }, { name: cleanup, run: echo x > cleaned }]");
    const { child, outcome } = bench.start(["run", "plan.yml"]);
    child.stdout?.destroy();
    child.stderr?.destroy();
    expect(await outcome).toMatchObject({ code: 0 });
    expect(has("cleaned")).toBe(true);
  });
});

describe("phase control", () => {
  const PLAN = `stages:
  - { name: prepare, run: echo x > prepared }
  - { name: epoch, depends_on: [prepare], run: echo x > trained }
  - { name: last, run: echo x > lasted }
  - { name: cleanup, run: echo x > cleaned }
`;
  it.each([
    [["--only-stage", "prepare"], ["prepared"]],
    [
      ["--only-stage", "0,cleanup"],
      ["prepared", "cleaned"],
    ],
    [["--only-phase", "3"], ["cleaned"]],
    [
      ["--stop-after-stage", "epoch"],
      ["prepared", "trained"],
    ],
    [["--stop-after-phase", "0"], ["prepared"]],
    [
      ["--skip-stages", "last"],
      ["prepared", "trained", "cleaned"],
    ],
    [
      ["--skip-phases", "epoch", "--skip-phases", "2"],
      ["prepared", "cleaned"],
    ],
  ])("%j runs exactly what it names", async (args, files) => {
    bench.file("plan.yml", PLAN);
    expect(await bench.run(["run", "plan.yml", ...args])).toMatchObject({ code: 0 });
    expect(["prepared", "trained", "lasted", "cleaned"].filter(has)).toEqual(files);
  });

  it("refuses what leaves out a stage that another needs, before anything runs", async () => {
    bench.file("plan.yml", PLAN);
    const { code, stderr } = await bench.run(["run", "plan.yml", "--skip-stages", "prepare"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("prepare") });
    expect(["prepared", "trained", "lasted", "cleaned"].filter(has)).toEqual([]);
  });

  it("says with --dry-run what would run and why the rest would not, and runs nothing", async () => {
    bench.file("plan.yml", PLAN);
    const { code, stdout } = await bench.run(["run", "plan.yml", "--dry-run", "--stop-after-stage", "epoch"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/0 ✓ prepare/);
    expect(stdout).toMatch(/1 ✓ epoch.*needs prepare/);
    expect(stdout).toMatch(/2 - last: skipped, it comes after/);
    expect(["prepared", "trained", "lasted", "cleaned"].filter(has)).toEqual([]);
  });
});

describe("signals", () => {
  const PLAN = `stages:
  - { name: work, run: "sleep 1001 & setsid sleep 1002 & echo x > up; sleep 1003" }
  - { name: next, run: echo x > next }
  - { name: cleanup, run: echo x > cleaned }
`;
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s ends the stage with its grandchildren, cleans up and exits %i before any grace of half a minute is over",
    async (signal, code) => {
      bench.file("plan.yml", PLAN);
      const { child, outcome } = bench.start(["run", "plan.yml"]);
      await until(() => has("up"));
      const began = performance.now();
      child.kill(signal);
      const ended = await outcome;
      expect({ code: ended.code, stderr: ended.stderr }).toMatchObject({ code });
      expect(performance.now() - began).toBeLessThan(20_000);
      expect(has("cleaned")).toBe(true);
      expect(has("next")).toBe(false);
      expect(JSON.parse(ended.stdout)).toMatchObject({ success: false, verdict: "cancelled" });
    },
  );

  it("a second Ctrl-C skips cleanup", async () => {
    bench.file(
      "plan.yml",
      `stages: [{ name: work, run: "echo x > up; sleep 1004" }, { name: cleanup, run: "echo x > cleaning; sleep 1005; echo x > cleaned" }]`,
    );
    const { child, outcome } = bench.start(["run", "plan.yml"]);
    await until(() => has("up"));
    child.kill("SIGINT");
    await until(() => has("cleaning"));
    child.kill("SIGINT");
    expect(await outcome).toMatchObject({ code: 130 });
    expect(has("cleaned")).toBe(false);
  });

  it("a hangup ends the run, which is still reported", async () => {
    bench.file("plan.yml", PLAN);
    const { child, outcome } = bench.start(["run", "plan.yml"]);
    await until(() => has("up"));
    child.kill("SIGHUP");
    const { code, stdout } = await outcome;
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "cancelled" });
  });

  it("leaves nothing behind when it is killed outright", async () => {
    bench.file("plan.yml", PLAN);
    const { child, outcome } = bench.start(["run", "plan.yml"]);
    await until(() => has("up"));
    child.kill("SIGKILL");
    await outcome;
    await until(() => bench.processes().length === 0);
  });
});

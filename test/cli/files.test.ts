import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench } from "./cli.ts";

let bench: Bench;
beforeAll(() => {
  bench = new Bench();
});
afterAll(() => bench.dispose());

const BAD = `stages:
  - name: one
    timeot: 5m
    run: true.sh
  - name: two
    type: executee
    run: x
  - name: two
    timeout: soon
    run: x
  - name: three
    retry: { max_attempts: 0 }
    run: x
`;

describe("validate", () => {
  it("says ok and how many stages, for each file", async () => {
    bench.file("a.yml", "stages: [{ name: a, run: 'true' }, { name: b, run: 'true' }]");
    bench.file("b.yml", "stages: [{ name: a, run: 'true' }]");
    expect(await bench.run(["validate", "a.yml", "b.yml"])).toMatchObject({
      code: 0,
      stdout: "a.yml: ok, 2 stages\nb.yml: ok, 1 stage\n",
      stderr: "",
    });
  });

  it("says everything that is wrong with all files, with positions, and exits 2", async () => {
    bench.file("bad.yml", BAD);
    bench.file("good.yml", "stages: [{ name: a, run: 'true' }]");
    const { code, stdout } = await bench.run(["validate", "bad.yml", "good.yml"]);
    expect(code).toBe(2);
    const positions = [...stdout.matchAll(/^bad\.yml:(\d+):\d+: error: /gm)].map(([, line]) => Number(line));
    expect(positions).toEqual([3, 6, 8, 9, 12]);
    expect(stdout).toContain("good.yml: ok, 1 stage");
  });

  it("gives a clear error for what is no plan, within seconds and without a stack trace", async () => {
    mkdirSync(join(bench.directory, "directory"));
    bench.file("empty.yml", "");
    bench.file("binary.yml", Buffer.from([0, 255, 254, 1, 2, 3, 128]));
    bench.file("huge.yml", `stages:\n${"  - { name: a, run: x }\n".repeat(500_000)}`);
    bench.file("deep.yml", "[".repeat(50_000));
    bench.file(
      "bomb.yml",
      `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
        .split("")
        .map((name, n) => `${name}: &${name} [${`*${"abcdefgh"[n]},`.repeat(9)}]\n`)
        .join("")}`,
    );
    bench.file("proto.yml", "__proto__: { a: 1 }\nstages: [{ name: a, run: x, __proto__: 1 }]");
    const files = [
      "directory",
      "absent.yml",
      "empty.yml",
      "binary.yml",
      "huge.yml",
      "deep.yml",
      "bomb.yml",
      "proto.yml",
    ];
    const outcomes = await Promise.all([
      bench.run(["validate", "/dev/zero"]),
      ...files.map((file) => bench.run(["validate", file])),
    ]);
    for (const { code, stdout, stderr } of outcomes) {
      expect(code).toBe(2);
      expect(stdout).not.toBe("");
      expect(`${stdout}${stderr}`).not.toMatch(/\n\s+at .*\(|node:internal/);
    }
    expect(outcomes[1]?.stdout).toBe("directory: is a directory, expected a file\n");
    expect(outcomes[2]?.stdout).toBe("absent.yml: there is no such file\n");
  });
});

describe("usage", () => {
  it.each(["--version", "-V"])("says its version for %s", async (word) => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(await bench.run([word])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it.each([
    [["run"], "missing required argument"],
    [["run", "absent.yml"], "absent.yml: there is no such file"],
    [["run", "bad.yml"], "bad.yml:3:5: error:"],
    [["frobnicate"], "unknown command"],
    [["run", "good.yml", "--frob"], "unknown option"],
    [["run", "good.yml", "--only-stage", "x"], "there is no stage"],
    [["run", "good.yml", "--only-stage", "a", "--only-phase", "a"], "expected one of them"],
    [["run", "good.yml", "--only-stage", "a", "--stop-after-stage", "a"], "contradict"],
    [["run", "good.yml", "--skip-stages", "a"], "no stage is left"],
    [["run", "good.yml", "--param", "nonsense"], "name=value"],
    [["run", "good.yml", "--param", "a=1", "--param", "a=2"], "given twice"],
    [["run", "good.yml", "--param", "unknown=1"], "unknown"],
    [["run", "good.yml", "--output-file", "no/where.json"], "its directory is not there"],
    [["run", "good.yml", "--agent-name", "a\u001bb"], "agent-name"],
    [["run", "good.yml", "--agents", "0"], "Expected a number from 1 to 256"],
    [["run", "group.yml", "--agents", "3"], "says 4, expected the same or nothing"],
    [["run", "good.yml", "-i"], "--interactive: there is no terminal to ask at"],
    [["run", "good.yml", "-i", "--dry-run"], "--interactive and --dry-run contradict each other"],
    [["run", "good.yml", "-i", "-f", "-"], "--interactive and --input-file - contradict each other"],
    [["run", "good.yml", "-f", "x"], "x: there is no such file"],
    [["run", "good.yml", "-f", "input.yml"], "input.yml:2:1: error:"],
    [["run", "good.yml", "--input-file", "list.json"], "list.json:1:1: error: expected a mapping"],
    [["sandbox", "--runners", "x"], "--runners takes a number from 0 to 64"],
    [["schema", "nothing"], 'expected "plan", "policy" or "result"'],
    [["report", "nowhere.json"], "there is no such file"],
    [["report", "good.yml", "--format", "pdf"], "expected summary | html | json"],
    [["report", "good.yml", "--better", "bigger"], "belongs to --format github-action-benchmark"],
    [["emit", "a=1"], "STAGEWRIGHT_EVENTS is not set"],
    [["emit", "=1"], "is not key=value"],
    [["run", "person.yml"], "waits for a person, and there is no terminal"],
  ])("%j exits 2, says %s, and runs nothing", async (args, message) => {
    bench.file("bad.yml", BAD);
    bench.file("good.yml", "stages: [{ name: a, run: touch ran }]");
    bench.file("input.yml", "prompt: [1\n");
    bench.file("list.json", "[1]");
    bench.file("person.yml", "stages: [{ name: a, run: touch ran }, { name: b, run: touch ran, checkpoint: true }]");
    bench.file("group.yml", "agents: 4\nstages: [{ name: a, run: touch ran }]");
    const { code, stdout, stderr } = await bench.run(args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
    expect(stdout).toBe("");
    expect(() => bench.read("ran")).toThrow();
  });

  it("takes what follows an option for its value, whatever it begins with", async () => {
    const run = "-VOpuHwM0NaOFT7NLgmuAS";
    const { stderr } = await bench.run(
      ["agent", "--coordinator", "http://127.0.0.1:1", "--run", run, "--agent-name", "a"],
      { STAGEWRIGHT_COORDINATOR_SECRET: "a".repeat(43) },
    );
    expect(stderr).toContain(`--run ${run}:`);
  });

  it("prints the JSON Schema of plans", async () => {
    const { code, stdout } = await bench.run(["schema", "plan"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).$schema).toContain("json-schema.org");
  });
});

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench } from "./cli.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(async () => {
  for (let tries = 0; tries < 100 && bench.processes().length > 0; tries += 1) await sleep(100);
  expect(bench.processes()).toEqual([]);
  bench.dispose();
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_500 && !holds(); tries += 1) await sleep(20);
  if (!holds()) throw new Error("it did not come to that");
}

const count = (file: string): number => {
  try {
    return bench.read(file).split("\n").length - 1;
  } catch {
    return 0;
  }
};

const PLAN = `name: group
stages:
  - { name: prepare, runs_on: first, run: stagewright emit rows=3 }
  - { name: work, run: 'echo "rows $STAGEWRIGHT_OUTPUT_PREPARE_ROWS"; echo in >> worked' }
  - { name: cleanup, run: 'echo "$STAGEWRIGHT_AGENT_NAME" >> cleaned' }
`;

/** Holds agents where they are about to be gone. */
const HOLD = `import { appendFileSync, existsSync } from "node:fs";
if (process.argv[2] === "agent")
  process.on("exit", () => {
    appendFileSync("held", process.pid + "\\n");
    while (!existsSync("go")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  });
`;

/** Ended, whether or not its parent has heard of it. */
function isDead(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/su.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

describe("run --agents", () => {
  it("runs the plan by that many processes and prints one merged result", async () => {
    bench.file("plan.yml", PLAN);
    const { code, stdout, stderr } = await bench.run(["run", "plan.yml", "--agents", "3"]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const result = JSON.parse(stdout);
    expect(result.verdict).toBe("success");
    expect(result.phase_results[1].agents.map(({ agent }: { agent: string }) => agent)).toEqual([
      "local-0",
      "local-1",
      "local-2",
    ]);
    expect(result.phase_results[0].agents).toHaveLength(1);
    for (const name of ["local-0", "local-1", "local-2"]) expect(stderr).toContain(`${name} | rows 3`);
    expect(count("cleaned")).toBe(3);
  });

  it("says each thing once, though all of its agents hear it", async () => {
    const fails = '[ -e "tried-$STAGEWRIGHT_AGENT_INDEX" ] || { touch "tried-$STAGEWRIGHT_AGENT_INDEX"; exit 3; }';
    bench.file(
      "plan.yml",
      `stages:
  - { name: flaky, run: '${fails}', retry: { max_attempts: 2, backoff: 100ms } }
  - { name: broken, run: '[ "$STAGEWRIGHT_AGENT_INDEX" != 1 ]' }
`,
    );
    const { code, stderr } = await bench.run(["run", "plan.yml", "--agents", "4"]);
    expect({ code, stderr }).toMatchObject({ code: 1 });
    const said = stderr.split("\n").filter((line) => line.includes("next in"));
    expect(said.toSorted()).toEqual(
      [0, 1, 2, 3].map((n) => expect.stringMatching(`^local-${n} \\| flaky: local-${n}'s attempt 1 of 2 failed`)),
    );
    expect(stderr.split("\n").filter((line) => line.includes("aborting: "))).toHaveLength(1);
  });

  it("fails when the one that lists the tasks prints no JSON, over the wire, too", async () => {
    bench.file("plan.yml", `stages: [{ name: t, tasks: { from: "echo 1; echo nope" }, run: "echo ran >> worked" }]\n`);
    const { code, stdout, stderr } = await bench.run(["run", "plan.yml", "--agents", "2"]);
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(JSON.parse(stdout).message).toContain('its tasks could not be listed: line 2 is not JSON: "nope"');
    expect(count("worked")).toBe(1);
  });

  it("ends at once when its agents end before they joined, naming each", async () => {
    bench.file("plan.yml", PLAN);
    bench.file("hold.mjs", HOLD);
    // Where nothing can be written no agent can begin.
    const { child, outcome } = bench.start(["run", "plan.yml", "--agents", "2"], {
      TMPDIR: `${bench.directory}/missing`,
      NODE_OPTIONS: `--import=${bench.directory}/hold.mjs`,
    });
    await until(() => count("held") === 2);
    const agents = bench.read("held").trim().split("\n").map(Number);
    // However busy the machine is, it hears of both ends together: they come while it cannot hear of any.
    child.kill("SIGSTOP");
    bench.file("go", "");
    await until(() => agents.every(isDead));
    child.kill("SIGCONT");
    const { code, stdout, stderr, ms } = await outcome;
    expect({ code, stderr }).toMatchObject({ code: 1 });
    const { verdict, message } = JSON.parse(stdout);
    expect(verdict).toBe("failure");
    expect(message).toMatch(/^only 0 of 2 agents can be there: local-\d exited with \d, local-\d exited with \d$/);
    expect(ms).toBeLessThan(60_000);
  });

  it("ends at once when one of its agents is killed before all have joined, the others after it", async () => {
    bench.file("plan.yml", PLAN);
    const { child, outcome } = bench.start(["run", "plan.yml", "--agents", "3"]);
    const first = "--agent-name\0local-1\0";
    await until(() => bench.processes().some((line) => line.includes(first)));
    process.kill(bench.pidOf(first), "SIGKILL");
    const { code, stdout } = await outcome;
    expect(child.exitCode).toBe(1);
    expect({ code, message: JSON.parse(stdout).message }).toEqual({
      code: 1,
      message: "only 2 of 3 agents can be there: local-1 was ended by SIGKILL",
    });
    expect(count("worked")).toBe(0);
  });

  it("ends at once when its agents are killed at work, without waiting until they count as lost", async () => {
    bench.file(
      "plan.yml",
      PLAN.replace("stages:", "liveness: { lost_after: 10m }\nstages:").replace("echo in >>", "sleep 60; echo in >>"),
    );
    const { outcome } = bench.start(["run", "plan.yml", "--agents", "2"]);
    const agents = ["local-0", "local-1"].map((name) => `--agent-name\0${name}\0`);
    await until(() => agents.every((agent) => bench.processes().some((line) => line.includes(agent))));
    await until(() => bench.processes().filter((line) => /^sleep\b/u.test(line)).length === 2);
    for (const agent of agents) process.kill(bench.pidOf(agent), "SIGKILL");
    const { code, stdout } = await outcome;
    expect(code).toBe(1);
    expect(JSON.parse(stdout).message).toContain("is gone for good: local-0 was ended by SIGKILL");
  });

  it("has its agents reach each other on this machine, wherever the plan has them", async () => {
    bench.file(
      "plan.yml",
      `agents: [{ address: "node1:7761" }, { address: "node2:7762" }, { address: "127.0.0.1:80" }]
roles: { server: 3 }
stages:
  - { name: work, run: 'echo "$STAGEWRIGHT_ADDRESS_SERVER_0 $STAGEWRIGHT_ADDRESS_SERVER_1 $STAGEWRIGHT_ADDRESS_SERVER_2"' }
`,
    );
    const { code, stderr } = await bench.run(["run", "plan.yml"]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toContain("agent-0 | 127.0.0.1:7761 127.0.0.1:7762 127.0.0.1:80");
    const said = stderr.split("\n").filter((line) => line.includes("on this machine: their addresses are 127.0.0.1"));
    expect(said).toEqual([expect.stringContaining("not node1:7761, node2:7762, 127.0.0.1:80 as in the plan")]);
  });

  it("exits 1 when one agent fails, naming it, after all have cleaned up", async () => {
    bench.file("plan.yml", PLAN.replace("echo in >> worked", '[ "$STAGEWRIGHT_AGENT_INDEX" != 1 ]'));
    const { code, stdout } = await bench.run(["run", "plan.yml", "--agents", "3"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "failure", failed_stage: "work" });
    expect(JSON.parse(stdout).message).toContain("local-1");
    expect(count("cleaned")).toBe(3);
  });

  it("takes the size of the group from the plan, and refuses another one", async () => {
    bench.file("plan.yml", PLAN.replace("stages:", "agents: 2\nstages:"));
    const { code, stdout } = await bench.run(["run", "plan.yml"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).phase_results[1].agents).toHaveLength(2);
    const refused = await bench.run(["run", "plan.yml", "--agents", "3"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("plan.yml:2:1 says 2");
  });

  it("ends all agents on Ctrl-C, after their cleanup, and exits 130", async () => {
    bench.file("plan.yml", PLAN.replace("echo in >> worked", "echo in >> worked; sleep 60"));
    const { child, outcome } = bench.start(["run", "plan.yml", "--agents", "3"]);
    await until(() => count("worked") === 3);
    child.kill("SIGINT");
    const { code, stdout } = await outcome;
    expect(code).toBe(130);
    expect(JSON.parse(stdout).verdict).toBe("cancelled");
    expect(count("cleaned")).toBe(3);
  });

  it("leaves no process behind when the coordinating one is killed", async () => {
    bench.file("plan.yml", PLAN.replace("echo in >> worked", "echo in >> worked; sleep 60"));
    const { child, outcome } = bench.start(["run", "plan.yml", "--agents", "2"]);
    await until(() => count("worked") === 2);
    child.kill("SIGKILL");
    await outcome;
    await until(() => bench.processes().length === 0);
    expect(count("cleaned")).toBe(2);
  });
});

describe("agent", () => {
  it("joins in the place of a lost one, with the secret that both were given", async () => {
    bench.file(
      "plan.yml",
      `liveness: { heartbeat_interval: 500ms, warn_after: 1s, lost_after: 30s }
stages:
  - { name: work, run: 'echo "$STAGEWRIGHT_AGENT_NAME" >> worked; until [ -e go ]; do sleep 0.1; done' }
`,
    );
    const secret = { STAGEWRIGHT_COORDINATOR_SECRET: "a-secret-for-both-of-them-that-is-long-enough" };
    const { child, outcome } = bench.start(["run", "plan.yml", "--agents", "2"], secret);
    let log = "";
    child.stderr?.on("data", (text) => {
      log += text;
    });
    await until(() => count("worked") === 2);
    const line = /stagewright (agent --coordinator \S+ --run \S+ --agent-name) NAME/u.exec(log)?.[1]?.split(" ") ?? [];
    expect(line, log).not.toEqual([]);
    const asServer = await bench.run([...line, "local-1", "--role", "server"], secret);
    expect(asServer).toMatchObject({ code: 2, stderr: "--role server: the plan has no roles\n" });
    expect((await bench.run([...line, "extra"], secret)).stderr).toContain("extra is none of them");
    const other = { STAGEWRIGHT_COORDINATOR_SECRET: "another-secret-that-is-just-as-long-as-theirs" };
    expect((await bench.run([...line, "local-1"], other)).stderr).toContain("not the secret");
    process.kill(bench.pidOf("--agent-name\0local-1\0"), "SIGKILL");
    // Until the one before has been silent for `warn_after` its place is its own.
    const joined = (async () => {
      let said = await bench.run([...line, "local-1"], secret);
      while (said.stderr.includes("is held by another session")) said = await bench.run([...line, "local-1"], secret);
      return said;
    })();
    await until(() => count("worked") === 3);
    bench.file("go", "");
    expect(await joined).toMatchObject({ code: 0 });
    const end = await outcome;
    expect(end.code, end.stderr).toBe(0);
  });

  it("is no group's agent with a secret that can be guessed", async () => {
    bench.file("plan.yml", PLAN);
    const { code, stderr } = await bench.run(["run", "plan.yml", "--agents", "2"], {
      STAGEWRIGHT_COORDINATOR_SECRET: "guess",
    });
    expect(code).toBe(2);
    expect(stderr).toContain("STAGEWRIGHT_COORDINATOR_SECRET has 5 characters; expected at least 32");
  });

  it("refuses to start without its secret, and without a coordinator", async () => {
    const args = ["agent", "--coordinator", "http://127.0.0.1:1", "--run", "x", "--agent-name", "a"];
    const without = await bench.run(args);
    expect(without.code).toBe(2);
    expect(without.stderr).toContain("STAGEWRIGHT_COORDINATOR_SECRET");
    const alone = await bench.run(args, { STAGEWRIGHT_COORDINATOR_SECRET: "s" });
    expect(alone.code).toBe(2);
    expect(alone.stderr).toContain("127.0.0.1:1");
  });
});

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Agent, type AgentOptions, cleanUp, createAgent } from "../../src/agent/agent.ts";
import type { AgentEvent } from "../../src/agent/log.ts";
import { AgentLoop } from "../../src/agent/loop.ts";
import { Masks } from "../../src/agent/masking/masks.ts";
import { SecretVariables } from "../../src/agent/masking/secret-variables.ts";
import { AgentDirectory } from "../../src/agent/process/directory.ts";
import { Processes } from "../../src/agent/process/process.ts";
import type { CoordinatorPort, SyncAnswer } from "../../src/coordinator/protocol/port.ts";
import { Refusal } from "../../src/coordinator/protocol/refusal.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { readPlan } from "../../src/plan/read.ts";
import type { Instruction } from "../../src/run/instruction.ts";
import type { RunSummary } from "../../src/run/result/record.ts";
import type { AttemptReport, Sync } from "../../src/run/types.ts";

let directory = "";
let log: AgentEvent[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-test-"));
  log = [];
});

afterEach(() => {
  // Its own directory must be gone, with all files of attempts.
  expect(readdirSync(directory).filter((name) => name.startsWith("stagewright-"))).toEqual([]);
  rmSync(directory, { recursive: true, force: true });
});

const finish: Instruction = {
  do: "finish",
  summary: { status: "succeeded", verdict: "success", message: "", failedStage: null, phases: [] } satisfies RunSummary,
};

/** A coordinator that says what a test's script says, given all that it was told so far. */
class Scripted implements CoordinatorPort {
  readonly syncs: Omit<Sync, "session" | "agent">[] = [];
  readonly reports: AttemptReport[] = [];
  readonly resets: string[] = [];
  readonly leaves: string[] = [];
  readonly #script: (told: Scripted) => Instruction;
  outputs: SyncAnswer["outputs"] = {};

  constructor(script: (told: Scripted) => Instruction) {
    this.#script = script;
  }

  async join() {
    return { session: "s", now: Date.now() };
  }

  async sync(sync: Omit<Sync, "session" | "agent">, holdMs: number, signal: AbortSignal): Promise<SyncAnswer> {
    this.syncs.push(sync);
    for (const report of sync.finished) {
      if (!this.reports.some(({ attempt }) => attempt === report.attempt)) this.reports.push(report);
    }
    const before = JSON.stringify(this.#script(this));
    const until = performance.now() + Math.min(holdMs, 500);
    while (performance.now() < until && JSON.stringify(this.#script(this)) === before) {
      await sleep(10, undefined, { signal });
    }
    signal.throwIfAborted();
    const roster = { agents: [{ name: "one", index: 0, role: null, roleIndex: 0, address: "10.0.0.1:7000" }] };
    return { instruction: this.#script(this), now: Date.now(), roster, outputs: this.outputs, notices: [] };
  }

  async reset(why: string) {
    this.resets.push(why);
  }

  async leave(why: string) {
    this.leaves.push(why);
  }
}

function planOf(text: string): Plan {
  const { plan, problems } = readPlan(text, "plan.yml");
  if (plan === null) throw new Error(JSON.stringify(problems));
  return plan;
}

function optionsFor(plan: Plan): AgentOptions {
  return {
    plan,
    planFile: "plan.yml",
    key: { repositoryId: "1", runId: "2", attempt: 1, group: "g", plan: plan.name },
    name: "one",
    role: null,
    index: 0,
    address: null,
    workingDirectory: directory,
    environment: { PATH: process.env.PATH, RUNNER_TEMP: directory, "INPUT_GITHUB-TOKEN": "t0ken", GITHUB_SHA: "abc" },
    ownSecrets: [],
    commandLine: [process.execPath, new URL("../../src/cli.ts", import.meta.url).pathname],
    log: (event) => log.push(event),
  };
}

function agentFor(plan: Plan, coordinator: CoordinatorPort): Agent {
  const selection = { only: null, skip: [], stopAfter: null };
  return createAgent({ ...optionsFor(plan), coordinator, selection, agentCount: 1 });
}

function execute(attempt: string, overrides: Partial<Extract<Instruction, { do: "execute" }>> = {}): Instruction {
  return {
    do: "execute",
    stage: 0,
    attempt,
    attemptNumber: 1,
    startAt: 0,
    until: { at: Date.now() + 3_600_000, limit: "timeout" },
    partition: null,
    leases: [],
    tasksOnly: false,
    ...overrides,
  };
}

const wait = (overrides: Partial<Extract<Instruction, { do: "wait" }>> = {}): Instruction => ({
  do: "wait",
  reason: "barrier",
  stage: 0,
  who: [],
  since: 0,
  until: 1,
  ...overrides,
});

const lines = (): string[] => log.flatMap((event) => (event.kind === "output" ? [event.line] : []));

describe("executing", () => {
  it("runs the command, tells what it told, and finishes", async () => {
    const plan = planOf(`
      params: { size: { type: integer, default: 3 } }
      stages:
        - name: train-it
          env: { PLANNED: "yes" }
          run: |
            echo "::add-mask::s3cret"
            echo "out s3cret $STAGEWRIGHT_STAGE $STAGEWRIGHT_PARAM_SIZE $STAGEWRIGHT_AGENT_NAME $PLANNED $STAGEWRIGHT_OUTPUT_PREPARE_ROWS"
            echo "shares $STAGEWRIGHT_PARTITION_START-$STAGEWRIGHT_PARTITION_END of $STAGEWRIGHT_RUN on $(cat $STAGEWRIGHT_HOSTFILE)"
            env | grep -c INPUT_ || true
            cat $STAGEWRIGHT_CONTEXT
            echo "::error file=a.ts,line=2::broken s3cret"
            stagewright emit rows=3 name=s3cret
            echo '{"metric":{"name":"speed","value":2,"agg":"sum"}}' >> $STAGEWRIGHT_EVENTS
            echo '{"progress":{"done":7}}' >> $STAGEWRIGHT_EVENTS
            echo nonsense >> $STAGEWRIGHT_EVENTS
    `);
    const coordinator = new Scripted(({ reports }) =>
      reports.length > 0 ? finish : execute("a-1", { partition: { start: 5, end: 9 } }),
    );
    coordinator.outputs = { prepare: { rows: 12, list: [1] } };
    const end = await agentFor(plan, coordinator).run();
    expect(end).toMatchObject({ kind: "finished", excluded: null });
    const [report] = coordinator.reports;
    expect(report).toMatchObject({
      attempt: "a-1",
      task: null,
      end: { kind: "exited", code: 0 },
      progress: { done: 7, total: null, errors: 0 },
      outputs: { rows: 3, name: "***" },
      annotations: [{ path: "a.ts", line: 2, level: "failure", message: "broken ***" }],
    });
    expect(report?.metrics).toEqual([{ name: "speed", value: 2, unit: "", agg: "sum", count: 1 }]);
    expect(lines()).toEqual([
      "out *** train-it 3 one yes 12",
      "shares 5-9 of 1/2/1/g/plan on 10.0.0.1",
      "0",
      '{"prepare":{"rows":12,"list":[1]}}',
      "failure: broken ***",
    ]);
    expect(log.filter(({ kind }) => kind === "warning")).toEqual([
      expect.objectContaining({ text: expect.stringContaining("line 4 of $STAGEWRIGHT_EVENTS is not JSON") }),
    ]);
    // The plan itself says it, and the mask has to.
    const shown = log.filter(({ kind }) => kind !== "mask");
    expect(JSON.stringify(shown, (key, value) => (key === "stage" ? null : value))).not.toContain("s3cret");
  });

  it.each([
    ["duration", "{ name: s, duration: 1s, run: sleep 60 }", { kind: "time_over", limit: "duration" }],
    [
      "a duration whose command ignores TERM",
      `{ name: s, duration: 500ms, stop_grace: 100ms, run: "trap '' TERM; sleep 60" }`,
      { kind: "time_over", limit: "duration", killed: true },
    ],
    ["duration without a command", "{ name: s, duration: 1s }", { kind: "time_over", limit: "duration" }],
    ["its part's end", "{ name: s, run: sleep 60 }", { kind: "time_over", limit: "timeout" }],
    ["the plan's deadline", "{ name: s, run: sleep 60 }", { kind: "time_over", limit: "deadline" }],
    [
      "an attempt's timeout",
      "{ name: s, retry: { max_attempts: 2, attempt_timeout: 500ms }, run: sleep 60 }",
      { kind: "time_over", limit: "attempt_timeout" },
    ],
    [
      "max_duration",
      "{ name: preflight, max_duration: 1s, run: sleep 60 }",
      { kind: "time_over", limit: "max_duration" },
    ],
    ["nothing to run", "{ name: prepare }", { kind: "no_command" }],
    [
      "a machine that lacks something",
      "{ name: s, checks: [{ variable: GONE }, { variable: PATH }], run: echo never }",
      {
        kind: "checks_failed",
        message: expect.stringMatching(/^1 of 2 checks failed: variable GONE: it is not set \(conf/),
      },
    ],
    [
      "a machine that has it all",
      "{ name: s, type: validation, checks: [{ variable: PATH }] }",
      { kind: "no_command" },
    ],
    ["a failing command", "{ name: s, run: exit 7 }", { kind: "exited", code: 7 }],
    [
      "a threshold",
      `{ name: s, thresholds: { max_errors: 1 }, run: 'echo "{\\"progress\\":{\\"done\\":0,\\"errors\\":2}}" >> $STAGEWRIGHT_EVENTS; sleep 60' }`,
      { kind: "threshold", threshold: "max_errors" },
    ],
  ])("reports the end: %s", async (_, stage, end) => {
    const isOver = "limit" in end && (end.limit === "timeout" || end.limit === "deadline");
    const limit = isOver && end.limit === "deadline" ? "deadline" : "timeout";
    const until = { at: Date.now() + (isOver ? 1_000 : 3_600_000), limit } as const;
    const coordinator = new Scripted(({ reports }) => (reports.length > 0 ? finish : execute("a-1", { until })));
    await agentFor(planOf(`stages:\n  - ${stage}\n`), coordinator).run();
    expect(coordinator.reports[0]?.end).toMatchObject(end);
  });

  it("starts at the group's time, not before", async () => {
    const startAt = Date.now() + 700;
    const coordinator = new Scripted(({ reports }) => (reports.length > 0 ? finish : execute("a-1", { startAt })));
    await agentFor(planOf("stages: [{ name: s, run: 'true' }]"), coordinator).run();
    expect(coordinator.reports[0]?.startedAt).toBeGreaterThanOrEqual(startAt - 5);
  });

  it("tells a report again when the coordinator has forgotten it, and does not run it twice", async () => {
    let told = 0;
    const coordinator = new Scripted(({ syncs }) => {
      told = syncs.filter(({ finished }) => finished.length > 0).length;
      return told >= 2 ? finish : execute("a-1");
    });
    await agentFor(planOf("stages: [{ name: s, run: echo once }]"), coordinator).run();
    expect(told).toBe(2);
    expect(lines()).toEqual(["once"]);
  });
});

describe("being told otherwise", () => {
  it.each([
    ["stop", { do: "stop", stage: 0, why: "the group has enough" }],
    ["abort", { do: "abort", why: "node-2 failed" }],
    ["wait", wait()],
  ] as const)("ends the command on %s and reports it", async (_, instruction) => {
    const coordinator = new Scripted(({ reports, syncs }) => {
      if (reports.length > 0) return finish;
      return syncs.some(({ progress }) => progress?.done === 1) ? instruction : execute("a-1");
    });
    const plan = planOf(
      `liveness: { heartbeat_interval: 100ms }
stages: [{ name: s, run: 'echo "{\\"progress\\":{\\"done\\":1}}" >> $STAGEWRIGHT_EVENTS; sleep 60' }]`,
    );
    await agentFor(plan, coordinator).run();
    expect(coordinator.reports[0]?.end.kind).toBe("stopped");
  });

  it("cleans up on its own when excluded, and says so at the end", async () => {
    let cleaned = false;
    const coordinator = new Scripted(({ syncs }) => {
      cleaned ||= lines().includes("wiped");
      if (cleaned) return finish;
      return syncs.length > 2 ? { do: "exclude", why: "too slow" } : execute("a-1");
    });
    const plan = planOf(
      "liveness: { heartbeat_interval: 100ms }\nstages: [{ name: s, run: sleep 60 }, { name: cleanup, run: echo wiped }]",
    );
    expect(await agentFor(plan, coordinator).run()).toMatchObject({ kind: "finished", excluded: "too slow" });
  });

  it("drops its work on reset, does not report it, and takes the new attempt", async () => {
    const coordinator = new Scripted(({ reports, resets }) => {
      if (reports.length > 0) return finish;
      return execute(resets.length === 0 ? "a-1" : "a-2");
    });
    const agent = agentFor(
      planOf(
        "stages: [{ name: s, run: 'test -e again || first=1; touch again; echo run; test -z $first || sleep 60' }]",
      ),
      coordinator,
    );
    const ended = agent.run();
    while (!lines().includes("run")) await sleep(10);
    agent.reset("SIGHUP");
    await ended;
    expect(coordinator.resets).toEqual(["SIGHUP"]);
    expect(coordinator.reports.map(({ attempt }) => attempt)).toEqual(["a-2"]);
    expect(lines()).toEqual(["run", "run"]);
  });

  it("leaves within seconds though the command is deaf to TERM", async () => {
    const coordinator = new Scripted(() => execute("a-1"));
    const agent = agentFor(
      planOf(`stages: [{ name: s, run: "trap '' TERM; echo up; while :; do sleep 0.1; done" }]`),
      coordinator,
    );
    const ended = agent.run();
    while (!lines().includes("up")) await sleep(10);
    const began = performance.now();
    agent.leave("SIGTERM");
    expect(await ended).toEqual({ kind: "left", why: "SIGTERM", told: true });
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(coordinator.leaves).toEqual(["SIGTERM"]);
  });

  it("passes on what the coordinator refuses, with nothing left running", async () => {
    const coordinator = new Scripted(({ syncs }) => {
      if (syncs.length > 3) throw new Error("another plan");
      return execute("a-1");
    });
    const plan = planOf("liveness: { heartbeat_interval: 100ms }\nstages: [{ name: s, run: sleep 60 }]");
    await expect(agentFor(plan, coordinator).run()).rejects.toThrow("another plan");
    expect(log.filter(({ kind }) => kind === "ended")).toHaveLength(1);
  });
});

describe("tasks", () => {
  it("runs its leases side by side up to its concurrency, values as $1 and as JSON", async () => {
    const waiting = ["a", "b c", "d"].map((value, n) => ({ task: value, value, attempt: `t-${n}` }));
    let most = 0;
    const coordinator = new Scripted(({ reports, syncs }) => {
      const wants = syncs.at(-1)?.wants ?? 0;
      most = Math.max(most, wants);
      const open = waiting.filter(({ attempt }) => !reports.some((report) => report.attempt === attempt));
      return open.length === 0 ? finish : execute("s-1", { tasksOnly: true, leases: open.slice(0, 2) });
    });
    const plan = planOf(
      `stages: [{ name: s, type: prepare, tasks: [a, "b c", d], concurrency: 2, run: 'echo "$1 $STAGEWRIGHT_TASK $STAGEWRIGHT_ATTEMPT"; sleep 0.2' }]`,
    );
    await agentFor(plan, coordinator).run();
    expect(lines().toSorted()).toEqual(['a "a" t-0', 'b c "b c" t-1', 'd "d" t-2']);
    expect(coordinator.reports.map(({ task }) => task).toSorted()).toEqual(["a", "b c", "d"]);
    expect(most).toBe(2);
  });

  it("reports how a command ended that made a directory of its events file", async () => {
    const coordinator = new Scripted(({ reports }) => (reports.length > 0 ? finish : execute("e-1")));
    const run = `mkdir "$STAGEWRIGHT_EVENTS"; echo > "$STAGEWRIGHT_EVENTS/file"`;
    await agentFor(planOf(`stages: [{ name: s, run: '${run}' }]`), coordinator).run();
    expect(coordinator.reports[0]?.end).toEqual({ kind: "exited", code: 0 });
    expect(log.filter(({ kind }) => kind === "warning")).toEqual([
      expect.objectContaining({ text: expect.stringContaining("$STAGEWRIGHT_EVENTS can no longer be read") }),
    ]);
  });

  it("tells the tasks that a generator prints", async () => {
    const coordinator = new Scripted(({ reports, syncs }) => {
      const told = syncs.flatMap(({ addTasks }) => addTasks);
      return reports.length > 0 && told.length >= 2 ? finish : execute("g-1");
    });
    const plan = planOf(
      `stages: [{ name: s, type: prepare, tasks: { from: 'echo 1; echo; echo oops; echo "{\\"id\\":\\"x\\"}"' }, run: 'true' }]`,
    );
    await agentFor(plan, coordinator).run();
    expect(coordinator.syncs.flatMap(({ addTasks }) => addTasks)).toEqual([1, { id: "x" }]);
    expect(log.filter(({ kind }) => kind === "warning")).toHaveLength(1);
  });

  it("tells all that a generator printed before its end, however much that is", async () => {
    const coordinator = new Scripted(({ reports }) => (reports.length > 0 ? finish : execute("g-1")));
    const plan = planOf(`stages: [{ name: s, type: prepare, tasks: { from: "seq 12000" }, run: 'true' }]`);
    await agentFor(plan, coordinator).run();
    const { syncs } = coordinator;
    expect(syncs.flatMap(({ addTasks }) => addTasks)).toEqual(Array.from({ length: 12_000 }, (_, index) => index + 1));
    const end = syncs.findIndex(({ finished }) => finished.length > 0);
    expect(syncs.slice(end + 1).flatMap(({ addTasks }) => addTasks)).toEqual([]);
    expect(coordinator.reports[0]?.end).toEqual({ kind: "exited", code: 0 });
  });

  it("reports a generator whose lines are not JSON, by the first of them, without its secrets", async () => {
    const coordinator = new Scripted(({ reports }) => (reports.length > 0 ? finish : execute("g-1")));
    const plan = planOf(
      `stages: [{ name: s, type: prepare, tasks: { from: 'echo "::add-mask::s3cret"; echo 1; echo "s3cret \u202e"; echo other; echo "{"' }, run: 'true' }]`,
    );
    await agentFor(plan, coordinator).run();
    const [told] = coordinator.reports;
    expect(told?.end.kind).toBe("bad_tasks");
    const message = told?.end.kind === "bad_tasks" ? told.end.message : "";
    expect(message).toMatch(/^line 2 is not JSON: "\*\*\* .*"; print one JSON value a line, .*jq -R/);
    expect(message).not.toMatch(/s3cret|\u202e/);
    expect(log.filter(({ kind }) => kind === "warning")).toHaveLength(1);
  });

  it.each([
    ["is not an event", '{"tasks":"one"}'],
    ["has more than an event takes", `{"tasks":[${"1,".repeat(10_000)}1]}`],
    ["is too long to be read", `{"tasks":["${"x".repeat(300_000)}"]}`],
  ])("reports tasks that are lost because their event %s", async (_, line) => {
    const coordinator = new Scripted(({ reports }) => (reports.length > 0 ? finish : execute("g-1")));
    const plan = planOf(
      `stages: [{ name: s, type: prepare, tasks: { from: 'cat event >> "$STAGEWRIGHT_EVENTS"' }, run: 'true' }]`,
    );
    writeFileSync(join(directory, "event"), `${line}\n`);
    await agentFor(plan, coordinator).run();
    const [told] = coordinator.reports;
    expect(told?.end).toMatchObject({
      kind: "bad_tasks",
      message: expect.stringContaining("line 1 of $STAGEWRIGHT_EVENTS"),
    });
  });
});

describe("waiting", () => {
  it("is told of once and not with each answer, and again when it has become another", async () => {
    const plan = planOf("stages: [{ name: s, run: 'true' }, { name: t, run: 'true' }]");
    const since = Date.now() - 15_000;
    const wait = (reason: "barrier" | "retry", stage: number): Instruction => {
      return { do: "wait", reason, stage, who: [], since, until: since + 90_000 };
    };
    const coordinator = new Scripted(({ syncs }) => {
      if (syncs.length > 8) return finish;
      return syncs.length > 4 ? wait("retry", 1) : wait("barrier", 0);
    });
    await agentFor(plan, coordinator).run();
    expect(log.flatMap((event) => (event.kind === "waiting" ? [event.text] : []))).toEqual([
      expect.stringMatching(/^waiting at the barrier of s for \d+ s/u),
      expect.stringMatching(/^waiting before the next attempt of t for \d+ s/u),
    ]);
  });

  it("stops its work and says so when no answer comes", async () => {
    const plan = planOf("stages: [{ name: s, run: sleep 60 }]");
    const options = optionsFor(plan);
    const around = {
      plan,
      planFile: "plan.yml",
      run: "r",
      workingDirectory: directory,
      inherited: options.environment,
      ownSecrets: [],
      directory: new AgentDirectory({ RUNNER_TEMP: directory }, ["true"]),
      processes: new Processes(() => undefined),
      masks: new Masks(),
      secrets: new SecretVariables([], new Masks(), () => undefined),
      said: new Set<string>(),
      tellsOutput: true,
      collector: null,
      log: options.log,
    };
    const scripted = new Scripted(() => execute("a-1"));
    let asked = 0;
    const coordinator: CoordinatorPort = {
      join: () => scripted.join(),
      reset: (why) => scripted.reset(why),
      leave: (why) => scripted.leave(why),
      sync: (sync, holdMs, signal) => {
        asked += 1;
        if (asked < 3) return scripted.sync(sync, holdMs, signal);
        return new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
        );
      },
    };
    const join_ = {
      key: options.key,
      plan,
      selection: { only: null, skip: [], stopAfter: null },
      agentCount: 1,
      agent: "one",
      role: null,
      index: 0,
      address: null,
    };
    const loop = new AgentLoop({ join: join_, coordinator, around, silenceMs: 1_500 });
    expect(await loop.run()).toMatchObject({ kind: "unreachable", why: expect.stringContaining("has not answered") });
    expect(log.filter(({ kind }) => kind === "ended")).toHaveLength(1);
    around.directory.remove();
  });
});

describe("background commands", () => {
  it("are ready when their port answers, go on in later stages, and end after their last", async () => {
    const port = 20_000 + (process.pid % 10_000);
    const plan = planOf(`
      stages:
        - { name: server, background: true, ready: { port: ${port} }, run: "stagewright emit url=db; sleep 0.3; exec node -e 'require(\\"net\\").createServer().listen(${port})'" }
        - { name: use, run: "echo used" }
        - { name: later, run: "echo later" }
        - { name: cleanup, run: "true" }
    `);
    const isOver = (told: Scripted, attempt: string) => told.reports.some((report) => report.attempt === attempt);
    const coordinator = new Scripted((told) => {
      if (isOver(told, "b-1")) return finish;
      if (isOver(told, "l-1")) return execute("c-1", { stage: 3 });
      if (isOver(told, "u-1")) return execute("l-1", { stage: 2 });
      return told.syncs.some(({ ready }) => ready.includes(0)) ? execute("u-1", { stage: 1 }) : execute("b-1");
    });
    await agentFor(plan, coordinator).run();
    expect(lines()).toEqual(["used", "later"]);
    expect(coordinator.reports.find(({ attempt }) => attempt === "b-1")?.end).toEqual({
      kind: "stopped",
      why: "its last stage is over",
    });
    // What it has told is told when others may rely on it, and with no heartbeat of another stage.
    const telling = coordinator.syncs.filter(({ outputs }) => Object.keys(outputs).length > 0);
    expect(telling.map(({ ready, outputs }) => ({ ready, outputs }))[0]).toEqual({
      ready: [0],
      outputs: { url: "db" },
    });
    expect(telling.every(({ stage }) => stage === 0)).toBe(true);
  });

  it("are ended and begun anew when the group goes back", async () => {
    const plan = planOf(`
      stages:
        - { name: prepare, run: "echo prepared" }
        - { name: server, background: true, run: "echo up; exec sleep 60" }
        - { name: use, run: "echo used" }
        - { name: cleanup, run: "true" }
    `);
    const coordinator = new Scripted(({ reports, syncs }) => {
      const isOver = (attempt: string): boolean => reports.some((report) => report.attempt === attempt);
      const isReady = (attempt: string): boolean =>
        syncs.some(({ ready, attempts }) => ready.includes(1) && attempts?.includes(attempt) === true);
      if (isOver("2.3.0.1")) return finish;
      if (isReady("1.3.0.1")) return execute("2.3.0.1", { stage: 2 });
      // Back to the server itself, then to what comes before it.
      if (isOver("0.3.0.1")) return execute("1.3.0.1", { stage: 1 });
      if (isReady("1.2.0.1")) return execute("0.3.0.1");
      if (isOver("2.1.0.1")) return execute("1.2.0.1", { stage: 1 });
      return syncs.some(({ ready }) => ready.includes(1))
        ? execute("2.1.0.1", { stage: 2 })
        : execute("1.1.0.1", { stage: 1 });
    });
    await agentFor(plan, coordinator).run();
    const ends = coordinator.reports.flatMap(({ attempt, end }) =>
      end.kind === "stopped" ? [[attempt, end.why]] : [],
    );
    expect(ends).toContainEqual(["1.1.0.1", "its stage has begun a new round"]);
    expect(ends).toContainEqual(["1.2.0.1", "the group has gone back before its stage"]);
    // Whether a server came as far as to say that it is up is its own affair: without a check it is ready at once.
    expect(lines().filter((line) => line !== "up")).toEqual(["used", "prepared", "used"]);
  });
});

const groupOf = (...names: readonly string[]) => {
  const roster = names.map((name, index) => ({ name, index, role: null, roleIndex: index, address: null }));
  const member = roster.find(({ name }) => name === "one");
  if (member === undefined) throw new Error("the agent under test is called one");
  return { member, roster, outputs: {} };
};

describe("cleaning up alone", () => {
  it("leaves the tree that one agent made for all to those that go on with it", async () => {
    const plan = planOf(`
      tree_creation_mode: coordinator
      stages:
        - { name: work, run: "echo work" }
        - { name: logs, when: always, run: "echo own logs" }
        - { name: cleanup, run: "echo the tree" }
    `);
    const clean = (names: readonly string[], leftOut: boolean) => {
      const own = { selection: { skip: [] }, group: groupOf(...names), leftOut };
      return cleanUp({ ...optionsFor(plan), ...own }, AbortSignal.timeout(60_000));
    };
    await clean(["one", "two"], true);
    expect(lines()).toEqual(["own logs"]);
    await clean(["two", "one"], false);
    expect(lines()).toEqual(["own logs", "own logs"]);
    await clean(["one", "two"], false);
    expect(lines()).toEqual(["own logs", "own logs", "own logs", "the tree"]);
  });

  it("runs the stages that run whatever happened, a failed one too, and ends them in time", async () => {
    const plan = planOf(`
      stages:
        - { name: work, run: "echo work" }
        - { name: collect, when: always, run: "echo collect; exit 3" }
        - { name: report, when: on_failure, run: "echo report" }
        - { name: cleanup, run: "echo cleanup; sleep 60" }
        - { name: keep, when: always, run: "echo named to be skipped" }
        - { name: theirs, when: always, runs_on: [other], run: "echo not its own" }
    `);
    const own = { selection: { skip: [4] }, group: groupOf("one"), leftOut: false };
    const reports = await cleanUp({ ...optionsFor(plan), ...own }, AbortSignal.timeout(1_500));
    expect(lines()).toEqual(["collect", "report", "cleanup"]);
    expect(reports.map(({ end }) => end.kind)).toEqual(["exited", "exited", "stopped"]);
  });

  it("is not there for an agent that its coordinator puts off: it waits for as long as the coordinator says", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const plan = planOf("name: quick\nstages:\n  - { name: work, run: 'true' }");
      const options = optionsFor(plan);
      const around = {
        plan,
        planFile: "plan.yml",
        run: "r",
        workingDirectory: directory,
        inherited: options.environment,
        ownSecrets: [],
        directory: new AgentDirectory({ RUNNER_TEMP: directory }, ["true"]),
        processes: new Processes(() => undefined),
        masks: new Masks(),
        secrets: new SecretVariables([], new Masks(), () => undefined),
        said: new Set<string>(),
        tellsOutput: true,
        collector: null,
        log: options.log,
      };
      const full = new Refusal("over_limit", "this repository has 200 runs going on");
      const coordinator: CoordinatorPort = {
        join: async (_request, signal, heard) => {
          for (let asked = 0; asked < 10; asked += 1) {
            await new Promise((resolve) => setTimeout(resolve, 60_000));
            signal.throwIfAborted();
            heard?.();
          }
          throw full;
        },
        sync: () => Promise.reject(new Error("not joined")),
        reset: () => Promise.reject(new Error("not joined")),
        leave: () => Promise.reject(new Error("not joined")),
      };
      const { key } = options;
      const join_ = { key, plan, selection: { only: null, skip: [], stopAfter: null }, agentCount: 1, agent: "one" };
      const loop = new AgentLoop({ join: { ...join_, role: null, index: 0, address: null }, coordinator, around });
      const refused = expect(loop.run()).rejects.toBe(full);
      await vi.advanceTimersByTimeAsync(11 * 60_000);
      await refused;
      around.directory.remove();
    } finally {
      vi.useRealTimers();
    }
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { convertBench } from "../../../src/plan/conversion/convert.ts";
import { formatNote, NOTE_KINDS } from "../../../src/plan/conversion/notes.ts";
import { benchDuration, nameOf } from "../../../src/plan/conversion/values.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { readPlan } from "../../../src/plan/read.ts";

/** What real configurations hold, with what is no longer known and what never was. */
const CONFIGURATION = `target: "s3://bucket/data/"
duration: 10s
concurrency: 64
version: 2
warmup_period: 5s
error_handling: { max_total_errors: 50, retry_on_error: true }
prepare:
  ensure_objects:
    - { base_uri: data/, count: "1,000", fill: random, use_multi_endpoint: true }
  cleanup_mode: tolerant
  file_size: 4096
workload:
  - { op: get, path: "data/*", weight: 70, concurrency: 64 }
distributed:
  agents:
    - address: "vm1.example.com"
      id: "reader-1"
      listen_port: 7200
      env: { AWS_PROFILE: reader, AWS_SECRET_ACCESS_KEY: x }
    - address: "10.0.0.2:7167"
      id: "writer 1"
      target_override: "file:///mnt/nvme/"
      concurrency_override: 128
      volumes: ["/mnt:/mnt"]
      multi_endpoint: { strategy: round_robin, endpoints: ["s3://a/", "s3://b/"] }
    - address: "vm3.example.com"
  ssh: { enabled: true, user: ubuntu }
  start_delay: 2
  agent_ready_timeout: 5m
  path_template: "agent-{id}/"
  shared_filesystem: true
  tree_creation_mode: coordinator
  path_selection: weighted
  partition_overlap: 0.2
  barrier_sync:
    enabled: true
    timeout_seconds: 60
    default_heartbeat_interval: 30
    default_missed_threshold: 3
    prepare: { type: all_or_nothing, heartbeat_interval: 120, missed_threshold: 10, agent_barrier_timeout: 1500 }
  stages:
    - { name: execute, order: 3, type: execute, completion: duration, duration: 1h 30m }
    - { name: prepare, order: 2, type: prepare, completion: tasks_done, expected_objects: 1000 }
    - { name: preflight, order: 1, type: validation, completion: validation_passed, timeout_secs: 300 }
    - { name: "save it", order: 4, type: custom, command: /bin/sh, args: ["-c", "exit 0"], completion: script_exit }
    - { name: mixed, order: 5, type: hybrid, max_duration: 5min, completion: duration_or_tasks }
    - { name: cleanup, order: 6, type: cleanup, completion: tasks_done, optional: true }
`;

function converted(text: string): { readonly plan: Plan; readonly notes: readonly string[] } {
  const { plan: written, notes, problems } = convertBench(text, "bench.yaml");
  expect(problems).toEqual([]);
  const { plan } = readPlan(written ?? "", "bench.yaml");
  if (plan === null) throw new Error(`no plan: ${written}`);
  return { plan, notes: notes.map((note) => formatNote("bench.yaml", note)) };
}

describe("a sai3-bench configuration becomes a plan", () => {
  const { plan, notes } = converted(CONFIGURATION);
  const stage = (name: string) => plan.stages.find((each) => each.name === name);

  it("with its stages in their order, each with its times, counts and completion", () => {
    expect(plan.stages.map(({ name, order, type, completion }) => [name, order, type, completion])).toEqual([
      ["preflight", 1, "validation", "validation_passed"],
      ["prepare", 2, "prepare", "tasks_done"],
      ["execute", 3, "execute", "duration"],
      ["save-it", 4, "custom", "script_exit"],
      ["mixed", 5, "hybrid", "duration_or_tasks"],
      ["cleanup", 6, "cleanup", "tasks_done"],
    ]);
    expect(stage("execute")?.durationMs).toBe(5_400_000);
    expect(stage("execute")?.thresholds?.maxErrors).toBe(50);
    expect(stage("execute")?.measure?.warmupMs).toBe(5_000);
    expect(stage("mixed")?.maxDurationMs).toBe(300_000);
    expect(stage("preflight")?.timeoutMs).toBe(300_000);
    expect(stage("prepare")?.expectedObjects).toBe(1000);
    expect(stage("prepare")?.runsOn).toEqual({ kind: "first" });
    expect(stage("cleanup")?.optional).toBe(true);
  });

  it.each(["''", "'1e3'", "'0x10'", "true", "1.5"])("without a number of objects that is written as %s", (count) => {
    const text = `workload: [{ op: get, path: x }]\nprepare: { ensure_objects: [{ base_uri: d, count: ${count} }] }\n`;
    const { plan: without, notes: told } = converted(text);
    expect(without.stages.map(({ expectedObjects }) => expectedObjects)).toEqual(without.stages.map(() => null));
    expect(told.join("\n")).toMatch(/ensure_objects\.0\.count: .* is no whole number/);
  });

  it("with its barriers and how its group comes together", () => {
    expect(stage("prepare")?.barrier).toMatchObject({
      rule: { kind: "all_or_nothing" },
      timeoutMs: 1_500_000,
      heartbeatIntervalMs: 120_000,
      missedThreshold: 10,
    });
    expect(stage("execute")?.barrier).toMatchObject({ heartbeatIntervalMs: 30_000, missedThreshold: 3 });
    expect(plan.assembly.timeoutMs).toBe(300_000);
    expect(plan.pathSelection).toBe("partitioned");
  });

  it("with its agents: addresses that had no port, names that were none, what their commands read", () => {
    expect(plan.agents).toEqual([
      {
        id: "reader-1",
        address: "vm1.example.com:7200",
        env: { AWS_PROFILE: "reader", AWS_SECRET_ACCESS_KEY: "x", BENCH_PATH_PREFIX: "agent-reader-1/" },
      },
      {
        id: "writer-1",
        address: "10.0.0.2:7167",
        env: {
          BENCH_TARGET: "file:///mnt/nvme/",
          BENCH_CONCURRENCY: "128",
          BENCH_PATH_PREFIX: "agent-writer 1/",
          BENCH_ENDPOINTS: "s3://a/ s3://b/",
          BENCH_ENDPOINT_STRATEGY: "round_robin",
        },
      },
      { id: "agent-2", address: "vm3.example.com:7167", env: { BENCH_PATH_PREFIX: "agent-agent-2/" } },
    ]);
    expect(plan.env).toEqual({ BENCH_TARGET: "s3://bucket/data/", BENCH_CONCURRENCY: "64" });
    expect(plan.secrets).toEqual(["AWS_SECRET_ACCESS_KEY"]);
  });

  it("with commands that somebody has to write: none of its stages succeeds without work", () => {
    const script = (name: string) => stage(name)?.command;
    expect(script("preflight")).toEqual({ kind: "script", script: "./preflight.sh" });
    expect(script("execute")).toEqual({ kind: "script", script: "./execute.sh" });
    expect(script("mixed")).toEqual({ kind: "script", script: "./mixed.sh" });
    expect(script("save-it")).toEqual({ kind: "program", file: "/bin/sh", args: ["-c", "exit 0"] });
  });

  it.each([
    ["4:1: unknown key: version: left out"],
    ["5:1: mapped: warmup_period: measure: { warmup: 5s } of stages of type execute"],
    ["6:19: mapped: error_handling.max_total_errors: thresholds: { max_errors: 50 } of stages of type execute"],
    ["11:3: unknown key: prepare.file_size: left out"],
    ["12:1: needs a command: workload: ./execute.sh, which carries the workload out; such as: sai3-bench run --config"],
    ["16:7: changed: distributed.agents.0.address: vm1.example.com:7200, with its listen_port"],
    ['21:7: changed: distributed.agents.1.id: "writer 1" is called writer-1'],
    ["24:7: no meaning here: distributed.agents.1.volumes: a job mounts its own"],
    ["27:3: no meaning here: distributed.ssh: agents are jobs: GitHub starts them"],
    ["37:5: unknown key: distributed.barrier_sync.timeout_seconds: left out"],
  ])("and says what became of each key at its line: %s", (line) => {
    expect(notes.filter((note) => note.startsWith(`bench.yaml:${line}`))).toHaveLength(1);
  });

  it("without stages: those that it goes through", () => {
    const { plan: implied } = converted(
      "duration: 3s\nworkload: [{ op: get, path: x, weight: 1 }]\nprepare: { ensure_objects: [{ count: 5 }], cleanup: true }\n",
    );
    expect(implied.stages.map(({ name }) => name)).toEqual(["preflight", "prepare", "execute", "cleanup"]);
    expect(converted("duration: 0s\nworkload: []\n").plan.stages.map(({ name }) => name)).toEqual(["preflight"]);
  });

  it("without barriers, except where others wait for the one that prepares", () => {
    const { plan: free } = converted(
      "distributed: { tree_creation_mode: coordinator, agents: [{}, {}], barrier_sync: { enabled: false }, stages: [{ name: prepare, type: prepare, order: 1 }, { name: execute, type: execute, order: 2, duration: 1s }] }",
    );
    expect(free.stages.map(({ barrier }) => barrier.rule.kind)).toEqual(["all_or_nothing", "none"]);
  });

  it("and one agent alone has nobody who waits for it", () => {
    const alone = (agents: string) =>
      convertBench(
        `workload: []\ndistributed: { tree_creation_mode: coordinator, agents: ${agents}, barrier_sync: { enabled: false, prepare: { agent_barrier_timeout: 2m } } }`,
        "c.yml",
      ).plan;
    expect(alone("[{}]")).toContain("  prepare:\n    agent_barrier_timeout: 2m\n    type: none\n");
    expect(alone("[{}, {}]")).toContain("  prepare:\n    agent_barrier_timeout: 2m\n    type: all_or_nothing\n");
  });

  it.each([
    ["default_heartbeat_interval: 35m", "", 2_100_000],
    ["default_heartbeat_interval: 40m, default_missed_threshold: 3", "", 2_400_000],
    ["default_heartbeat_interval: 2073600ms, default_missed_threshold: 1000", "", 2_073_600],
    ["default_heartbeat_interval: 2073601ms, default_missed_threshold: 1000", "", null],
    ["default_heartbeat_interval: 38h 24m", "", 138_240_000],
    ["default_heartbeat_interval: 38h 25m", "", null],
    ["default_heartbeat_interval: 35m, execute: { missed_threshold: 1000 }", "", null],
    ["default_heartbeat_interval: 35m", "barrier: { missed_threshold: 1000 }", null],
    ["execute: { heartbeat_interval: 35m, missed_threshold: 20 }", "barrier: { missed_threshold: 30 }", 2_100_000],
    ["execute: { heartbeat_interval: 2d, missed_threshold: 2 }", "", null],
  ])(
    "with a heartbeat that is as slow as it was, unless the silence is longer than a plan takes: %s %s",
    (sync, own, ms) => {
      const { plan: slow, notes: told } = converted(
        `distributed: { barrier_sync: { ${sync} }, stages: [{ name: e, type: execute, duration: 1s, ${own} }] }`,
      );
      expect(slow.stages[0]?.barrier.heartbeatIntervalMs).toBe(ms);
      expect(told.filter((note) => note.includes("would be a silence of more than 24d, left out"))).toHaveLength(
        ms === null ? 1 : 0,
      );
    },
  );

  it("is a plan though there is a warning of it", () => {
    const text =
      "distributed: { stages: [{ name: a-b, type: execute, duration: 1s }, { name: A.B, type: validation }] }";
    expect(readPlan(convertBench(text, "c").plan ?? "", "c").problems.map(({ severity }) => severity)).toEqual([
      "warning",
    ]);
    expect(convertBench(text, "c").problems).toEqual([]);
  });

  it("refuses what is no such configuration, at its place", () => {
    for (const text of ["", "[", "on: push\njobs: {}\n", "workload: 1\nworkload: 2\n", "\0"]) {
      const { plan: none, problems } = convertBench(text, "x.yml");
      expect([none, problems.length > 0]).toEqual([null, true]);
    }
  });
});

describe("whatever stands in it", () => {
  const key = fc.constantFrom(
    ...["agents", "stages", "barrier_sync", "name", "type", "order", "completion", "duration", "address", "id", "env"],
    ...["listen_port", "multi_endpoint", "endpoints", "expected_objects", "max_duration", "timeout_secs", "command"],
    ...["args", "barrier", "prepare", "enabled", "heartbeat_interval", "missed_threshold", "path_template", "workload"],
    ...["shared_filesystem", "tree_creation_mode", "path_selection", "optional", "ensure_objects", "count", "cleanup"],
  );
  const leaf = fc.oneof(
    fc.constantFrom(
      "prepare",
      "execute",
      "custom",
      "duration",
      "coordinator",
      "none",
      "a:1",
      "h:0",
      "{{params.a}}",
      "5m",
    ),
    fc.constantFrom(0, 1, -1, 2.5, 1e12, true, false, null, "agent-1", "9".repeat(70), "\u202e", "1h 30m"),
    fc.string({ maxLength: 12 }),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: "small" },
      leaf,
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(key, tie("value"), { maxKeys: 8 }),
    ),
  }));
  const configuration = fc.record(
    {
      distributed: fc.record(
        {
          agents: fc.array(fc.dictionary(key, value, { maxKeys: 6 }), { maxLength: 4 }),
          stages: fc.array(fc.dictionary(key, value, { maxKeys: 8 }), { maxLength: 5 }),
          barrier_sync: fc.dictionary(key, value, { maxKeys: 5 }),
          tree_creation_mode: leaf,
          shared_filesystem: leaf,
          path_template: leaf,
        },
        { requiredKeys: [] },
      ),
      prepare: value,
      workload: value,
      duration: leaf,
      warmup_period: leaf,
      target: leaf,
      multi_endpoint: value,
    },
    { requiredKeys: ["workload"] },
  );

  it("a plan comes of it that validates, and each note has a place", () => {
    fc.assert(
      fc.property(configuration, (written) => {
        const { plan, problems, notes } = convertBench(JSON.stringify(written), "c.json");
        if (problems.length > 0) expect(problems.every(({ message }) => /NUL|surrog|UTF/u.test(message))).toBe(true);
        else expect(plan).not.toBeNull();
        for (const { line, column, kind, message } of notes) {
          expect([line > 0, column > 0, NOTE_KINDS.includes(kind), message.includes("\n")]).toEqual([
            true,
            true,
            true,
            false,
          ]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("any bytes end with a plan or an error at its place", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ maxLength: 200 }).map((text) => Buffer.from(text)),
    );
    const cut = fc.tuple(fc.nat(CONFIGURATION.length), fc.nat(CONFIGURATION.length), fc.uint8Array({ maxLength: 4 }));
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          cut.map(([from, to, put]) =>
            Buffer.concat([Buffer.from(CONFIGURATION.slice(0, from)), put, Buffer.from(CONFIGURATION.slice(to))]),
          ),
        ),
        (content) => {
          const { plan, problems } = convertBench(content, "c.yml");
          expect((plan === null) === problems.length > 0).toBe(true);
          for (const { line, column } of problems) expect(line > 0 && column > 0).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("as much as a file may hold of stages and agents", () => {
    for (const [part, before, after] of [
      ["{a: 1}, ", "distributed: { stages: [", "] }"],
      ["{id: a, address: b, path_template: '{id}{id}'}, ", "distributed: { agents: [", "] }"],
    ] as const) {
      const { plan, problems, notes } = convertBench(before + part.repeat(3_000) + after, "c.yml");
      expect([plan === null, problems]).toEqual([false, []]);
      if (notes.length > 1_000) {
        expect(notes).toHaveLength(1_001);
        expect(notes[1_000]?.message).toMatch(/^and [1-9][0-9]* more notes$/);
      }
    }
  });
});

it.each<[unknown, number | null]>([
  ["90", 90_000],
  [90, 90_000],
  [0, 0],
  [-1, null],
  [Number.NaN, null],
  [null, null],
  ["1h 30m", 5_400_000],
  ["1ms 2msec 3millis", 6],
  ["1s 1sec 1secs 1second 1seconds", 5_000],
  ["1m 1min 1mins 1minute 1minutes", 300_000],
  ["1h 1hr 1hrs 1hour 1hours", 18_000_000],
  ["1d 1day 1days", 259_200_000],
  [" 1w 1week 1weeks ", 1_814_400_000],
  ["250ms", 250],
  ["soon", null],
  ["", null],
  ["1x", null],
  ["1 constructor", null],
  ["-1", null],
  [`${"0".repeat(63)}1`, 1_000],
  [`${"0".repeat(64)}1`, null],
])("a duration is read as humantime writes it: %j", (written, ms) => {
  expect(benchDuration(written)).toBe(ms);
});

it("more than a thousand notes are counted", () => {
  const notesOf = (count: number) => {
    const keys = Array.from({ length: count - 3 }, (_, n) => `k${n}: 1\n`);
    return convertBench(`workload: []\n${keys.join("")}`, "c").notes.map(({ message }) => message);
  };
  const all = notesOf(1_000);
  const more = notesOf(1_003);
  expect([all.length, all.at(-1)]).toEqual([1_000, "k996: left out"]);
  expect([more.length, more.at(-1)]).toEqual([1_001, "and 3 more notes"]);
});

it("what is prepared is asked for where it is said, and a file system that is not shared says nothing of the tree", () => {
  const { notes } = converted(
    "prepare: { ensure_objects: [{ count: 1 }] }\ndistributed: { shared_filesystem: false, stages: [{ name: prepare, type: prepare }] }\n",
  );
  expect(notes.filter((note) => note.includes("./prepare.sh"))).toEqual([
    expect.stringContaining("bench.yaml:1:12: needs a command: prepare.ensure_objects: ./prepare.sh, which makes"),
  ]);
  expect(notes.join()).not.toContain("tree_creation_mode");
});

describe("a key that is known", () => {
  const notesOf = (text: string) =>
    convertBench(text, "c").notes.map(({ kind, message }) => `${kind}: ${message.split(":")[0]}`);

  it.each(["workload", "prepare", "distributed", "target", "multi_endpoint"])(
    "%s alone makes a file a configuration",
    (key) => {
      expect(convertBench(`${key}: {}\n`, "c").problems).toEqual([]);
    },
  );

  it.each([
    [
      "needs a command",
      "",
      "range_engine page_cache_mode io_rate processes processing_mode op_log_path perf_log cache_checkpoint_interval_secs enable_metadata_cache s3dlio_optimization dynamic_put_pool autotune",
    ],
    [
      "needs a command",
      "prepare",
      "cleanup_only cleanup_mode directory_structure prepare_strategy skip_verification force_overwrite post_prepare_delay key_prefix_shards",
    ],
    ["needs a command", "distributed", "kv_cache_dir"],
    ["no meaning here", "", "distributed_env"],
    [
      "no meaning here",
      "distributed",
      "ssh deployment start_delay grpc_keepalive_interval grpc_keepalive_timeout partition_overlap",
    ],
  ])("and not in the plan is told as what it is: %s %s", (kind, below, keys) => {
    const all = keys.split(" ");
    const written = all.map((key) => `${key}: 1`).join(", ");
    const text = below === "" ? `{ workload: [], ${written} }` : `${below}: { ${written} }`;
    const path = below === "" ? "" : `${below}.`;
    expect(notesOf(text)).toEqual(expect.arrayContaining(all.map((key) => `${kind}: ${path}${key}`)));
  });
});

it("a command is taken as long as a path may be, and a duration that is none is the usual one", () => {
  const stage = (command: string) =>
    converted(`distributed: { stages: [{ name: a, type: custom, command: ${command} }] }`).plan.stages[0]?.command;
  expect(stage("x".repeat(4096))).toEqual({ kind: "program", file: "x".repeat(4096), args: [] });
  expect(stage("x".repeat(4097))).toEqual({ kind: "script", script: "./a.sh" });
  expect(stage('""')).toEqual({ kind: "script", script: "./a.sh" });
  const execute = converted("duration: 30d\nworkload: []\n").plan.stages.find(({ name }) => name === "execute");
  expect(execute?.durationMs).toBe(60_000);
});

it("barriers that are off stay off where each agent prepares its own", () => {
  const text = (mode: string) =>
    `distributed: { tree_creation_mode: ${mode}, agents: [{}, {}], barrier_sync: { enabled: false }, stages: [{ name: prepare, type: prepare }] }`;
  expect(
    ["isolated", "concurrent", "coordinator"].map((mode) => converted(text(mode)).plan.stages[0]?.barrier.rule.kind),
  ).toEqual(["none", "none", "all_or_nothing"]);
});

it("a key without a value says nothing, and nothing is said of it", () => {
  const { plan, notes } = converted(`workload: []
prepare: ~
error_handling: { max_total_errors: ~ }
multi_endpoint: ~
distributed:
  agents: [{ id: ~, address: ~, listen_port: ~, env: ~, path_template: ~ }]
  agent_ready_timeout: ~
  shared_filesystem: ~
  tree_creation_mode: ~
  path_selection: ~
  barrier_sync: { enabled: ~, default_heartbeat_interval: ~, default_missed_threshold: ~, execute: ~ }
  stages: [{ name: a, type: ~, order: ~, completion: ~, timeout_secs: ~, optional: ~, barrier: ~, command: x, args: ~ }]
`);
  expect(plan.stages).toHaveLength(1);
  expect(notes.filter((note) => /left out|expected/.test(note.replace(/ of its own: the plan .*/, "")))).toEqual([]);
});

it.each([
  ["a b", "a-b"],
  ["1-x", "x"],
  ["---", ""],
  ["ü", ""],
  ["a--", "a"],
  ["x".repeat(100), "x".repeat(92)],
  [`${"1".repeat(399)}ab`, "a"],
  [`${"1".repeat(400)}a`, ""],
])("names become words: %s", (written, name) => {
  expect(nameOf(written)).toBe(name);
});

it.each([
  ["type: Prepare", "prepare"],
  ["type: 5", "custom"],
  ["type: ~", "custom"],
  ["completion: ScriptExit, command: x", "script_exit"],
  ["completion: Script-Exit, command: x", "script_exit"],
  ["type: hybrid, completion: validation_passed", "validation_passed"],
])("words are read in any spelling: %s", (written, word) => {
  const [stage] = converted(`distributed: { stages: [{ name: a, ${written} }] }`).plan.stages;
  expect([stage?.type, stage?.completion]).toContain(word);
});

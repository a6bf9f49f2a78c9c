import { expect, it } from "vitest";
import { PLAN_BOUNDS } from "../../../src/plan/bounds.ts";
import { convertBench } from "../../../src/plan/conversion/convert.ts";
import { formatNote, Notes } from "../../../src/plan/conversion/notes.ts";
import { isVariableValue } from "../../../src/plan/conversion/values.ts";

/** What is converted, the plan that comes of it without its first lines, and what is told. */
const TOLD: readonly (readonly [what: string, configuration: string, plan: string, notes: string])[] = [
  [
    "agents with odd addresses, names and variables",
    `workload: []
multi_endpoint: { endpoints: [s3://a/, 1, s3://b/], strategy: "{{x}}", other: 1 }
distributed:
  path_template: "t-{id}"
  agents:
    - { id: a, address: "h1:0", listen_port: 70000, env: { 1A: x, STAGEWRIGHT_X: y, OK: 1, API_TOKEN: t, LONG: "{{a}}", LIST: [] } }
    - { id: a, address: "h1:9", listen_port: 9, env: { BENCH_TARGET: own, My_Password: p } , target_override: ignored }
    - { address: "h1:9", path_template: "p/{id}/{id}", multi_endpoint: { endpoints: [] } }
    - { id: "-", address: "no host", concurrency_override: "{{c}}", kv_cache_dir: /x, unknown: 1 }
    - { id: b, address: h2, env: 5 }
    - { id: c, listen_port: 5, env: { OK: true }, path_template: "{{x}}" }
    - 7
`,
    `agents:
  - id: a
    env:
      OK: "1"
      API_TOKEN: t
      BENCH_PATH_PREFIX: t-a
  - id: a-2
    address: h1:9
    env:
      BENCH_TARGET: own
      My_Password: p
      BENCH_PATH_PREFIX: t-a
  - id: agent-2
    env:
      BENCH_PATH_PREFIX: p/agent-2/agent-2
  - id: agent-3
    env:
      BENCH_PATH_PREFIX: t--
  - id: b
    address: h2:7167
    env:
      BENCH_PATH_PREFIX: t-b
  - id: c
    env:
      OK: "true"
secrets:
  - API_TOKEN
  - My_Password
env:
  BENCH_ENDPOINTS: s3://a/ s3://b/
workload:
  preflight: ./preflight.sh
  execute: ./execute.sh
stages:
  - name: preflight
    type: validation
    timeout: 5m
  - name: execute
    type: execute
    duration: 60s
`,
    `b:1:1: changed: duration: the stage execute lasts 60s, as is usual there
b:1:1: needs a command: workload: ./preflight.sh, which checks that the work can be done; such as: sai3-bench run --config b.yml --dry-run
b:1:1: needs a command: workload: ./execute.sh, which carries the workload out; such as: sai3-bench run --config b.yml --skip-prepare --no-cleanup
b:2:1: needs a command: multi_endpoint: its command reads the 2 endpoints as BENCH_ENDPOINTS, parted by spaces, and shares its work out to them
b:2:72: unknown key: multi_endpoint.other: left out
b:4:3: needs a command: distributed.path_template: each agent's command reads its own as BENCH_PATH_PREFIX
b:4:3: changed: distributed.barrier_sync: stages end in a barrier for all, unless they say \`barrier: none\`
b:5:3: mapped: distributed.agents: agents: 6, each the job of a matrix, or a process of \`run\`
b:6:16: changed: distributed.agents.0.address: "h1:0" has no port from 1 to 65535, left out
b:6:33: changed: distributed.agents.0.listen_port: 70000 is no whole number from 1 to 65535, left out
b:6:53: mapped: distributed.agents.0.env: env of this agent
b:6:60: changed: distributed.agents.0.env.1A: is no variable of a plan, left out
b:6:67: changed: distributed.agents.0.env.STAGEWRIGHT_X: is no variable of a plan, left out
b:6:106: changed: distributed.agents.0.env.LONG: is no variable of a plan, left out
b:6:121: changed: distributed.agents.0.env.LIST: is no variable of a plan, left out
b:7:9: changed: distributed.agents.1.id: "a" is called a-2
b:7:33: no meaning here: distributed.agents.1.listen_port: the address has its port
b:7:49: mapped: distributed.agents.1.env: env of this agent
b:8:9: changed: distributed.agents.2.address: h1:9 is another agent's already, left out
b:8:26: needs a command: distributed.agents.2.path_template: its command reads it as BENCH_PATH_PREFIX
b:8:56: changed: distributed.agents.2.multi_endpoint: its endpoints cannot be the value of a variable, left out
b:9:9: changed: distributed.agents.3.id: "-" is called agent-3
b:9:18: changed: distributed.agents.3.address: "no host" is no host and port, left out
b:9:38: changed: distributed.agents.3.concurrency_override: cannot be the value of a variable, left out
b:9:69: needs a command: distributed.agents.3.kv_cache_dir: the cache of the benchmark's own program
b:9:87: unknown key: distributed.agents.3.unknown: left out
b:10:16: changed: distributed.agents.4.address: h2:7167, with the usual port
b:10:29: unknown key: distributed.agents.4.env: expected a mapping, got 5
b:11:32: mapped: distributed.agents.5.env: env of this agent
b:11:51: changed: distributed.agents.5.path_template: cannot be the value of a variable, left out
b:12:7: unknown key: agents.6: expected a mapping, got 7
`,
  ],
  [
    "stages that say what a plan cannot",
    `distributed:
  path_selection: random
  tree_creation_mode: Coordinator
  shared_filesystem: false
  agent_ready_timeout: 90
  grpc_keepalive_interval: 1
  other: 1
  stages:
    - { name: "1", type: exec, timeout_secs: 30d, optional: 1, duration: 5s }
    - { name: x, type: execute, duration: 0, completion: duration, order: 1 }
    - { name: x, type: prepare, expected_objects: "1,000", completion: task_done, order: 1, duration: 5s, max_duration: 1, expected_tasks: 1 }
    - { name: y, type: custom, command: "", order: 2 }
    - { name: z, type: custom, command: ./z, args: [a, 1, true] , completion: Tasks-Done }
    - { name: zz, type: custom, command: ./z, args: [[]] }
    - { name: h, type: hybrid, max_duration: 5min, expected_tasks: 10, completion: duration_or_tasks }
    - { name: h2, type: hybrid, expected_tasks: 0.5, completion: tasks_done, timeout_secs: 60 }
    - { name: clean, type: cleanup, expected_objects: 0, optional: true, barrier: { type: Best-Effort, agent_barrier_timeout: 60, heartbeat_interval: 5, missed_threshold: 0, query_timeout: 3s, query_retries: 0, x: 1 } }
    - { name: q, type: quorum }
    - { name: v, type: validation, barrier: 5, optional: false }
    - text
error_handling: { max_total_errors: 0, x: 1 }
duration: 1h
concurrency: 8
workload: 1
`,
    `shared_filesystem: false
tree_creation_mode: isolated
path_selection: random
assembly:
  timeout: 1m30s
env:
  BENCH_CONCURRENCY: "8"
workload:
  preflight: ./preflight.sh
  prepare: ./prepare.sh
  execute: ./execute.sh
  cleanup: ./cleanup.sh
stages:
  - name: x
    type: execute
    thresholds:
      max_errors: 0
  - name: x-2
    type: prepare
    expected_objects: 1000
  - name: y
    type: custom
    run: ./y.sh
  - name: stage
    type: custom
    run: ./stage.sh
  - name: z
    type: custom
    command: ./z
    args:
      - a
      - 1
      - true
  - name: zz
    type: custom
    run: ./zz.sh
  - name: h
    type: hybrid
    completion: duration_or_tasks
    max_duration: 5m
    expected_tasks: 10
    run: ./h.sh
  - name: h2
    type: hybrid
    timeout_secs: 1m
    run: ./h2.sh
  - name: clean
    type: cleanup
    expected_objects: 0
    optional: true
    barrier:
      type: best_effort
      agent_barrier_timeout: 1m
      heartbeat_interval: 5s
      query_timeout: 3s
      query_retries: 0
  - name: q
    type: custom
    run: ./q.sh
  - name: v
    type: validation
`,
    `b:2:3: mapped: distributed.path_selection: path_selection: random
b:2:3: changed: distributed.barrier_sync: stages end in a barrier for all, unless they say \`barrier: none\`
b:3:3: changed: distributed.tree_creation_mode: isolated: without a shared file system one agent's tree is its own
b:4:3: mapped: distributed.shared_filesystem: shared_filesystem: false
b:5:3: mapped: distributed.agent_ready_timeout: assembly: { timeout: 1m30s }
b:6:3: no meaning here: distributed.grpc_keepalive_interval: see \`liveness\` of the plan
b:7:3: unknown key: distributed.other: left out
b:8:3: mapped: distributed.stages: stages
b:9:7: changed: distributed.stages.0.command: is no command with arguments, left out
b:9:7: changed: distributed.stages.0.order: not every stage has one of its own: the plan lists them as they run, without
b:9:9: changed: distributed.stages.0.name: "1" is called stage
b:9:9: mapped: distributed.stages.0.name: stage stage, of type custom
b:9:9: needs a command: distributed.stages.0.name: the plan runs ./stage.sh
b:9:20: changed: distributed.stages.0.type: expected validation | prepare | execute | custom | cleanup | hybrid, got "exec", left out
b:9:32: changed: distributed.stages.0.timeout_secs: "30d" is no duration of at most 24d, left out
b:9:51: changed: distributed.stages.0.optional: expected true or false, got 1, left out
b:9:64: changed: distributed.stages.0.duration: only stages of type execute have one, left out
b:10:9: mapped: distributed.stages.1.name: stage x, of type execute
b:10:46: changed: distributed.stages.1.completion: duration does not go with the rest of this execute stage, left out
b:11:9: changed: distributed.stages.2.name: "x" is called x-2
b:11:9: mapped: distributed.stages.2.name: stage x-2, of type prepare
b:11:9: needs a command: distributed.stages.2.name: ./prepare.sh, which makes what the workload needs; such as: sai3-bench run --config b.yml --prepare-only
b:11:33: needs a command: distributed.stages.2.expected_objects: its command tells how many it has done ({"progress":{"done":…}} in $STAGEWRIGHT_EVENTS): less than 1000 over all agents fails the stage
b:11:60: changed: distributed.stages.2.completion: expected duration | tasks_done | script_exit | validation_passed | duration_or_tasks, got "task_done", left out
b:11:93: changed: distributed.stages.2.duration: only stages of type execute have one, left out
b:11:107: changed: distributed.stages.2.max_duration: only hybrid stages have it, left out
b:11:124: changed: distributed.stages.2.expected_tasks: only hybrid stages have it, left out
b:12:9: mapped: distributed.stages.3.name: stage y, of type custom
b:12:9: needs a command: distributed.stages.3.name: the plan runs ./y.sh
b:12:32: changed: distributed.stages.3.command: is no command with arguments, left out
b:13:9: mapped: distributed.stages.4.name: stage z, of type custom
b:13:67: changed: distributed.stages.4.completion: tasks_done does not go with the rest of this custom stage, left out
b:14:9: mapped: distributed.stages.5.name: stage zz, of type custom
b:14:9: needs a command: distributed.stages.5.name: the plan runs ./zz.sh
b:14:33: changed: distributed.stages.5.command: is no command with arguments, left out
b:15:9: mapped: distributed.stages.6.name: stage h, of type hybrid
b:15:9: needs a command: distributed.stages.6.name: the plan runs ./h.sh
b:16:9: mapped: distributed.stages.7.name: stage h2, of type hybrid
b:16:9: needs a command: distributed.stages.7.name: the plan runs ./h2.sh
b:16:33: changed: distributed.stages.7.expected_tasks: 0.5 is no whole number from 0 to 9007199254740991, left out
b:16:54: changed: distributed.stages.7.completion: tasks_done does not go with the rest of this hybrid stage, left out
b:17:9: mapped: distributed.stages.8.name: stage clean, of type cleanup
b:17:9: needs a command: distributed.stages.8.name: ./cleanup.sh, which takes away what was made; such as: sai3-bench run --config b.yml --cleanup-only
b:17:154: changed: distributed.stages.8.barrier.missed_threshold: 0 is no whole number from 1 to 1000, left out
b:17:212: unknown key: distributed.stages.8.barrier.x: left out
b:18:7: changed: distributed.stages.9.command: is no command with arguments, left out
b:18:9: mapped: distributed.stages.9.name: stage q, of type custom
b:18:9: needs a command: distributed.stages.9.name: the plan runs ./q.sh
b:18:18: changed: distributed.stages.9.type: expected validation | prepare | execute | custom | cleanup | hybrid, got "quorum", left out
b:19:9: mapped: distributed.stages.10.name: stage v, of type validation
b:19:9: needs a command: distributed.stages.10.name: ./preflight.sh, which checks that the work can be done; such as: sai3-bench run --config b.yml --dry-run
b:19:36: unknown key: distributed.stages.10.barrier: expected a mapping, got 5
b:20:7: unknown key: stages.11: expected a mapping, got "text"
b:21:19: mapped: error_handling.max_total_errors: thresholds: { max_errors: 0 } of stages of type execute
b:21:40: needs a command: error_handling.x: a matter of the benchmark's own program
b:22:1: no meaning here: duration: the stages have their own
b:23:1: needs a command: concurrency: commands read it as BENCH_CONCURRENCY
b:24:1: needs a command: workload: ./execute.sh, which carries the workload out; such as: sai3-bench run --config b.yml --skip-prepare --no-cleanup
`,
  ],
  [
    "barriers that are off, where others wait for the one that prepares",
    `prepare: { ensure_objects: [{ count: 5 }, { count: 7 }], cleanup: yes, key_prefix_shards: 2, zz: 1 }
target: "{{x}}"
error_handling: { max_total_errors: many }
distributed:
  agents: [{}, {}]
  shared_filesystem: true
  tree_creation_mode: coordinator
  path_selection: exclusive
  barrier_sync:
    enabled: false
    default_heartbeat_interval: 30
    default_missed_threshold: 3
    default_query_timeout: 10s
    default_query_retries: 5
    validation: { type: none, agent_barrier_timeout: 2m }
    execute: { heartbeat_interval: 10, query_retries: 2 }
    cleanup: 5
    odd: 1
`,
    `agents:
  - id: agent-0
  - id: agent-1
shared_filesystem: true
tree_creation_mode: coordinator
path_selection: exclusive
barrier_sync:
  default_type: none
  default_heartbeat_interval: 30s
  default_missed_threshold: 3
  default_query_timeout: 10s
  default_query_retries: 5
  validation:
    agent_barrier_timeout: 2m
    type: none
  execute:
    heartbeat_interval: 10s
    query_retries: 2
    type: none
  prepare:
    type: all_or_nothing
workload:
  preflight: ./preflight.sh
  prepare: ./prepare.sh
  execute: ./execute.sh
stages:
  - name: preflight
    type: validation
    timeout: 5m
  - name: prepare
    type: prepare
    expected_objects: 12
  - name: execute
    type: execute
    duration: 60s
`,
    `b:1:1: changed: duration: the stage execute lasts 60s, as is usual there
b:1:1: needs a command: workload: ./preflight.sh, which checks that the work can be done; such as: sai3-bench run --config b.yml --dry-run
b:1:1: needs a command: workload: ./execute.sh, which carries the workload out; such as: sai3-bench run --config b.yml --skip-prepare --no-cleanup
b:1:12: mapped: prepare.ensure_objects: expected_objects: 12 of the stage prepare
b:1:12: needs a command: prepare.ensure_objects: its command tells how many it has done ({"progress":{"done":…}} in $STAGEWRIGHT_EVENTS): less than 12 over all agents fails the stage
b:1:12: needs a command: prepare.ensure_objects: ./prepare.sh, which makes what the workload needs; such as: sai3-bench run --config b.yml --prepare-only
b:1:72: needs a command: prepare.key_prefix_shards: a matter of the benchmark's own program
b:1:94: unknown key: prepare.zz: left out
b:2:1: changed: target: cannot be the value of a variable, left out
b:3:19: changed: error_handling.max_total_errors: "many" is no whole number from 0 to 9007199254740991, left out
b:5:3: mapped: distributed.agents: agents: 2, each the job of a matrix, or a process of \`run\`
b:6:3: mapped: distributed.shared_filesystem: shared_filesystem: true
b:7:3: mapped: distributed.tree_creation_mode: tree_creation_mode: coordinator
b:8:3: mapped: distributed.path_selection: path_selection: exclusive
b:10:5: mapped: distributed.barrier_sync.enabled: no barriers (default_type: none), but after prepare
b:15:19: changed: distributed.barrier_sync.validation.type: expected all_or_nothing | majority | best_effort, got "none", left out
b:17:5: unknown key: distributed.barrier_sync.cleanup: expected a mapping, got 5
b:18:5: unknown key: distributed.barrier_sync.odd: left out
`,
  ],
  [
    "what cannot be read",
    `workload: [x]
prepare: { ensure_objects: [{ count: -1 }], cleanup: false }
distributed: { agents: 5, barrier_sync: { enabled: yes it is, default_heartbeat_interval: 20d, default_missed_threshold: 1000 } }
`,
    `barrier_sync:
  default_missed_threshold: 1000
workload:
  preflight: ./preflight.sh
  prepare: ./prepare.sh
  execute: ./execute.sh
stages:
  - name: preflight
    type: validation
    timeout: 5m
  - name: prepare
    type: prepare
  - name: execute
    type: execute
    duration: 60s
`,
    `b:1:1: changed: duration: the stage execute lasts 60s, as is usual there
b:1:1: needs a command: workload: ./preflight.sh, which checks that the work can be done; such as: sai3-bench run --config b.yml --dry-run
b:1:1: needs a command: workload: ./execute.sh, which carries the workload out; such as: sai3-bench run --config b.yml --skip-prepare --no-cleanup
b:2:12: needs a command: prepare.ensure_objects: ./prepare.sh, which makes what the workload needs; such as: sai3-bench run --config b.yml --prepare-only
b:2:31: changed: prepare.ensure_objects.0.count: -1 is no whole number from 0 to 9007199254740991, left out
b:3:16: unknown key: distributed.agents: expected a list, got 5
b:3:27: mapped: distributed.barrier_sync: barrier_sync
b:3:43: changed: distributed.barrier_sync.enabled: expected true or false, got "yes it is", left out
b:3:63: changed: distributed.barrier_sync.default_heartbeat_interval: 1000 missed ones would be a silence of more than 24d, left out
`,
  ],
  [
    "nothing to be executed",
    `prepare: { cleanup: true }
duration: "0 s"
`,
    `workload:
  preflight: ./preflight.sh
  prepare: ./prepare.sh
  cleanup: ./cleanup.sh
stages:
  - name: preflight
    type: validation
    timeout: 5m
  - name: prepare
    type: prepare
  - name: cleanup
    type: cleanup
`,
    `b:1:1: needs a command: workload: ./preflight.sh, which checks that the work can be done; such as: sai3-bench run --config b.yml --dry-run
b:1:10: needs a command: prepare.ensure_objects: ./prepare.sh, which makes what the workload needs; such as: sai3-bench run --config b.yml --prepare-only
b:1:12: mapped: prepare.cleanup: the stage cleanup
b:1:12: needs a command: prepare.cleanup: ./cleanup.sh, which takes away what was made; such as: sai3-bench run --config b.yml --cleanup-only
b:2:1: mapped: duration: nothing is to be executed, and the plan has no stage execute
`,
  ],
  [
    "one agent, and a stage that nothing is known of",
    `prepare: {}
distributed: { tree_creation_mode: odd, path_selection: partitioned, agents: [{ id: one }], barrier_sync: {} , stages: [{ name: prepare, type: prepare }] }
workload: x
`,
    `agents:
  - id: one
path_selection: partitioned
workload:
  prepare: ./prepare.sh
stages:
  - name: prepare
    type: prepare
`,
    `b:2:16: changed: distributed.tree_creation_mode: expected isolated | coordinator | concurrent, got "odd", left out
b:2:41: mapped: distributed.path_selection: path_selection: partitioned
b:2:70: mapped: distributed.agents: agents: 1, each the job of a matrix, or a process of \`run\`
b:2:93: mapped: distributed.barrier_sync: barrier_sync
b:2:112: mapped: distributed.stages: stages
b:2:121: changed: distributed.stages.0.order: not every stage has one of its own: the plan lists them as they run, without
b:2:123: mapped: distributed.stages.0.name: stage prepare, of type prepare
b:2:123: needs a command: distributed.stages.0.name: ./prepare.sh, which makes what the workload needs; such as: sai3-bench run --config b.yml --prepare-only
b:3:1: no meaning here: workload: no stage executes it
`,
  ],
];

it.each(TOLD)("%s: the plan, and a line for each key", (_, configuration, plan, notes) => {
  const found = convertBench(configuration, "b.yml");
  expect(found.problems).toEqual([]);
  expect(found.plan?.split("\n").slice(3).join("\n")).toBe(plan);
  expect(
    found.notes
      .map((note) => formatNote("b", note))
      .concat("")
      .join("\n"),
  ).toBe(notes);
});

it("of more than a thousand the others are counted where the last one stands", () => {
  const notes = new Notes();
  for (let line = 1_002; line > 0; line -= 1) notes.add("mapped", { line, column: 1 }, "x");
  const listed = notes.list();
  expect([listed.length, listed[0]?.line]).toEqual([1_001, 3]);
  expect(listed.at(-1)).toMatchObject({ line: 1_002, message: "and 2 more notes" });
});

it.each([
  ["2", true, []],
  ["1", false, ["not every stage has one of its own: the plan lists them as they run, without"]],
])("order %s beside order 1 is kept: %s; told: %j", (order, isKept, said) => {
  const text = `distributed:
  stages:
    - { name: a, type: custom, command: x, order: 1 }
    - { name: b, type: custom, command: x, order: ${order} }
workload: []
`;
  const { plan, notes } = convertBench(text, "c");
  expect(plan?.includes("order: ")).toBe(isKept);
  expect(notes.flatMap(({ message }) => /not every stage.*/u.exec(message) ?? [])).toEqual(said);
});

it("a variable's value has no placeholder, and as many bytes as a process can be given", () => {
  const most = PLAN_BOUNDS.argumentBytes;
  const values = ["a {{b}}", "x".repeat(most), "x".repeat(most + 1), "ä".repeat(most / 2), `${"ä".repeat(most / 2)}x`];
  expect(values.map(isVariableValue)).toEqual([false, true, false, true, false]);
});

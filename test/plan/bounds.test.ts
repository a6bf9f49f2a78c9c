import { describe, expect, it } from "vitest";
import { isDeeper, jsonBytes, PLAN_BOUNDS } from "../../src/plan/bounds.ts";
import { readPlan } from "../../src/plan/read.ts";

const one = (stage: string): string => `stages: [{ name: a, run: x, ${stage} }]\n`;
const top = (key: string): string => `${key}\nstages: [{ name: a, run: x }]\n`;
const x = (length: number): string => "x".repeat(length);
const listOf = (length: number, item = "1"): string => `[${Array.from({ length }, () => item).join(",")}]`;

/** What the plan may say, and what is just too much or too little. */
const TABLE: readonly (readonly [string, (value: string) => string, readonly string[], readonly string[]])[] = [
  ["name of a plan", (v) => top(`name: ${v}`), [x(100), '"a b"'], [x(101), '""', '"a\\nb"', '"a\\u202eb"', "[a]"]],
  ["name of a stage", (v) => `stages: [{ name: ${v}, run: x }]\n`, [x(100), "a.B_c-1"], [x(101), "1a", '"a b"', "_a"]],
  ["description", (v) => one(`description: ${v}`), [x(1000)], [x(1001), '""']],
  ["order", (v) => one(`order: ${v}`), ["0", "1000000"], ["-1", "1000001", "1.5"]],
  ["agents", (v) => top(`agents: ${v}`), ["1", "10000"], ["0", "10001", "1.5", "[]", "two"]],
  ["agents of a role", (v) => top(`roles: { r: ${v} }`), ["1", "10000"], ["0", "10001"]],
  ["agents of all roles", (v) => top(`roles: { r: 9999, s: ${v} }`), ["1"], ["2"]],
  [
    "address",
    (v) => top(`agents: [{ address: "${v}" }]`),
    ["n:1", "a_b.c-d:65535", "[fd00::1]:80", `${x(253)}:1`],
    ["n", "n:", "-n:1", ".n:1", `${x(254)}:1`, "fd00::1:80", "n o:1", "n:123456"],
  ],
  ["assembly", (v) => top(`assembly: { at_least: ${v} }`), ["1", "10000"], ["0", "10001"]],
  [
    "secrets",
    (v) => top(`secrets: ${v}`),
    ["[STAGEWRIGHT_PARAM_A, _b]", "[]"],
    ["[1a]", listOf(101, "A"), `[${x(201)}]`],
  ],
  [
    "repeat",
    (v) => `stages: [{ repeat: ${v}, stages: [{ name: a, run: x }] }]\n`,
    ["1", "1000"],
    ["-1", "1001", "2.5", "many"],
  ],
  [
    "duration",
    (v) => `stages: [{ name: a, duration: ${v} }]\n`,
    ["1ms", "0.001", "24d", "1h30m", "90", "2073600"],
    ["0", "0.0001", "24d1ms", "-1", "soon", "''", "[1]", '"1h 30m"', "2073601"],
  ],
  ["pause", (v) => one(`barrier: { straggler_grace: ${v} }`), ["0", "0s", "24d"], ["-1", "25d"]],
  [
    "collect",
    (v) => one(`collect: ${v}`),
    ["[a]", "[./a/b]", '["**/*.log"]', "[a..b]", listOf(100, "a"), `[${x(1000)}]`],
    ["a", "[]", "[/a]", "[..]", "[a/../b]", '["!a"]', listOf(101, "a"), `[${x(1001)}]`, '[""]'],
  ],
  [
    "checks",
    (v) => one(`checks: [${v}]`),
    [
      "{ disk: { path: /data, free: 100GiB } }",
      "{ disk: { path: /data, free: 1.5 TB } }",
      "{ memory: 1 }",
      "{ memory: 1kB }",
      "{ tool: fio }",
      '{ tool: { name: fio, version: ">= 3.35" } }',
      '{ tool: { name: ./x, version: "==1" } }',
      "{ variable: STAGEWRIGHT_RUN }",
      '{ reachable: "[fd00::1]:443" }',
      "{ port: 65535 }",
      "{ clock: 500ms }",
    ],
    [
      "",
      "{}",
      "tool",
      "{ tool: a, port: 1 }",
      "{ disk: /data }",
      "{ disk: { path: /data, free: 0 } }",
      "{ memory: 1 GiBs }",
      "{ memory: 9999999999TB }",
      "{ tool: { name: fio, version: 3 } }",
      '{ tool: { name: fio, version: ">= 3.x" } }',
      "{ variable: 1a }",
      "{ reachable: storage }",
      '{ reachable: "a b:1" }',
      "{ port: 0 }",
      "{ clock: 0 }",
      "{ network: up }",
    ],
  ],
  ["stop_grace", (v) => one(`stop_grace: ${v}`), ["0", "1ms", "10m"], ["-1", "601", "soon"]],
  ["soft_fail", (v) => one(`soft_fail: ${v}`), ["[1]", "[255]"], ["[]", "[0]", "[256]", "7"]],
  ["timeout", (v) => one(`timeout: ${v}`), ["1ms"], ["0", "25d"]],
  ["attempts", (v) => one(`retry: { max_attempts: ${v} }`), ["1", "1000"], ["0", "1001"]],
  [
    "exit codes",
    (v) => one(`retry: { max_attempts: 2, on_exit_codes: ${v} }`),
    ["[0, 255]"],
    ["[-1]", "[256]", listOf(257)],
  ],
  [
    "reasons to retry",
    (v) => one(`retry: { max_attempts: 2, attempt_timeout: 1m, on: ${v} }`),
    ["[failure]", "[timeout]"],
    ["[]", "[death]"],
  ],
  [
    "at_least",
    (v) => one(`barrier: { type: at_least, at_least: ${v} }`),
    ["1", "10000", "1%", "100%"],
    ["0", "10001", "0%", "101%", "1.5"],
  ],
  [
    "at_least in one word",
    (v) => one(`barrier: at_least ${v}`),
    ["1", "10000", "1%", "100%"],
    ["0", "10001", "0%", "101%", "01", "99999"],
  ],
  ["missed_threshold", (v) => one(`barrier: { missed_threshold: ${v} }`), ["1", "1000"], ["0", "1001"]],
  ["query_retries", (v) => one(`barrier: { query_retries: ${v} }`), ["0", "100"], ["-1", "101"]],
  ["on_straggler", (v) => one(`barrier: { on_straggler: ${v} }`), ["exclude", "rejoin"], ["wait"]],
  ["concurrency", (v) => one(`tasks: { count: 1, concurrency: ${v} }`), ["1", "1000"], ["0", "1001"]],
  ["failures of a task", (v) => one(`tasks: { count: 1, max_failures: ${v} }`), ["0", "1000"], ["-1", "1001"]],
  ["losses of a task", (v) => one(`tasks: { count: 1, max_preemptions: ${v} }`), ["0", "100000"], ["-1", "100001"]],
  ["tasks", (v) => one(`tasks: { count: ${v} }`), ["1", "100000"], ["0", "100001"]],
  [
    "value of a task",
    (v) => one(`tasks: [${v}]`),
    [`"${x(65_533)}"`, "null", "{ a: [1] }"],
    [`"${x(65_534)}"`, `"${"ä".repeat(32_767)}"`],
  ],
  [
    "exit and error counts",
    (v) => one(`thresholds: { max_errors: ${v}, max_consecutive_errors: ${v} }`),
    ["0", "9007199254740991"],
    ["-1", "9007199254740992", "0.5"],
  ],
  ["error rate", (v) => one(`thresholds: { max_error_rate: ${v} }`), ["0", "1", "0.5"], ["-0.1", "1.1", "'1'"]],
  [
    "expected counts",
    (v) => `stages: [{ name: prepare, expected_objects: ${v}, expected_tasks: ${v} }]\n`,
    ["0", "9007199254740991"],
    ["-1", "9007199254740992"],
  ],
  ["context_limit", (v) => one(`context_limit: ${v}`), ["1", "104857600"], ["0", "104857601"]],
  [
    "context",
    (v) => one(`context: ${v}`),
    ["a", "[a, b.*]", x(1000), listOf(1000, "a")],
    ["''", "3", x(1001), listOf(1001, "a")],
  ],
  [
    "expectation",
    (v) => one(`expect: { m: "${v}" }`),
    [">= 3", "<=3", "== -1", "!= 0.5", "> 1e3", "< 1E-3", "  >  3  "],
    ["3", "=> 3", "= 3", "> x", "> 1e999", "> .5", ">", "3 > 2"],
  ],
  ["metric", (v) => one(`expect: { "${v}": "> 1" }`), [x(200), "a b"], ["", x(201), "a\\tb"]],
  [
    "argument",
    (v) => `stages: [{ name: a, command: x, args: [${v}] }]\n`,
    ["1", "true", x(100_000)],
    [x(100_001), "[1]", "null", "ä".repeat(50_001)],
  ],
  ["variable", (v) => one(`env: { ${v}: x }`), ["A", "_a1", x(255)], ["1A", "A-B", "STAGEWRIGHT_X", x(256)]],
  ["value of a variable", (v) => one(`env: { A: ${v} }`), ["1", "true", "''"], ["[1]", "{ a: 1 }"]],
  [
    "program and path",
    (v) => `stages: [{ name: a, command: ${v}, working_directory: ${v} }]\n`,
    [x(4096)],
    [x(4097), "''"],
  ],
  [
    "runs_on",
    (v) => one(`runs_on: ${v}`),
    ["all", "first", "[0]", "[9999]", "[a b]", `[${x(100)}]`],
    ["last", "0", "[10000]", "[-1]", "[1.5]", `[${x(101)}]`, '["a\\nb"]'],
  ],
  [
    "ready",
    (v) => one(`background: true, ready: ${v}`),
    ["{ port: 1 }", "{ port: 65535 }", "{ run: y }"],
    ["{ port: 0 }", "{ port: 65536 }", "{ run: '' }", "{}", "{ port: 1, run: y }", "1"],
  ],
  ["when", (v) => one(`when: ${v}`), ["on_success", "on_failure", "always"], ["never"]],
  ["flags", (v) => one(`optional: ${v}, checkpoint: ${v}`), ["true", "false"], ["1", "'true'", "yes"]],
  [
    "type",
    (v) => `stages: [{ name: a, run: x, type: ${v} }]\n`,
    ["validation", "prepare", "execute", "custom", "cleanup", "hybrid"],
    ["other", "1"],
  ],
  [
    "weight and shares",
    (v) => `stages: [{ name: q, type: quorum, max_retries: 0, validators: [{ name: v, run: x, ${v} }] }]\n`,
    ["weight: 0.001", "weight: 1000000", "weight: 0.3", "timeout: 3s"],
    ["weight: 0", "weight: -1", "weight: 0.0001", "weight: 1000001", "weight: x", "timeout: 0"],
  ],
  [
    "shares of a quorum",
    (v) =>
      `stages: [{ name: a, run: x }, { name: q, type: quorum, retry_stages: [a], validators: [{ name: v, run: x }], ${v} }]\n`,
    ["pass_at: 100%", "pass_at: 66.67%", "retry_at: 0.01%", "retry_at: 40 %", "max_retries: 50", "backoff: 0"],
    ["pass_at: 0%", "pass_at: 101%", "pass_at: 60", "retry_at: 0.001%", "max_retries: 51", "on_exhausted: stop"],
  ],
  ["tree and paths", (v) => top(`tree_creation_mode: ${v}`), ["isolated", "coordinator", "concurrent"], ["random"]],
  ["paths", (v) => top(`path_selection: ${v}`), ["partitioned", "exclusive", "random"], ["isolated"]],
  [
    "dependencies",
    (v) => `stages: [{ name: a, run: x }, { name: b, run: x, depends_on: ${v} }]\n`,
    ["[a]", "[]", "[{ stage: a }]", "[{ stage: a, even_if: [skipped, failed] }]"],
    ["a", "[1]", "[{ stage: a, even_if: [] }]", "[{}]", "[{ stage: a, even_if: [done] }]"],
  ],
  [
    "type of a parameter",
    (v) => top(`params: { p: { type: ${v}, default: 1 } }`),
    ["integer", "number"],
    ["boolean", "string", "float"],
  ],
  ["name of a parameter", (v) => top(`params: { ${v}: { default: y } }`), [x(64), "_a"], [x(65), "1a", "a.b"]],
  [
    "values of a parameter",
    (v) => top(`params: { p: { default: a, enum: ${v} } }`),
    ["[a]", listOf(1000, "a")],
    ["[]", listOf(1001, "a")],
  ],
];

describe.each(TABLE)("%s", (_name, write, accepted, refused) => {
  it("is accepted up to its bounds", () => {
    const told = accepted.map((value) =>
      readPlan(write(value), "p").problems.filter(({ severity }) => severity === "error"),
    );
    expect(told).toEqual(accepted.map(() => []));
  });

  it("is refused beyond", () => {
    expect(refused.filter((value) => readPlan(write(value), "p").plan !== null)).toEqual([]);
  });
});

describe("a whole file", () => {
  it("may have 1 MiB, and no byte more", () => {
    const text = "stages: [{ name: a, run: x }]\n#";
    const full = text + x(PLAN_BOUNDS.fileBytes - text.length);
    expect(readPlan(full, "p").plan).not.toBeNull();
    expect(readPlan(`${full}x`, "p").plan).toBeNull();
    expect(readPlan(new TextEncoder().encode(full), "p").plan).not.toBeNull();
    expect(readPlan(full.replace("xx", "ä"), "p").plan).not.toBeNull();
    expect(readPlan(full.replace("#xx", "#ää"), "p").plan).toBeNull();
  });

  it("may have 1,000 stages, and no more", () => {
    const repeated = (times: number): string =>
      `stages: [{ repeat: ${times}, stages: [{ name: a, run: x }] }, { name: b, run: x }]\n`;
    expect(readPlan(repeated(999), "p").plan?.stages.length).toBe(1_000);
    expect(readPlan(repeated(1_000), "p").plan).toBeNull();
  });

  it("may have 4 MiB with all that is repeated", () => {
    const repeated = (times: number): string =>
      `stages: [{ repeat: ${times}, stages: [{ name: a, run: ${x(40_000)} }] }]\n`;
    expect(readPlan(repeated(100), "p").plan).not.toBeNull();
    expect(readPlan(repeated(105), "p").problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("more than 4 MiB"),
    ]);
  });

  it("may have 4 MiB to the byte, as it is sent", () => {
    const long = (rest: number): string =>
      `stages: [{ repeat: 100, stages: [{ name: a, run: ${x(40_000)} }] }, { name: b, run: ${x(20_000 + rest)} }]\n`;
    const { plan } = readPlan(long(0), "p");
    const left = PLAN_BOUNDS.planBytes - jsonBytes(plan);
    expect(jsonBytes(readPlan(long(left), "p").plan)).toBe(PLAN_BOUNDS.planBytes);
    expect(readPlan(long(left + 1), "p").plan).toBeNull();
  });
});

it("bytes of a value are those of its JSON", () => {
  expect([jsonBytes("ä"), jsonBytes({ a: 1 }), jsonBytes(undefined)]).toEqual([4, 7, 0]);
});

it.each<[unknown, number, boolean]>([
  ["text", 0, false],
  [null, 0, false],
  [[], 0, false],
  [[null, "text", undefined, 1], 1, false],
  [[null, "text"], 0, true],
  [{ a: { b: "text" } }, 2, false],
  [{ a: { b: "text" } }, 1, true],
  [[[], {}, [[]]], 2, false],
  [[[], {}, [[1]]], 2, true],
])("%j stands more than %i deep: %s", (value, most, deeper) => {
  expect(isDeeper(value, most)).toBe(deeper);
});

it("shares of a quorum are percent", () => {
  const shares = ["100%", "66.67%", "40 %", "0.01%"].map((share) => {
    const text = `stages: [{ name: q, type: quorum, max_retries: 0, validators: [{ name: v, run: x }], pass_at: ${share} }]\n`;
    return readPlan(text, "p").plan?.stages[0]?.quorum?.passAt;
  });
  expect(shares).toEqual([100, 66.67, 40, 0.01]);
});

it("what a quorum repeats are the stages that it names, each once, by the names of their repetitions", () => {
  const text = `stages:
  - { repeat: 2, stages: [{ name: a, run: x }] }
  - { name: b, run: x }
  - { name: q, type: quorum, validators: [{ name: v, run: x }], retry_stages: [b, a-2, b] }
`;
  expect(readPlan(text, "p").plan?.stages.at(-1)?.quorum?.retryStages).toEqual(["b", "a-2"]);
});

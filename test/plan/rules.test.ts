import { describe, expect, it } from "vitest";
import { formatProblem, readPlan } from "../../src/plan/read.ts";

/** Everything said of a plan, without the file's name. */
function said(text: string, params: Record<string, string> = {}): string[] {
  return readPlan(text, "p.yml", { params }).problems.map((problem) => formatProblem(problem).replace(/^p\.yml:/, ""));
}

const one = (stage: string) => `stages:\n  - ${stage}\n`;

describe("each rule is told at its place", () => {
  it.each<[string, string, string[]]>([
    [
      "an unknown top key",
      "stagse: []\nworkload: { prepare: x }\n",
      ['1:1: error: unknown key "stagse"; did you mean "stages"?'],
    ],
    [
      "an unknown stage key",
      one("{ name: a, rnu: x, run: y }"),
      ['2:16: error: unknown key "rnu"; did you mean "run"?'],
    ],
    [
      "a nested unknown key",
      one("{ name: a, run: y, retry: { max_atempts: 2, max_attempts: 2 } }"),
      ['2:33: error: retry: unknown key "max_atempts"; did you mean "max_attempts"?'],
    ],
    ["a missing name", one("{ run: x }"), ['2:5: error: a stage has no name, expected "name"']],
    [
      "a wrong duration",
      one("{ name: a, run: x, timeout: 5 minutes }"),
      [
        '2:33: error: timeout: expected a duration such as 90 (seconds), "90s", "5m" or "1h30m", longer than 0, got "5 minutes"',
      ],
    ],
    [
      "a zero timeout",
      one("{ name: a, run: x, timeout: 0 }"),
      ['2:33: error: timeout: expected a duration such as 90 (seconds), "90s", "5m" or "1h30m", longer than 0, got 0'],
    ],
    [
      "a duration beyond timers",
      one("{ name: a, run: x, timeout: 30d }"),
      ['2:33: error: timeout: expected at most 24d, got "30d"'],
    ],
    [
      "an illegal completion",
      one("{ name: prepare, completion: script_exit, run: x }"),
      [
        "2:34: error: completion: a stage of type prepare cannot end by script_exit, expected tasks_done or duration_or_tasks",
      ],
    ],
    [
      "script_exit without a command",
      one("{ name: a }"),
      ['2:5: error: a custom stage (completion: script_exit) needs a command, expected "run" or "command"'],
    ],
    [
      "duration without a duration",
      one("{ name: a, type: execute, completion: duration }"),
      ['2:31: error: completion: duration needs how long, expected "duration"'],
    ],
    [
      "a key that its completion ignores",
      one("{ name: a, run: x, max_duration: 1s }"),
      [
        "2:24: error: max_duration: it has no effect with completion: script_exit (type custom), expected validation_passed or duration_or_tasks; or use timeout",
      ],
    ],
    [
      "run beside command",
      one("{ name: a, run: x, command: y }"),
      ['2:24: error: command: the stage has "run", too, expected one of them'],
    ],
    [
      "args without command",
      one("{ name: a, run: x, args: [y] }"),
      ['2:24: error: args: they belong to "command", which is not here'],
    ],
    [
      "a soft failure that is tried again",
      one("{ name: a, run: x, soft_fail: [3, 4], retry: { max_attempts: 2, on_exit_codes: [4] } }"),
      ["2:24: error: soft_fail: exit code 4 is never tried again, but stands in retry.on_exit_codes, too"],
    ],
    [
      "a soft failure of a background command",
      one("{ name: a, run: x, background: true, soft_fail: [3] }"),
      [
        '2:42: error: soft_fail: it has no effect on a background command, which ends after "until" ("the last stage before cleanup")',
      ],
    ],
    [
      "timeout twice",
      one("{ name: a, run: x, timeout: 1s, timeout_secs: 1 }"),
      ['2:37: error: timeout_secs: the stage has "timeout", too, expected one of them'],
    ],
    [
      "a timeout within the duration",
      one("{ name: a, duration: 1h, timeout: 5m }"),
      ["2:39: error: timeout (5m) ends the stage before its duration (1h) is over, expected a longer one"],
    ],
    [
      "a duplicate name",
      "stages:\n  - { name: a, run: x }\n  - { name: a, run: x }\n",
      ['3:13: error: name: there is another stage "a" at line 2, expected distinct names'],
    ],
    [
      "a duplicate order",
      "stages:\n  - { name: a, order: 1, run: x }\n  - { name: b, order: 1, run: x }\n",
      ['3:23: error: order: 1 is already that of "a" at line 2'],
    ],
    [
      "order on some stages only",
      "stages:\n  - { name: a, order: 1, run: x }\n  - { name: b, run: x }\n",
      ['3:5: error: this stage has no "order" though others have, expected it on all stages or on none'],
    ],
    [
      "order on some stages only, and what they need",
      "stages:\n  - { name: a, order: 1, run: x }\n  - { name: b, run: x }\n  - { name: c, order: 2, run: x, depends_on: [b] }\n",
      ['3:5: error: this stage has no "order" though others have, expected it on all stages or on none'],
    ],
    [
      "tasks from nowhere",
      one("{ name: a, run: x, tasks: {} }"),
      ["2:31: error: tasks: expected one of values, count, from and from_stage, got none of them"],
    ],
    [
      "a gap in the order",
      "stages:\n  - { name: a, order: 1, run: x }\n  - { name: b, order: 4, run: x }\n",
      ["3:23: warning: order: there is a gap between 1 and 4"],
    ],
    [
      "a dependency on nobody",
      "stages:\n  - { name: prepare }\n  - { name: b, run: x, depends_on: [prepair] }\n",
      ['3:37: error: depends_on: there is no stage "prepair"; did you mean "prepare"?'],
    ],
    [
      "a dependency on a later stage",
      "stages:\n  - { name: a, run: x, depends_on: [b] }\n  - { name: b, run: x }\n",
      ['2:37: error: depends_on: "b" runs later, expected an earlier stage'],
    ],
    [
      "a dependency on nobody, whatever became of it",
      "stages:\n  - { name: a, run: x, depends_on: [{ stage: b, even_if: [failed] }] }\n",
      ['2:37: error: depends_on: there is no stage "b"'],
    ],
    [
      "a dependency with an end that there is not",
      one("{ name: a, run: x }\n  - { name: b, run: x, depends_on: [{ stage: a, even_if: [broken] }] }"),
      ['3:59: error: depends_on.0.even_if.0: expected failed | skipped, got "broken"'],
    ],
    [
      "a dependency on itself",
      one("{ name: a, run: x, depends_on: [a] }"),
      ["2:37: error: depends_on: a stage cannot need its own result"],
    ],
    [
      "quorum",
      one("{ name: q, type: quorum, validators: [] , run: x}"),
      [
        '2:5: error: a quorum stage can say RETRY, expected "retry_stages", or "max_retries: 0"',
        "2:42: error: validators: expected at least one validator, got an empty list",
        '2:47: error: run: it has no effect on a quorum stage: expected "run" in each of the validators',
      ],
    ],
    [
      "what a quorum sends back",
      one(
        `{ name: a, run: x }
  - { name: serve, run: x, background: true, until: last }
  - { name: q, type: quorum, validators: [{ name: v, run: x }, { name: v, run: x }], retry_stages: [a, b, last] }
  - { name: last, run: x }`,
      ),
      [
        '4:72: error: validators: there is another "v", expected distinct names',
        '4:86: error: retry_stages: the background stage "serve" begins among what is repeated and lives on after this stage, expected "until: q" there, or that it begins before "a"',
        '4:104: error: retry_stages: there is no stage "b"',
        '4:107: error: retry_stages: "last" does not run before this stage, expected an earlier one',
      ],
    ],
    [
      "a quorum that sends itself back",
      one("{ name: q, type: quorum, validators: [{ name: v, run: x }], retry_stages: [q] }"),
      ['2:80: error: retry_stages: "q" does not run before this stage, expected an earlier one'],
    ],
    [
      "what is repeated no time, where all is too much",
      "stages:\n  - { repeat: 0, stages: [{ name: a, run: x, depends_on: [z] }] }\n  - { repeat: 1000, stages: [{ name: b, run: x }, { name: c, run: x }] }\n",
      ["3:15: error: the plan would have 2000 stages, expected at most 1000"],
    ],
    [
      "tasks of another stage",
      one(
        `{ name: a, tasks: [1], run: x }
  - { name: b, run: x, tasks: { from_stage: a } }
  - { name: c, run: x, tasks: { from_stage: d } }
  - { name: d, run: x, tasks: [{ id: 1, needs: [2] }, { id: 2, needs: x }] }
  - { name: e, run: x, tasks: { values: [1], count: 2 } }`,
      ),
      [
        '3:45: error: from_stage: what "a" tells are tasks of its own, expected a stage without tasks',
        '4:45: error: from_stage: "d" does not run before this stage, expected an earlier one',
        '5:55: error: tasks: needs: expected a list of task keys, got "x"',
        "6:31: error: tasks: expected one of values, count, from and from_stage, got values and count",
      ],
    ],
    [
      "keys of a quorum elsewhere, and those of other stages in it",
      one(
        "{ name: a, run: x, pass_at: 60% }\n  - { name: q, type: quorum, validators: [{ name: v, run: x, weight: 0 }], max_retries: 0, when: always, pass_at: 60 }",
      ),
      [
        '2:24: error: pass_at: it belongs to "type: quorum", which is not here',
        "3:70: error: validators.0.weight: expected a number above 0 and up to 1000000, with at most three decimals, got 0",
        "3:92: error: when: it has no effect on a quorum stage: a quorum decides how a run goes on that has not failed",
        '3:115: error: pass_at: expected a share of the weight such as "60%", got 60',
      ],
    ],
    [
      "what has no effect on a quorum, beside what it says of itself",
      one(
        "{ name: q, type: quorum, validators: [{ name: v, run: x }], max_retries: 0, when: on_success, soft_fail: [2] }",
      ),
      ["2:99: error: soft_fail: it has no effect on a quorum stage: whoever does not exit with 0 has not voted"],
    ],
    [
      "weighted shares",
      "weights: [1, 2]\nworkload: { preflight: x }\n",
      ["1:1: error: weights: weighted shares are not built yet"],
    ],
    [
      "task globs",
      one("{ name: a, run: x, tasks: { glob: '*.txt' } }"),
      ["2:33: error: tasks.glob: tasks from a glob are not built yet, expected values, count or from"],
    ],
    [
      "an unknown param",
      'params: { epochs: { type: integer, default: 2 } }\nstages:\n  - repeat: "{{params.epoch}}"\n    stages: [{ name: a, run: x }]\n',
      [
        '3:13: error: repeat: expected a whole number from 0 to 1000, got "{{params.epoch}}"',
        '3:13: error: unknown parameter "epoch"; did you mean "epochs"?, expected one that "params" declares',
      ],
    ],
    [
      "a param in a command",
      "params: { a: { default: x } }\nstages:\n  - { name: a, run: 'echo {{params.a}}' }\n",
      ["3:21: warning: parameters are not put into commands, expected $STAGEWRIGHT_PARAM_A in place of {{params.a}}"],
    ],
    [
      "a param without value",
      "params: { a: { type: integer } }\nworkload: { preflight: x, prepare: x }\n",
      ['1:11: error: the parameter "a" has no default, expected it to be given (--param a=…)'],
    ],
    [
      "a param's default of another type",
      "params: { a: { type: integer, default: x } }\nworkload: { preflight: x }\n",
      ['1:40: error: params.a.default: expected a whole number, got "x"'],
    ],
    [
      "too many stages",
      "stages:\n  - repeat: 1000\n    stages: [{ name: a, run: x }, { name: b, run: x }]\n",
      ["2:13: error: the plan would have 2000 stages, expected at most 1000"],
    ],
    [
      "order in a repetition",
      "stages:\n  - repeat: 2\n    stages: [{ name: a, run: x, order: 1 }]\n",
      ["3:33: error: order: a repeated stage cannot have one, expected the file's order"],
    ],
    [
      "a contradicting tree",
      "tree_creation_mode: coordinator\nshared_filesystem: false\nworkload: { prepare: x }\n",
      ["1:21: error: tree_creation_mode: coordinator needs a tree that all agents see, but shared_filesystem is false"],
    ],
    [
      "roles against agents",
      "agents: 3\nroles: { server: 1, client: 3 }\nworkload: { prepare: x }\n",
      ["2:1: error: roles: they are 4 agents together, but agents says 3"],
    ],
    [
      "an unknown role",
      "roles: { server: 1 }\nstages: [{ name: a, run: x, role: sever }]\n",
      ['2:35: error: role: unknown role "sever"; did you mean "server"?, expected one of server'],
    ],
    [
      "a role of none",
      one("{ name: a, run: x, role: r }"),
      ['2:30: error: role: unknown role "r", expected "roles" in the plan'],
    ],
    [
      "a baseline of more runs than are looked at",
      one("{ name: a, run: x, expect: { m: { baseline: { from: r, better: bigger, runs: 3, at_least: 4 } } } }"),
      ["2:95: error: expect.m.baseline.at_least: 4 are never looked at, of 3 runs"],
    ],
    [
      "an agent that is not there",
      "agents: 2\nstages: [{ name: a, run: x, runs_on: [2] }]\n",
      ["2:39: error: runs_on: there is no agent 2, expected 0 to 1"],
    ],
    [
      "more at a barrier than agents",
      "agents: 2\nstages: [{ name: a, run: x, barrier: at_least 3 }]\n",
      ["2:38: error: barrier: at_least 3, but the group has only 2 agents"],
    ],
    [
      "a loss before the heartbeats",
      "liveness: { lost_after: 10s }\nstages: [{ name: a, run: x, barrier: { heartbeat_interval: 5s, missed_threshold: 3 } }]\n",
      [
        "2:38: error: liveness.lost_after (10s) must be at least missed_threshold × heartbeat_interval of this stage's barrier (15s)",
      ],
    ],
    [
      "tasks in a circle",
      one("{ name: a, run: x, tasks: { values: [p, q], needs: { p: [q], q: [p] } } }"),
      ['2:61: error: needs: tasks need each other in a circle: "p" → "q" → "p"'],
    ],
    [
      "tasks with one key",
      one("{ name: a, run: x, tasks: [p, p] }"),
      ['2:35: error: tasks: two tasks have the key "p", expected distinct values or ids'],
    ],
    [
      "ready without background",
      one("{ name: a, run: x, ready: { port: 1 } }"),
      ['2:24: error: ready: it belongs to "background: true", which is not here'],
    ],
    [
      "until an earlier stage",
      "stages:\n  - { name: a, run: x }\n  - { name: b, run: x, background: true, until: a }\n",
      ['3:49: error: until: "a" does not run after this stage, expected a later one'],
    ],
    [
      "retry without attempts",
      one("{ name: a, run: x, retry: { backoff: 1s } }"),
      ['2:24: error: retry: nothing would be tried again, expected "max_attempts"'],
    ],
    [
      "a timeout for several attempts, where one was meant",
      one("{ name: a, run: x, timeout: 5m, retry: { max_attempts: 3 } }"),
      ['2:37: warning: retry: timeout (5m) bounds all 3 attempts together, expected "attempt_timeout" to bound one'],
    ],
    [
      "timeouts to be tried again that there are not",
      one("{ name: a, run: x, timeout: 5m, retry: { max_attempts: 3, on: [timeout] } }"),
      [
        '2:37: warning: retry: timeout (5m) bounds all 3 attempts together, expected "attempt_timeout" to bound one',
        '2:63: error: retry: on: timeout needs "attempt_timeout": after the timeout of the stage nothing is tried again',
      ],
    ],
    [
      "an attempt's timeout within its duration",
      one("{ name: a, run: x, duration: 1h, retry: { max_attempts: 2, attempt_timeout: 5m } }"),
      [
        "2:64: error: retry: attempt_timeout (5m) ends each attempt before its duration (1h) is over, expected a longer one",
      ],
    ],
    [
      "an attempt's timeout beyond its stage's",
      one("{ name: a, run: x, timeout: 5m, retry: { max_attempts: 2, attempt_timeout: 5m } }"),
      [
        "2:63: warning: retry: attempt_timeout (5m) is not shorter than the stage's timeout (5m), which bounds all attempts together",
      ],
    ],
    [
      "exit codes of failures that are not tried again",
      one("{ name: a, run: x, retry: { max_attempts: 2, attempt_timeout: 5m, on: [timeout], on_exit_codes: [75] } }"),
      ['2:86: error: retry: on_exit_codes is about failures, which "on" leaves out'],
    ],
    [
      "keys beside distributed",
      "agents: 2\ndistributed: { workload: { prepare: x } }\n",
      ['1:1: error: "agents" stands beside "distributed", expected "agents" inside "distributed"'],
    ],
    [
      "a misspelt name beside distributed",
      "nmae: a\ndistributed: { stages: [{ name: a, run: x }] }\n",
      ['1:1: error: "nmae" stands beside "distributed"; did you mean "name"?'],
    ],
    [
      "an unused workload",
      "workload: { execute: x }\nstages: [{ name: a, run: x }]\n",
      ["1:13: warning: workload.execute: no stage uses this command"],
    ],
  ])("%s", (_, text, expected) => {
    expect(said(text)).toEqual(expect.arrayContaining(expected));
    expect(said(text).length).toBeLessThanOrEqual(
      expected.length + (text.startsWith("params") || text.includes("workload") ? 1 : 0),
    );
  });

  it.each([
    ["duration: 1s", "max_duration or timeout"],
    ["max_duration: 1s", "timeout"],
    ["expected_objects: 1", "expect"],
    ["expected_tasks: 1", "expect"],
    ["tasks: [1]", "completion: duration_or_tasks"],
  ])("a key that its completion ignores is told with what to use instead: %s", (key, instead) => {
    expect(said(one(`{ name: a, type: custom, completion: script_exit, run: x, ${key} }`))).toEqual([
      expect.stringMatching(
        `^2:63: error: ${key.split(":")[0]}: it has no effect with completion: script_exit .*; or use ${instead}$`,
      ),
    ]);
  });

  it("a background command may be the workload's", () => {
    const stages = one("{ name: a, type: prepare, background: true }\n  - { name: b, run: x }");
    expect(said(`workload: { prepare: x }\n${stages}`)).toEqual([]);
    expect(said(stages)).toEqual([expect.stringMatching("^2:31: error: background: ")]);
  });

  it.each(["weight", "weights", "shares"])("the key %s of a stage is told as not built yet", (key) => {
    expect(said(one(`{ name: a, run: x, ${key}: 1 }`))).toEqual([
      expect.stringMatching(`^2:24: error: ${key}: .* not built yet$`),
    ]);
  });

  it("five different mistakes are five lines, in the file's order", () => {
    const text = [
      "agents: four",
      "stages:",
      "  - name: prepare",
      "    type: prepare",
      "    completion: script_exit",
      "  - name: work",
      "    run: echo",
      "    timeout: soon",
      "    depends_on: [prepair]",
      "  - { name: work, duratoin: 1h, run: x }",
    ].join("\n");
    expect(said(text).map((line) => line.replace(/^(\d+:\d+): error: (.*)$/, "$1 $2").slice(0, 41))).toEqual([
      "1:9 agents: expected a number of agents o",
      "5:17 completion: a stage of type prepare ",
      "8:14 timeout: expected a duration such as",
      '9:18 depends_on: there is no stage "prepa',
      '10:13 name: there is another stage "work"',
      '10:19 unknown key "duratoin"; did you mea',
    ]);
    expect(readPlan(text, "p.yml").plan).toBeNull();
  });

  it("parameters that are given are parsed by their type", () => {
    const text =
      "params: { n: { type: integer } }\nstages:\n  - repeat: '{{params.n}}'\n    stages: [{ name: a, run: x }]\n";
    expect(readPlan(text, "p.yml", { params: { n: "3" } }).plan?.stages.map(({ name }) => name)).toEqual([
      "a-1",
      "a-2",
      "a-3",
    ]);
    expect(said(text, { n: "3x" })).toEqual([
      '1:11: error: the parameter "n" was given as "3x", expected a whole number',
    ]);
    expect(said(text, { n: "3", m: "1" })).toEqual([
      '1:1: error: the parameter "m" was given, but this plan does not declare it',
    ]);
  });
});

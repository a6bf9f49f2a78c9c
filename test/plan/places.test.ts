import { describe, expect, it } from "vitest";
import { readPlan } from "../../src/plan/read.ts";

/** Where something is wrong, how badly, and with which key (or the first words): `line:column error key`. */
function places(text: string | Uint8Array, params: Record<string, string> = {}): string[] {
  return readPlan(text, "p", { params }).problems.map(({ line, column, severity, message }) => {
    const key = /^[\w.]+(?=:)/.exec(message)?.[0];
    const about = key ?? message.split(" ").slice(0, 3).join(" ");
    return `${line}:${column} ${severity} ${about}`;
  });
}

const one = (stage: string): string => `stages:\n  - ${stage}\n`;

describe("all that is wrong is told where it stands, and nothing else", () => {
  it.each<[string, string, string[]]>([
    ["a name that is no word", one("{ name: 1a, run: x }"), ["2:13 error name"]],
    ["stages that are none", "stages: 3\n", ["1:9 error stages"]],
    ["an empty list of stages", "stages: []\n", ["1:9 error stages"]],
    ["a stage that is no mapping", "stages:\n  - a\n  - { name: b, run: x }\n", ["2:5 error stages.0"]],
    ["a repetition without stages", "stages:\n  - { repeat: 2 }\n", ["2:5 error stages"]],
    [
      "an unknown key of a repetition",
      one("{ repeat: 1, stages: [{ name: a, run: x }], name: b }"),
      ['2:49 error unknown key "name"'],
    ],
    ["distributed that is no mapping", "distributed: 3\n", ["1:14 error distributed", "1:14 warning the plan does"]],
    ["the name twice", "distributed:\n  name: b\n  stages: [{ name: a, run: x }]\nname: a\n", ["4:1 error name"]],
    [
      "a misspelt name beside distributed",
      "\nnmae: a\ndistributed:\n  stages: [{ name: a, run: x }]\n",
      ['2:1 error "nmae" stands beside'],
    ],
    ["a plan that does nothing", "agents: 2\n", ["1:1 warning the plan does"]],
    ["an agent's id twice", "agents: [{ id: a }, { id: a }]\nstages: [{ name: a, run: x }]\n", ["1:27 error agents.1"]],
    [
      "an agent's address twice",
      "agents: [{ address: n:1 }, { address: n:1 }]\nstages: [{ name: a, run: x }]\n",
      ["1:39 error agents.1"],
    ],
    ["port 0", "agents: [{ address: n:0 }]\nstages: [{ name: a, run: x }]\n", ["1:21 error agents.0.address"]],
    [
      "a port beyond the last",
      "agents: [{ address: n:65536 }]\nstages: [{ name: a, run: x }]\n",
      ["1:21 error agents.0.address"],
    ],
    [
      "the first and the last port",
      "agents: [{ address: n:1 }, { address: n:65535 }]\nstages: [{ name: a, run: x }]\n",
      [],
    ],
    [
      "fewer agents than come together",
      "agents: 2\nassembly: { at_least: 3 }\nstages: [{ name: a, run: x }]\n",
      ["2:23 error assembly.at_least"],
    ],
    [
      "as many agents as come together",
      "agents: 2\nassembly: { at_least: 2 }\nstages: [{ name: a, run: x, barrier: at_least 2 }]\n",
      [],
    ],
    ["a role without roles", one("{ name: a, run: x, role: r }"), ["2:30 error role"]],
    ["no agent to run on", one("{ name: a, run: x, runs_on: [] }"), ["2:33 error runs_on"]],
    ["an agent twice", one("{ name: a, run: x, runs_on: [b, b] }"), ["2:37 error runs_on"]],
    [
      "an agent that is not listed",
      "agents: [{ id: one }]\nstages: [{ name: a, run: x, runs_on: [onw] }]\n",
      ["2:39 error runs_on"],
    ],
    [
      "agents by name where none are listed, and the last index",
      "agents: 2\nstages: [{ name: a, run: x, runs_on: [b, 1] }]\n",
      [],
    ],
    [
      "a role beside agents' names",
      "agents: [{ id: one }]\nroles: { s: 1 }\nstages: [{ name: a, run: x, role: s, runs_on: [one] }]\n",
      [],
    ],
    [
      "at_least beside another policy",
      one("{ name: a, run: x, barrier: { type: majority, at_least: 2 } }"),
      ["2:33 error barrier"],
    ],
    ["at_least without a number", one("{ name: a, run: x, barrier: at_least }"), ["2:33 error barrier"]],
    [
      "at_least with two",
      one("{ name: a, run: x, barrier: { type: at_least 2, at_least: 2 } }"),
      ["2:33 error barrier"],
    ],
    [
      "a barrier of a type that no stage has",
      `barrier_sync: { cleanup: { type: none, at_least: 2 } }\n${one("{ name: a, run: x }")}`,
      ["1:26 error barrier"],
    ],
    [
      "a warning before the first heartbeat",
      `liveness: { warn_after: 2s }\n${one("{ name: a, run: x }")}`,
      ["1:25 error liveness"],
    ],
    [
      "a loss before the first heartbeat",
      `liveness: { lost_after: 2s }\n${one("{ name: a, run: x }")}`,
      ["1:25 error liveness"],
    ],
    [
      "a loss before the warning",
      `liveness: { warn_after: 20s, lost_after: 19s }\n${one("{ name: a, run: x }")}`,
      ["1:42 error liveness"],
    ],
    [
      "a silence longer than any timer",
      one("{ name: a, run: x, barrier: { heartbeat_interval: 1d, missed_threshold: 25 } }"),
      ["2:33 error barrier"],
    ],
    [
      "a barrier's threshold alone",
      `liveness: { lost_after: 5s, warn_after: 3s }\n${one("{ name: a, run: x, barrier: { missed_threshold: 3 } }")}`,
      ["3:33 error liveness.lost_after (5s) must"],
    ],
    [
      "a barrier's heartbeat alone",
      `liveness: { lost_after: 5s, warn_after: 3s }\n${one("{ name: a, run: x, barrier: { heartbeat_interval: 5s } }")}`,
      [],
    ],
    [
      "a longest pause that is shorter than the first",
      one("{ name: a, run: x, retry: { max_attempts: 2, backoff: 2s, max_backoff: 1s } }"),
      ["2:76 error retry"],
    ],
    [
      "pauses that are the same",
      one("{ name: a, run: x, retry: { max_attempts: 2, backoff: 2s, max_backoff: 2s } }"),
      [],
    ],
    [
      "an exit code in both lists",
      one("{ name: a, run: x, retry: { max_attempts: 2, on_exit_codes: [1, 2], not_on_exit_codes: [2] } }"),
      ["2:73 error retry"],
    ],
    [
      "lists of failures beside on: failure",
      one("{ name: a, run: x, retry: { max_attempts: 2, on: [failure], on_exit_codes: [1], not_on_exit_codes: [2] } }"),
      [],
    ],
    [
      "lists of failures beside on: timeout",
      one(
        "{ name: a, run: x, retry: { max_attempts: 2, attempt_timeout: 1m, on: [timeout], on_exit_codes: [1], not_on_exit_codes: [2] } }",
      ),
      ["2:86 error retry", "2:106 error retry"],
    ],
    [
      "a time that is over at once with max_duration",
      one("{ name: a, type: validation, run: x, max_duration: 5m, retry: { max_attempts: 2, on: [timeout] } }"),
      [],
    ],
    [
      "an attempt as long as its max_duration",
      one("{ name: a, type: validation, run: x, max_duration: 5m, retry: { max_attempts: 2, attempt_timeout: 5m } }"),
      ["2:86 warning retry"],
    ],
    [
      "an attempt a little longer than its max_duration",
      one("{ name: a, type: validation, run: x, max_duration: 5m, retry: { max_attempts: 2, attempt_timeout: 301 } }"),
      [],
    ],
    [
      "an attempt as long as its duration",
      one("{ name: a, duration: 5m, retry: { max_attempts: 2, attempt_timeout: 5m } }"),
      ["2:56 error retry"],
    ],
    [
      "an attempt a little longer than its duration",
      one("{ name: a, duration: 5m, retry: { max_attempts: 2, attempt_timeout: 301 } }"),
      [],
    ],
    [
      "an attempt a little shorter than its stage",
      one("{ name: a, run: x, timeout_secs: 5m, retry: { max_attempts: 2, attempt_timeout: 299 } }"),
      [],
    ],
    [
      "an attempt as long as timeout_secs",
      one("{ name: a, run: x, timeout_secs: 5m, retry: { max_attempts: 2, attempt_timeout: 5m } }"),
      ["2:68 warning retry"],
    ],
    ["one attempt beside a timeout", one("{ name: a, run: x, timeout: 5m, retry: { max_attempts: 1 } }"), []],
    [
      "a timeout as long as the duration",
      one("{ name: a, duration: 1m, timeout_secs: 1m }"),
      ["2:44 error timeout (1m) ends"],
    ],
    ["a timeout a little longer", one("{ name: a, duration: 1m, timeout: 61 }"), []],
    [
      "a timeout as long as max_duration",
      one("{ name: a, type: validation, max_duration: 1m, timeout: 1m }"),
      ["2:61 warning timeout (1m) fails"],
    ],
    [
      "a timeout a little longer than max_duration",
      one("{ name: a, type: validation, max_duration: 1m, timeout: 61 }"),
      [],
    ],
    [
      "expected counts where nothing is counted",
      one("{ name: a, run: x, expected_objects: 1, expected_tasks: 1 }"),
      ["2:24 error expected_objects", "2:45 error expected_tasks"],
    ],
    ["expected counts where they are", one("{ name: prepare, run: x, expected_objects: 1, expected_tasks: 1 }"), []],
    ["tasks without their completion", one("{ name: a, type: validation, run: x, tasks: [1] }"), ["2:42 error tasks"]],
    ["tasks without a command", one("{ name: prepare, tasks: [1] }"), ["2:22 error tasks need a"]],
    [
      "options of tasks that there are not",
      one("{ name: a, run: x, concurrency: 2, max_failures: 1, max_preemptions: 1, needs: {} }"),
      ["2:24 error concurrency", "2:40 error max_failures", "2:57 error max_preemptions", "2:77 error needs"],
    ],
    [
      "options of tasks twice",
      one("{ name: a, run: x, tasks: { count: 1, concurrency: 2 }, concurrency: 2 }"),
      ["2:61 error concurrency"],
    ],
    ["tasks from nowhere", one("{ name: a, run: x, tasks: {} }"), ["2:31 error tasks"]],
    ["tasks from two places", one("{ name: a, run: x, tasks: { count: 1, from: x } }"), ["2:31 error tasks"]],
    [
      "tasks with one key in a mapping",
      one("{ name: a, run: x, tasks: { values: [p, { id: p }] } }"),
      ["2:45 error tasks"],
    ],
    ["tasks whose keys are numbers of each other", one("{ name: a, run: x, tasks: [{}, '0'] }"), ["2:36 error tasks"]],
    [
      "a task that is needed by nobody's key",
      one("{ name: a, run: x, tasks: [1, true], needs: { 2: [3], 'true': [1] } }"),
      ["2:51 error needs", "2:55 error needs"],
    ],
    [
      "a counted task beyond the last",
      one("{ name: a, run: x, tasks: { count: 2, needs: { 1: [2], 0: ['01'] } } }"),
      ["2:56 error needs", "2:64 error needs"],
    ],
    [
      "what tasks need of tasks that are not known yet",
      one("{ name: a, run: x, tasks: { from: x, needs: { p: [q] } } }"),
      [],
    ],
    [
      "tasks in a longer circle",
      one("{ name: a, run: x, tasks: [p, q, r, s], needs: { p: [q], q: [r, s], r: [], s: [q] } }"),
      ["2:65 error needs"],
    ],
    ["a task that two need", one("{ name: a, run: x, tasks: [p, q, r], needs: { p: [r], q: [r, p] } }"), []],
    ["background without a command", one("{ name: a, type: validation, background: true }"), ["2:34 error background"]],
    ["background without a command of any type", one("{ name: a, background: true }"), ["2:5 error a custom stage"]],
    [
      "keys that a background command does not have",
      one("{ name: a, run: x, background: true, completion: script_exit, retry: { max_attempts: 2 } }"),
      ["2:42 error completion", "2:67 error retry"],
    ],
    [
      "what a background command is to leave for a resumed run",
      one("{ name: a, run: x, background: true, resume: reuse }"),
      ["2:50 error resume"],
    ],
    ["a background command that runs again", one("{ name: a, run: x, background: true, resume: rerun }"), []],
    [
      "a background command that lives on after those that are sent back",
      "stages:\n  - { name: s, run: x, background: true }\n  - { name: q, type: quorum, validators: [{ name: v, run: x }], retry_stages: [s] }\n  - { name: b, run: x }\n",
      ["3:65 error retry_stages"],
    ],
    [
      "a background command that lives until the cleanup",
      "stages:\n  - { name: s, run: x, background: true }\n  - { name: q, type: quorum, validators: [{ name: v, run: x }], retry_stages: [s] }\n  - { name: cleanup, run: x }\n",
      [],
    ],
    [
      "two repetitions that are too long each",
      "stages:\n  - { repeat: 1000, stages: [{ name: a, run: x }, { name: b, run: x }] }\n  - { repeat: 1000, stages: [{ name: c, run: x }, { name: d, run: x }] }\n",
      ["2:15 error the plan would"],
    ],
    ["until without background", one("{ name: a, run: x, background: false, until: b }"), ["2:43 error until"]],
    ["until nobody", one("{ name: a, run: x, background: true, until: b }"), ["2:49 error until"]],
    ["until the stage itself", one("{ name: a, run: x, background: true, until: a }"), ["2:49 error until"]],
    [
      "ready that is neither",
      one("{ name: a, run: x, background: true, ready: { port: 0 } }"),
      ["2:57 error ready.port"],
    ],
    ["a background command's own mistake", one("{ name: a, background: true, run: 3 }"), ["2:39 error run"]],
    [
      "a completion and a command that are wrong already",
      one("{ name: a, completion: script_exit, run: [] }"),
      ["2:46 error run"],
    ],
    ["a type of its own without a command", one("{ name: prepare, type: custom }"), ["2:5 error a custom stage"]],
    [
      "a completion of its own without a command",
      one("{ name: a, completion: script_exit }"),
      ["2:16 error completion"],
    ],
    [
      "two repetitions with one name",
      "stages:\n  - { repeat: 1, stages: [{ name: a, run: x }] }\n  - { name: a-1, run: x }\n",
      ["3:13 error name"],
    ],
    [
      "names that share their variables",
      "stages:\n  - { name: a-b, run: x }\n  - { name: A.B, run: x }\n",
      ["3:13 warning name"],
    ],
    ["a repetition of nothing", one("{ repeat: 0, stages: [{ name: a, run: x }] }"), ["1:1 error stages"]],
    [
      "orders next to each other",
      "stages:\n  - { name: a, order: 1, run: x }\n  - { name: b, order: 2, run: x }\n",
      [],
    ],
    [
      "orders that are wrong already",
      "stages:\n  - { name: a, order: x, run: x }\n  - { name: b, order: 9, run: x }\n",
      ["2:23 error order"],
    ],
    [
      "a variable of ours",
      one("{ name: a, run: x, env: { STAGEWRIGHT_A: 1, b: 2 } }"),
      ["2:31 error env.STAGEWRIGHT_A"],
    ],
    [
      "an unknown key in a list in a mapping",
      "agents: [{ ip: x }]\nstages: [{ name: a, run: x }]\n",
      ["1:12 error agents.0"],
    ],
    [
      "unknown keys in a list, none of which is a slip",
      "agents: [{ ip: x }, { ip: y }]\nstages: [{ name: a, run: x }]\n",
      ["1:12 error agents.0", "1:23 error agents.1"],
    ],
    [
      "a slip beside a wrong value",
      one("{ name: a, run: x, barrier: { tpye: none, query_retries: x } }"),
      ["2:35 error barrier", "2:62 error barrier.query_retries"],
    ],
    ["one unknown key", one("{ name: a, run: x, barrier: { foreign: 1 } }"), ["2:35 error barrier"]],
    [
      "unknown keys beside wrong values",
      one("{ name: a, run: x, barrier: { foreign: 1, query_retries: x } }"),
      ["2:33 error barrier"],
    ],
    [
      "unknown keys below a known one",
      one("{ name: a, run: x, expect: { m: { baseline: { foreign: 1, from: r, better: bigger, runs: 0 } } } }"),
      ["2:51 error expect.m.baseline", "2:94 error expect.m.baseline.runs"],
    ],
    [
      "a metric that cannot be read",
      one('{ name: a, run: x, expect: { "a\\nb": "> 1" } }'),
      ["2:34 error expect.a\\nb: expected text"],
    ],
  ])("%s", (_name, text, expected) => {
    expect(places(text)).toEqual(expected);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planPrint } from "../../../src/plan/canonical.ts";
import { begin } from "../../../src/run/machine.ts";
import { readSavedRun, SAVED_RUN_BYTES, savedRunRefusal } from "../../../src/run/resume/read-saved-run.ts";
import { carriedOf, type SavedRun, savedRun } from "../../../src/run/resume/saved-run.ts";
import { created, Group, joined, machineOf, plan, report } from "../builders.ts";

const PLAIN = { text: (text: string) => text, json: <T>(value: T): T => value };
const OF = plan(
  [
    { name: "a" },
    { name: "warm", optional: true },
    { name: "b", when: "on_success" },
    { name: "cleanup", type: "cleanup", when: "always" },
  ],
  { params: { epochs: 3 } },
);

function saved(group: Group, mask = PLAIN): SavedRun {
  return savedRun(group.state, planPrint(group.state.plan), group.at, mask);
}

function bytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

/** A run that failed at `b`. */
function failedAtB(): Group {
  const group = new Group(OF, 1);
  group.send(joined("agent-0", group.at, { machine: machineOf("bench-a") }));
  group.finish("agent-0", { kind: "exited", code: 0 }, { outputs: { rows: 3, token: "hunter2" } });
  group.finish("agent-0", { kind: "exited", code: 1 });
  group.finish("agent-0", { kind: "exited", code: 1 }, { outputs: { half: 1 } });
  group.finish("agent-0");
  return group;
}

describe("a saved state", () => {
  it("holds what is finished, its outputs and where it was, and not what failed or cleaned up after it", () => {
    const state = saved(failedAtB());
    expect(state).toMatchObject({
      version: 1,
      plan_digest: planPrint(OF).digest,
      agent_count: 1,
      hosts: { "agent-0": "bench-a" },
      phases_executed: ["a", "warm"],
      phase_records: { a: { status: "success", success: true }, warm: { status: "warning", success: false } },
      current_phase: "b",
      global_context: { a: { rows: 3, token: "hunter2" } },
      quorum_result: null,
      tasks_data: {},
      user_prompt: null,
      saved_at: new Date(1_000_000).toISOString(),
    });
  });

  it("was at what is to come next of its work, not at what runs only after a failure", () => {
    const group = new Group(plan([{ name: "a" }, { name: "alarm", when: "on_failure" }, { name: "b" }]), 1).join();
    expect(saved(group).current_phase).toBe("a");
    group.finish("agent-0");
    expect(saved(group).current_phase).toBe("b");
  });

  it("is read back as it was, and brings along what is finished", () => {
    const state = saved(failedAtB());
    expect(readSavedRun(bytes(state))).toEqual({ saved: state });
    expect(carriedOf(state)).toMatchObject({
      succeeded: ["a"],
      outputs: { a: { rows: 3 } },
      resumed: { finished: [{ name: "a" }, { name: "warm", worked: false }], reused: null },
    });
  });

  it("of a run that goes on holds what was finished before, too, until it is run again", () => {
    const from = carriedOf(saved(failedAtB()));
    const group = new Group(OF, 1);
    group.state = begin({ ...created(OF, 1, group.at), carried: from });
    expect(saved(group)).toMatchObject({ phases_executed: ["a", "warm"], hosts: { "agent-0": "bench-a" } });
    group.send(joined("agent-0", group.at, { machine: machineOf("bench-b") }));
    group.finish("agent-0");
    group.finish("agent-0");
    expect(saved(group)).toMatchObject({
      phases_executed: ["a", "warm", "b", "cleanup"],
      global_context: { a: { rows: 3 } },
      hosts: { "agent-0": "bench-b" },
      current_phase: null,
    });
  });

  it("holds the tasks that a stage told for a later one, which are there again", () => {
    const limits = { concurrency: 1, maxFailures: 0, maxPreemptions: 9, needs: {} };
    const tasks = { source: { kind: "stage", stage: "list" }, ...limits } as const;
    const group = new Group(plan([{ name: "list" }, { name: "work", completion: "tasks_done", tasks }]), 1).join();
    group.finish("agent-0", { kind: "exited", code: 0 }, { laterTasks: ["x", { id: "y" }] });
    const state = saved(group);
    expect(state.tasks_data).toEqual({ list: ["x", { id: "y" }] });
    expect(carriedOf(state).tasks).toEqual({ list: ["x", { id: "y" }] });
    expect(readSavedRun(bytes(state))).toEqual({ saved: state });
    const again = new Group(group.state.plan, 1);
    again.state = begin({ ...created(group.state.plan, 1, again.at), carried: carriedOf(state) });
    expect(saved(again).tasks_data).toEqual(state.tasks_data);
    expect(saved(again.join()).tasks_data).toEqual(state.tasks_data);
  });

  it("does not hold as finished what was so before and is sent back now", () => {
    const limits = { concurrency: 1, maxFailures: 0, maxPreemptions: 9, needs: {} };
    const tasks = { source: { kind: "list", values: ["v"] }, ...limits } as const;
    const validators = [{ name: "v", run: "v", weight: 1, timeoutMs: null }];
    const quorum = { validators, passAt: 60, retryAt: 40, retryStages: ["draft"], maxRetries: 1, backoffMs: 0 };
    const review = { name: "review", type: "quorum", completion: "validation_passed", tasks } as const;
    const of = plan([{ name: "draft" }, { ...review, quorum: { ...quorum, onExhausted: "warn" } }]);
    const before = new Group(of, 1).join();
    before.finish("agent-0", { kind: "exited", code: 0 }, { outputs: { text: "first" } });
    const group = new Group(of, 1);
    group.state = begin({ ...created(of, 1, group.at), carried: carriedOf(saved(before)) });
    group.join();
    expect(saved(group).phases_executed).toEqual(["draft"]);
    group.sync("agent-0", { wants: 1 });
    const { stage, leases } = group.execute("agent-0");
    const { task = "", attempt = "" } = leases[0] ?? {};
    const ballot = { decision: "RETRY", confidence: null, deficiencies: ["too short"] } as const;
    group.sync("agent-0", { finished: [report({ stage, task, attempt, ballot })] });
    expect(saved(group)).toMatchObject({ phases_executed: [], current_phase: "draft" });
    expect(Object.keys(saved(group).sent_back)).toEqual(["draft", "review"]);
  });

  it("holds why stages were sent back, until they are through again", () => {
    const limits = { concurrency: 1, maxFailures: 0, maxPreemptions: 9, needs: {} };
    const tasks = { source: { kind: "list", values: ["v"] }, ...limits } as const;
    const validators = [{ name: "v", run: "v", weight: 1, timeoutMs: null }];
    const quorum = { validators, passAt: 60, retryAt: 40, retryStages: ["draft"], maxRetries: 1, backoffMs: 0 };
    const review = { name: "review", type: "quorum", completion: "validation_passed", tasks } as const;
    const of = plan([{ name: "draft" }, { ...review, quorum: { ...quorum, onExhausted: "warn" } }]);
    const group = new Group(of, 1).join();
    group.finish("agent-0");
    group.sync("agent-0", { wants: 1 });
    const { stage, leases } = group.execute("agent-0");
    const { task = "", attempt = "" } = leases[0] ?? {};
    const ballot = { decision: "RETRY", confidence: null, deficiencies: ["hunter2"] } as const;
    group.sync("agent-0", { finished: [report({ stage, task, attempt, ballot })] });
    const because = { stage: "review", round: 1, deficiencies: [{ validator: "v", deficiency: "***" }] };
    const hides = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll("hunter2", "***"));
    const mask = { text: (text: string) => text, json: hides };
    const state = saved(group, mask);
    expect(state.sent_back).toEqual({ draft: because, review: because });
    expect(readSavedRun(bytes(state))).toEqual({ saved: state });
    group.finish("agent-0");
    expect(saved(group, mask).sent_back).toEqual({ review: because });
  });

  it("may have digests of up to 64 characters, and a hundred members in all", () => {
    const state = { ...saved(failedAtB()), plan_digest: "a".repeat(64), plan_parts: { a: "x".repeat(64) } };
    expect(readSavedRun(bytes(state))).toEqual({ saved: state });
    const many = readSavedRun(bytes(Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, 1]))));
    expect("problems" in many ? many.problems.join() : "").not.toContain("members");
  });

  it("shows nothing that is masked", () => {
    const hides = (text: string): string => text.replaceAll("hunter2", "***");
    const mask = { text: hides, json: <T>(value: T): T => JSON.parse(hides(JSON.stringify(value))) };
    const text = JSON.stringify(saved(failedAtB(), mask));
    expect(text).not.toContain("hunter2");
    expect(text).toContain("***");
  });
});

describe("a state that does not fit", () => {
  const state = saved(failedAtB());
  const sentBackIn = (round: number) => ({ a: { stage: "b", round, deficiencies: [] } });
  it.each<[string, unknown, RegExp]>([
    ["no JSON", "{\n  a", /^2:3: is not JSON/],
    ["half a state", JSON.stringify(state).slice(0, 300), /^1:301: is not JSON/],
    ["nothing", "", /^1:1: is not JSON/],
    ["another thing", [1], /^1:1: /],
    ["another version", { ...state, version: 7 }, /^version: 7 is of another version of Stagewright/],
    ["a key too many", { ...state, extra: 1 }, /extra/],
    ["a name that is a number", { ...state, phases_executed: ["a", 1] }, /^phases_executed\.1: /],
    ["no record of a stage", { ...state, phase_records: {} }, /^phase_records: says nothing of "a"/],
    ["outputs that are a list", { ...state, global_context: { a: [1] } }, /^global_context\.a: expected a mapping/],
    ["outputs that are none", { ...state, global_context: { a: null } }, /^global_context\.a: expected a mapping/],
    ["a round before the first", { ...state, sent_back: sentBackIn(0) }, /^sent_back\.a\.round: /],
    ["a round beyond the last", { ...state, sent_back: sentBackIn(101) }, /^sent_back\.a\.round: /],
    ["no digest", { ...state, plan_digest: "abcdef01234g" }, /^plan_digest: expected a digest in hexadecimal/],
    ["a short digest", { ...state, plan_digest: "abcdef01234" }, /^plan_digest: expected a digest in hexadecimal/],
    ["parts that are no digests", { ...state, plan_parts: { a: 1 } }, /^plan_parts: expected a digest of each part/],
    ["parts too long", { ...state, plan_parts: { a: "x".repeat(65) } }, /^plan_parts: expected a digest of each part/],
    ["no agents", { ...state, agent_count: 0 }, /^agent_count: /],
    ["no attempt", { ...state, run: { ...state.run, attempt: 0 } }, /^run\.attempt: /],
    ["a day that there is not", { ...state, saved_at: "2026-99-31T12:00:00.000Z" }, /^saved_at: expected a time/],
    ["words after the time", { ...state, saved_at: "2026-01-31T12:00:00.000Z!" }, /^saved_at: expected a time/],
    ["no text", "\ud800", /^1:1: is not JSON/],
    [
      "too many keys",
      Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`k${n}`, 1])),
      /^1:1: has more than 100 members/,
    ],
    [
      "many problems",
      { ...state, phases_executed: Array.from({ length: 13 }, () => 1) },
      /^phases_executed\.9: .*\nand 3 more problems$/m,
    ],
    [
      "many stages without a record",
      { ...state, phases_executed: Array.from({ length: 13 }, (_, n) => `s${n}`) },
      /says nothing of "s9", which phases_executed names$/,
    ],
    ["no time", { ...state, saved_at: "yesterday" }, /^saved_at: expected a time such as/],
    ["too many values", `[${`[${"1,".repeat(99_999)}1],`.repeat(11)}1]`, /^1:2000021: holds more than 1000000 values/],
    ["too long a list", `[${"1,".repeat(200_000)}1]`, /^1:400001: holds a list or mapping of more than 200000 values/],
    [
      "too many stages",
      { ...state, global_context: Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [n, {}])) },
      /^global_context: has more than 1000 members/,
    ],
    ["lists without end", "[".repeat(1_000_000), /^1:69: lists and mappings stand more than 68 deep/],
  ])("says where: %s", (_, value, expected) => {
    const read = readSavedRun(bytes(value));
    expect("problems" in read ? read.problems.join("\n") : read).toMatch(expected);
  });

  it("is not read at all when it is too large", () => {
    const read = readSavedRun(new Uint8Array(SAVED_RUN_BYTES + 1));
    expect(read).toEqual({ problems: ["1:1: is larger than 32 MiB: no saved state is"] });
    const most = readSavedRun(new Uint8Array(SAVED_RUN_BYTES).fill(0xff));
    expect(most).toEqual({ problems: ["1:1: is not UTF-8 text, expected a saved state (JSON)"] });
  });

  it("ends with a place or a state for any bytes, and is a state only when it is one", () => {
    const whole = JSON.stringify(state);
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map(bytes),
      // A state with some of it gone, doubled or replaced.
      fc
        .tuple(fc.nat(whole.length), fc.nat(20), fc.string({ maxLength: 5 }))
        .map(([at, length, put]) => bytes(whole.slice(0, at) + put + whole.slice(at + length))),
    );
    fc.assert(
      fc.property(text, (source) => {
        const read = readSavedRun(source);
        if ("saved" in read) return carriedOf(read.saved).succeeded.length <= read.saved.phases_executed.length;
        return read.problems.length > 0 && read.problems.every((problem) => /^[^ ]+: |^and \d+ more/u.test(problem));
      }),
      { numRuns: 300 },
    );
  });

  it("says of all that is no JSON the place where JSON.parse stops", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), fc.nat(50), fc.string({ maxLength: 3 }), (json, at, put) => {
        const text = json.slice(0, at) + put + json.slice(at);
        let message = "";
        try {
          JSON.parse(text);
          return true;
        } catch (error) {
          message = String(error);
        }
        const read = readSavedRun(bytes(text));
        const told = /at position \d+ \(line (\d+) column (\d+)\)/.exec(message);
        if (told === null || !("problems" in read)) return "problems" in read;
        return read.problems[0]?.startsWith(`${told[1]}:${told[2]}: is not JSON`) === true;
      }),
    );
  });
});

describe("a state of another plan", () => {
  const state = saved(failedAtB());
  const print = planPrint(OF);
  it.each<[string, ReturnType<typeof plan>, string]>([
    ["a parameter", { ...OF, params: { epochs: 4 } }, "params.epochs differs"],
    [
      "a stage's command",
      plan([{ name: "a", command: null }, ...OF.stages.slice(1)], { params: OF.params }),
      "stages.a.command differs",
    ],
    ["a stage more", plan([...OF.stages, { name: "more" }], { params: OF.params }), "stages.more is only here"],
    ["a stage less", plan(OF.stages.slice(0, 2), { params: OF.params }), "stages.b is only there"],
  ])("is refused with the difference named: %s", (_, other, difference) => {
    const refusal = savedRunRefusal(state, { plan: other, print: planPrint(other), agentCount: 1 });
    expect(refusal).toContain(difference);
  });

  it("is refused where it names a stage that the plan lacks", () => {
    const strange = { ...state, phases_executed: ["a", "zzz"] };
    expect(savedRunRefusal(strange, { plan: OF, print, agentCount: 1 })).toBe(
      'phases_executed: the plan has no stage "zzz"',
    );
  });

  it("is refused for a group of another size, and taken otherwise", () => {
    expect(savedRunRefusal(state, { plan: OF, print, agentCount: 3 })).toBe(
      "is the state of a group of 1, this run has 3 agents",
    );
    expect(savedRunRefusal(state, { plan: OF, print, agentCount: 1 })).toBeNull();
  });
});

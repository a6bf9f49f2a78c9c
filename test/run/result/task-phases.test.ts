import { describe, expect, it } from "vitest";
import { RUN_BOUNDS } from "../../../src/plan/bounds.ts";
import { persistentArray } from "../../../src/run/persistent-array.ts";
import { taskPhases } from "../../../src/run/result/task-phases.ts";
import type { TaskRecord } from "../../../src/run/state.ts";
import { Group, plan } from "../builders.ts";

const { agents } = new Group(plan([{ name: "a" }]), 2).join().state;

function record(key: string, over: Partial<TaskRecord> = {}): TaskRecord {
  const nothing = { holder: null, attempt: null, reason: null, startedAt: null, endedAt: null };
  const counts = { attempts: 0, failures: 0, preemptions: 0, missing: 0 };
  return { key, value: key, status: "done", ...nothing, ...counts, ...over };
}

const told = (...records: readonly TaskRecord[]) => taskPhases({ agents }, { records: persistentArray(records) });

describe("how each task fared", () => {
  it("is told of those that were not done first, each in its order", () => {
    const { records } = told(
      record("a"),
      record("b", { status: "failed" }),
      record("c"),
      record("d", { status: "skipped" }),
      record("e", { status: "unfinished" }),
    );
    expect(records?.map(({ task, status }) => `${task} ${status}`)).toEqual([
      "b failed",
      "d skipped",
      "e unfinished",
      "a done",
      "c done",
    ]);
  });

  it("is unfinished as long as it has not ended", () => {
    const open = (["waiting", "ready", "leased"] as const).map((status) => record(status, { status }));
    expect(told(...open).records?.map(({ status }) => status)).toEqual(["unfinished", "unfinished", "unfinished"]);
  });

  it("names who had it last, how it ended and what it told", () => {
    const counts = { attempts: 3, failures: 1, preemptions: 1, startedAt: 5, endedAt: 9 };
    const end = { kind: "exited", code: 0 } as const;
    const { records } = told(record("a", { holder: 1, ...counts, end, outputs: { k: 1 } }), record("b", { holder: 7 }));
    expect(records).toEqual([
      { task: "a", status: "done", agent: "agent-1", ...counts, end, reason: null, outputs: { k: 1 } },
      expect.objectContaining({ task: "b", agent: null, end: null, outputs: {} }),
    ]);
    expect(told(record("c")).records?.[0]?.agent).toBeNull();
  });

  it("is told up to a number of tasks, by keys of a bounded length, and not at all of a round that is over", () => {
    const many = Array.from({ length: RUN_BOUNDS.taskRecords + 1 }, (_, at) => record(`t${at}`));
    expect(told(...many).records).toHaveLength(RUN_BOUNDS.taskRecords);
    const { records } = told(record("x".repeat(200)), record("x".repeat(201)));
    expect(records?.map(({ task }) => task)).toEqual(["x".repeat(200), `${"x".repeat(199)}…`]);
    expect(told()).toEqual({});
  });
});

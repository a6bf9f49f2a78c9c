import { describe, expect, it } from "vitest";
import { selectContext } from "../../../src/run/context/select.ts";
import { contextOf, shownOutputs } from "../../../src/run/context/shown.ts";
import { summary } from "../../../src/run/machine.ts";
import { Group, plan, type StageOverrides } from "../builders.ts";

const outputs = { prepare: { rows: 3, manifest: "m".repeat(500) }, epoch: { loss: [0.5] } };
const ROOM = { contextLimit: 10_000 };

describe("what a stage sees of what others told", () => {
  it("is everything when nothing is selected", () => {
    expect(selectContext(outputs, { ...ROOM, context: null })).toEqual({ outputs, leftOut: [], missing: [] });
  });

  it.each([
    [["prepare.r*", "epoch.*"], { prepare: { rows: 3 }, epoch: { loss: [0.5] } }],
    [["*.loss"], { epoch: { loss: [0.5] } }],
    [["prepare.rows"], { prepare: { rows: 3 } }],
    [["prepare"], {}],
    [[], {}],
  ])("is what %j selects", (context, expected) => {
    expect(selectContext(outputs, { ...ROOM, context }).outputs).toEqual(expected);
  });

  it("lacks the largest over its limit, which are named", () => {
    const { outputs: kept, leftOut } = selectContext(outputs, { context: null, contextLimit: 100 });
    expect(kept).toEqual({ prepare: { rows: 3 }, epoch: { loss: [0.5] } });
    expect(leftOut).toEqual(["prepare.manifest"]);
  });

  it.each([
    ["prepare.rows", 10_000, []],
    ["prepare.*", 10_000, []],
    ["prepare.sum", 10_000, ["prepare.sum"]],
    ["prepare.manifest", 100, ["prepare.manifest"]],
    ["prepare.*", 100, ["prepare.*"]],
  ])("misses of what is required, %s within %i bytes, %j", (pattern, contextLimit, missing) => {
    expect(selectContext(outputs, { context: [pattern], contextLimit, contextRequired: [pattern] }).missing).toEqual(
      missing,
    );
  });
});

describe("a stage with context", () => {
  const gather: StageOverrides = { name: "gather", optional: true };
  const read: StageOverrides = { name: "read", context: ["gather.topics"], contextRequired: ["gather.topics"] };

  function told(stages: readonly StageOverrides[], code: number): Group {
    const of = new Group(plan(stages), 2).join().pass(1_000);
    const told = { outputs: { topics: ["a"], more: "b" } };
    for (const name of of.names) of.finish(name, { kind: "exited", code }, code === 0 ? told : {});
    return of.pass(1_000);
  }

  it("is shown, to those who work at it, what its patterns select", () => {
    const of = told([gather, read], 0);
    const instruction = of.execute("agent-1");
    expect(shownOutputs(of.state, instruction)).toEqual({ gather: { topics: ["a"] } });
    expect(shownOutputs(of.state, instruction)).toBe(contextOf(of.state, 1).outputs);
    expect(shownOutputs(of.state, of.finish("agent-0"))).toBeNull();
  });

  it("is not run without what it requires, and says so before its command starts", () => {
    const of = told([gather, read], 1).pass(60_000);
    expect(of.state.status).toBe("failed");
    expect(of.state.failure?.reason).toBe(
      "read: needs the context gather.topics, which is not there or does not fit into its context_limit",
    );
  });

  it("goes on without the outputs of an optional stage that failed, which is a warning", () => {
    const of = told([gather, { name: "read", context: ["gather.topics"] }], 1);
    expect(shownOutputs(of.state, of.execute("agent-0"))).toEqual({});
    expect(summary(of.state).phases[0]).toMatchObject({ status: "warning", worked: false });
  });

  it("is left out without what it requires, where it is optional", () => {
    const of = told([gather, { ...read, optional: true }, { name: "after" }], 1);
    expect(summary(of.state).phases[1]).toMatchObject({ status: "skipped" });
    expect(of.execute("agent-0").stage).toBe(2);
  });

  it("is left out without what it requires, where the run has failed already", () => {
    const of = told([gather, { name: "mid" }, { ...read, when: "always" }, { name: "wipe", when: "always" }], 1);
    of.finish("agent-0", { kind: "exited", code: 2 });
    of.pass(31_000);
    expect(of.state.failure?.reason).toBe("mid: agent-0 failed: exit code 2");
    expect(summary(of.state).phases[2]).toMatchObject({ status: "skipped", reason: expect.stringContaining("topics") });
    expect(of.execute("agent-0").stage).toBe(3);
  });

  it.each([
    [10, ""],
    [11, " and 1 more"],
  ])("says of %i what there is no room for, ten by name%s", (count, more) => {
    const of = new Group(plan([{ name: "a" }, { name: "read", contextLimit: 2 }]), 1).join();
    const names = Array.from({ length: count }, (_, at) => `k${at}`);
    of.finish("agent-0", undefined, { outputs: Object.fromEntries(names.map((name) => [name, "x".repeat(30)])) });
    const notice =
      of.notices().find((text) => text.startsWith("read: its context is over its limit of 2 bytes: ")) ?? "";
    expect(notice.endsWith(`${more} left out`)).toBe(true);
    expect(notice.match(/a\.k/g)).toHaveLength(10);
    expect(notice.includes("more")).toBe(count > 10);
  });

  it("sees as much as its limit holds", () => {
    const told = { a: { k: "x" } };
    const bytes = JSON.stringify("x").length + "a.k".length + 10 + 2;
    expect(selectContext(told, { context: null, contextLimit: bytes }).outputs).toBe(told);
    expect(selectContext(told, { context: null, contextLimit: bytes - 1 })).toMatchObject({
      outputs: {},
      leftOut: ["a.k"],
    });
  });

  it("says what there is no room for", () => {
    const of = told([gather, { name: "read", contextLimit: 40 }], 0);
    expect(of.notices()).toContain("read: its context is over its limit of 40 bytes: gather.topics left out");
  });
});

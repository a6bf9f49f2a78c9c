import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StartedRun } from "../../../app/store/model.ts";
import { checkName, shownOfStart } from "../../../app/workflow-runs/check-text.ts";
import { isReplaced, turnOf } from "../../../app/workflow-runs/queue.ts";
import { CHECK_NAME_PREFIX } from "../../../src/lifecycle/policy/policy.ts";

function start(id: number, overrides: Partial<StartedRun> = {}): StartedRun {
  return {
    id,
    key: `1-${id}`,
    occasion: `o${id}`,
    stage: "qa",
    repositoryId: 1,
    number: id,
    workflow: "qa.yml",
    inputs: {},
    sha: "abcdef1234567",
    limit: 1,
    state: "queued",
    queuedAt: 0,
    sentAt: null,
    firstSentAt: null,
    parked: "",
    sends: 0,
    runId: null,
    runUrl: null,
    runStatus: null,
    runAt: null,
    attempt: 0,
    conclusion: null,
    note: "",
    cancel: null,
    cancelSent: false,
    check: null,
    askAt: null,
    nextAt: null,
    tries: 0,
    pausedUntil: null,
    error: null,
    generation: 0,
    version: 1,
    ...overrides,
  };
}

describe("the line of a workflow", () => {
  it("lets the first go when there is room", () => {
    expect(turnOf(start(1), [start(1), start(2)])).toEqual({ go: true });
    expect(turnOf(start(2), [start(1), start(2)])).toMatchObject({ go: false, place: 2, limit: 1 });
    expect(turnOf(start(2, { limit: 2 }), [start(1), start(2, { limit: 2 })])).toEqual({ go: true });
  });

  it("passes over those that do not stand in it", () => {
    expect(turnOf(start(2), [start(1, { parked: "on hold" }), start(2)])).toEqual({ go: true });
  });

  it("waits while it is not known which run the one before became, even without a limit", () => {
    const sent = start(1, { state: "sent", limit: null });
    const free = start(2, { limit: null });
    expect(turnOf(free, [sent, free])).toMatchObject({ go: false, limit: null, running: [1] });
    expect(turnOf(start(3, { limit: 5 }), [sent, start(3, { limit: 5 })])).toMatchObject({ go: false });
    expect(turnOf(free, [{ ...sent, state: "running" }, free])).toEqual({ go: true });
  });

  it("replaces one that waits by what a newer entry of its pull request asks for", () => {
    const old = start(1, { number: 7 });
    const newer = start(2, { number: 7 });
    expect(isReplaced(old, [old, newer])).toBe(true);
    expect(isReplaced(newer, [old, newer])).toBe(false);
    expect(isReplaced(old, [old, { ...newer, number: 8 }])).toBe(false);
    // Two starts of one entry, with different inputs.
    expect(isReplaced(old, [old, { ...newer, occasion: old.occasion }])).toBe(false);
    expect(isReplaced(old, [old, { ...newer, stage: "done" }])).toBe(false);
    expect(isReplaced(old, [old, { ...newer, state: "running" }])).toBe(false);
  });

  it("never lets more go than the limit allows, and gets through in order", () => {
    const chance = fc.record({
      limit: fc.integer({ min: 1, max: 4 }),
      starts: fc.integer({ min: 1, max: 12 }),
      ends: fc.array(fc.nat(), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(chance, ({ limit, starts, ends }) => {
        let open = Array.from({ length: starts }, (_, index) => start(index + 1, { limit }));
        const began: number[] = [];
        for (const end of [...ends, ...Array.from({ length: starts }, () => 0)]) {
          for (const each of open) {
            if (each.state === "queued" && turnOf(each, open).go) {
              open = open.map((other) => (other.id === each.id ? { ...other, state: "running" } : other));
              began.push(each.id);
            }
          }
          const running = open.filter((each) => each.state === "running");
          expect(running.length).toBe(Math.min(limit, open.length));
          const ended = running[end % Math.max(running.length, 1)];
          open = open.filter((each) => each !== ended);
        }
        expect(began).toEqual([...began].sort((a, b) => a - b));
        expect(open).toEqual([]);
      }),
    );
  });
});

describe("the check run of a start", () => {
  const place = { go: false, limit: 1, running: [12] } as const;
  it.each<[string, Partial<StartedRun>, Parameters<typeof shownOfStart>[1], string]>([
    ["in line", {}, { ...place, place: 2 }, "queued: 2nd in the queue for qa.yml: 1 may run at a time; #12 is running"],
    ["third", {}, { ...place, place: 3 }, "queued: 3rd in the queue for qa.yml: 1 may run at a time; #12 is running"],
    ["eleventh", {}, { ...place, place: 11, running: [] }, "queued: 11th in the queue for qa.yml: 1 may run at a time"],
    [
      "behind several",
      {},
      { ...place, place: 1, limit: 7, running: [1, 2, 3, 4, 5, 6, 7] },
      "queued: 1st in the queue for qa.yml: 7 may run at a time; #1, #2, #3, #4, #5 and others are running",
    ],
    ["parked", { parked: "on hold by rex" }, null, "queued: Waits: on hold by rex"],
    ["asked for", { state: "sent" }, null, "queued: Asked for; GitHub has not said yet which run it is"],
    ["queued at GitHub", { state: "running", runStatus: "queued" }, null, "queued: Waits for a runner"],
    ["held by an environment", { state: "running", runStatus: "waiting" }, null, "queued: Waits for an environment"],
    [
      "running",
      { state: "running", runStatus: "in_progress", runAt: Date.UTC(2026, 0, 1, 10, 31) },
      null,
      "in_progress: Running since 10:31 UTC",
    ],
    [
      "being cancelled",
      { state: "running", cancel: "#7 was closed" },
      null,
      "in_progress: Being cancelled: #7 was closed",
    ],
    ["succeeded", { state: "done", runId: "5", conclusion: "success" }, null, "success: Succeeded"],
    ["failed", { state: "done", runId: "5", conclusion: "failure" }, null, "failure: Failed"],
    [
      "cancelled",
      { state: "done", runId: "5", conclusion: "cancelled", cancel: "a push" },
      null,
      "cancelled: Cancelled: a push",
    ],
    [
      "refused",
      { state: "done", conclusion: "failure", note: "no such file" },
      null,
      "failure: Not started: no such file",
    ],
  ])("says of one that is %s what it waits for or how it ended", (_, overrides, turn, text) => {
    const { status, conclusion, title } = shownOfStart(start(7, overrides), turn);
    expect(`${conclusion ?? status}: ${title}`).toBe(text);
  });

  it("cannot be taken for that of a stage, and escapes what others wrote", () => {
    expect(checkName("qa.yml").startsWith(CHECK_NAME_PREFIX)).toBe(false);
    const note = "<script>\n# @everyone [x](http://evil)";
    const { summary, title } = shownOfStart(start(7, { state: "done", conclusion: "failure", note }), null);
    expect(summary).not.toMatch(/<script>|\n# |[^\\]\[x\]/);
    expect(title).not.toContain("\n");
  });
});

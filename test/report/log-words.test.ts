import { describe, expect, it } from "vitest";
import { bytes } from "../../src/report/format.ts";
import {
  agentOutcomes,
  type Colours,
  collectedText,
  endText,
  metricLines,
  progressText,
  stageBanner,
  stageOutcome,
  verdictLines,
} from "../../src/report/log.ts";
import type { AgentPhase, PhaseRecord, RunSummary } from "../../src/run/result/record.ts";
import type { AttemptEnd } from "../../src/run/types.ts";
import { agentPhase, failed, phase, summary, T0 } from "./builders.ts";

const named = (colour: string) => (text: string) => `<${colour} ${text}>`;
/** Colours that can be read. */
const COLOURS: Colours = { bold: named("b"), dim: named("d"), green: named("g"), yellow: named("y"), red: named("r") };

const metric = { name: "rate", value: 3.5, unit: "MB/s", agg: "mean", count: 4, expected: ">= 4", met: false } as const;
const statuses: readonly AgentPhase["status"][] = ["success", "failure", "lost", "excluded", "stopped", "skipped"];
const everyone = statuses.map((status, index) =>
  agentPhase({ agent: `a-${index}`, index, status, reason: `why ${index}` }),
);

describe("the log", () => {
  it.each<[PhaseRecord, string]>([
    [phase({ retryCount: 1 }), "<g ✓> preflight in 1.0 s<d  (1 retry)>"],
    [phase({ status: "warning", reason: "late", retryCount: 2 }), "<y ⚠> preflight after 1.0 s: late<d  (2 retries)>"],
    [failed("save", { retryCount: 1 }), "<r ✗> save after 1.0 s: exit code 3<d  (1 retry)>"],
    [phase({ status: "cancelled", completedAt: null }), "<r ✗> preflight cancelled"],
    [phase({ status: "skipped", reason: "not selected" }), "<d - preflight skipped: not selected>"],
  ])("tells how a stage ended in its colour (%#)", (record, text) => {
    expect(stageOutcome(record, COLOURS)).toBe(text);
  });

  it("announces a stage of which nothing is known", () => {
    const stage = { name: "a", position: 1, total: 2, about: "" };
    expect(stageBanner(stage, COLOURS)).toBe("<b ── a> <d (1 of 2)>");
    expect(stageBanner({ ...stage, about: "b" }, COLOURS)).toBe("<b ── a> <d (1 of 2)><d  · b>");
    expect(stageBanner({ ...stage, name: "x".repeat(2000) }, COLOURS).length).toBeLessThan(1100);
  });

  it.each<[AttemptEnd, string]>([
    [{ kind: "no_command" }, "nothing to run"],
    [{ kind: "exited", code: 3 }, "exit code 3"],
    [{ kind: "signalled", signal: "SIGKILL" }, "ended by SIGKILL"],
    [{ kind: "time_over", limit: "duration" }, "ended when its duration was over"],
    [{ kind: "time_over", limit: "timeout" }, "ended: its timeout was over"],
    [{ kind: "stopped", why: "a\nb" }, "stopped: a b"],
    [{ kind: "reset" }, "dropped to begin anew"],
    [{ kind: "not_started", message: "no such file" }, "could not start: no such file"],
    [{ kind: "bad_tasks", message: "no JSON" }, "no JSON"],
    [{ kind: "checks_failed", message: "1 of 2" }, "1 of 2"],
    [{ kind: "threshold", threshold: "max_errors", message: "7 errors" }, "ended at its max_errors: 7 errors"],
  ])("tells how an attempt ended: %o", (end, text) => {
    expect(endText(end)).toBe(text);
  });

  it("names each failing agent of several", () => {
    expect(agentOutcomes(phase({ agents: everyone }), COLOURS)).toEqual([
      "  <r ✗> a-1 failure: why 1",
      "  <r ✗> a-2 lost: why 2",
      "  <r ✗> a-3 excluded: why 3",
    ]);
    const two = [agentPhase({ status: "failure" }), agentPhase({ agent: "b", index: 1 })];
    expect(agentOutcomes(phase({ agents: two }), COLOURS)).toEqual(["  <r ✗> train-0 failure: no reason recorded"]);
  });

  it("shows metrics as far as they are known", () => {
    const metrics = [metric, { ...metric, met: true }, { ...metric, unit: "", expected: null, met: null }];
    expect(metricLines(phase({ metrics }), COLOURS)).toEqual([
      "  rate 3.5 MB/s <d (mean of 4)>, expected >= 4 <r ✗>",
      "  rate 3.5 MB/s <d (mean of 4)>, expected >= 4 <g ✓>",
      "  rate 3.5 <d (mean of 4)>",
    ]);
  });

  it.each([
    [{ done: 1, total: 3, errors: 1 }, "1 of 3 (33 %), 1 error"],
    [{ done: 999, total: 1000, errors: 0 }, "999 of 1000 (99 %)"],
    [{ done: 7, total: null, errors: 3 }, "7, 3 errors"],
  ])("shows progress (%#)", (progress, text) => {
    expect(progressText(progress)).toBe(text);
  });

  it("ends with what became of all stages", () => {
    const run = { planFile: "p.yml", startedAt: T0, completedAt: T0 + 2000 };
    const phases = (["success", "warning", "failure", "cancelled", "skipped", "success"] as const).map((status) =>
      phase({ status, name: status, line: 7 }),
    );
    const tally = "2 succeeded, 1 with a warning, 1 failed, 1 cancelled, 1 skipped";
    const told = (overrides: Partial<RunSummary>) =>
      verdictLines({ ...run, summary: summary({ phases, ...overrides }) }, COLOURS);
    expect(told({})).toEqual([`<g ✓ succeeded> in 2.0 s: ${tally}`]);
    expect(told({ verdict: "failure", message: "m", failedStage: "failure" })).toEqual([
      `<r ✗ failed> after 2.0 s: ${tally}`,
      "  m (p.yml:7)",
    ]);
    expect(told({ verdict: "failure", message: "m" })[1]).toBe("  m");
    expect(told({ verdict: "cancelled", message: "m", failedStage: "failure" })).toEqual([
      `<r ✗ cancelled> after 2.0 s: ${tally}`,
      "  m",
    ]);
    const backwards = verdictLines({ ...run, completedAt: T0 - 1, summary: summary() }, COLOURS);
    expect(backwards).toEqual(["<g ✓ succeeded> in 0 ms: 1 succeeded"]);
  });
});

it.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [1023, "1023 bytes"],
  [1024, "1.0 KiB"],
  [1536, "1.5 KiB"],
  [1_048_575, "1024.0 KiB"],
  [1_048_576, "1.0 MiB"],
  [1_310_720, "1.3 MiB"],
])("%i bytes are %s", (count, said) => {
  expect(bytes(count)).toBe(said);
});

it.each([
  [{ kept: [1, 2, 3], bytes: 1536, missed: [] }, "kept 3 files (1.5 KiB) in out/a b"],
  [{ kept: [1], bytes: 1, missed: [2, 3] }, "kept 1 file (1 byte) in out/a b, 2 left out"],
  [{ kept: [], bytes: 0, missed: [] }, "kept no files"],
  [{ kept: [], bytes: 0, missed: [1] }, "kept no files, 1 left out"],
])("what was collected: %j", (kept, said) => {
  expect(collectedText({ folder: "out/a\nb", ...kept })).toBe(said);
});

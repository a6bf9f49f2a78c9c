import { describe, expect, it } from "vitest";
import { checkOutput } from "../../../src/report/check.ts";
import { htmlReport } from "../../../src/report/html/page.ts";
import { resultOf } from "../../../src/report/record/json.ts";
import { summaryOf } from "../../../src/report/summary.ts";
import type { PhaseRecord, QuorumRound, TaskPhase } from "../../../src/run/result/record.ts";
import { phase, report, T0 } from "../builders.ts";

const text = (page: string): string =>
  page.replaceAll(/<style>[\s\S]*?<\/style>|<[^>]*>/gu, " ").replaceAll(/\s+/gu, " ");

function vote(validator: string, decision: QuorumRound["decision"], reason: string | null = null) {
  return { validator, weight: 1, decision, confidence: null, agent: "a-0", reason };
}
function task(name: string, overrides: Partial<TaskPhase> = {}): TaskPhase {
  const done = { task: name, status: "done", agent: "a-0", attempts: 1, failures: 0, preemptions: 0 } as const;
  return { ...done, startedAt: T0, endedAt: T0 + 2_000, end: null, reason: null, outputs: {}, ...overrides };
}
const quorum: QuorumRound = {
  decision: "PASS",
  confidence: 0.75,
  weights: { pass: 2, retry: 1, fail: 0 },
  votes: [vote("size", "PASS"), vote("style", "FAIL", "it printed <nothing>")],
  deficiencies: [{ validator: "style", deficiency: { line: 3 } }],
  leftOut: 2,
  exhausted: null,
};
const phases: readonly PhaseRecord[] = [
  phase({ name: "check", quorum, earlier: [{ ...phase(), quorum: { ...quorum, decision: "RETRY" } }] }),
  phase({
    name: "work",
    tasks: {
      ...{ done: 1, failed: 1, skipped: 0, total: 9 },
      records: [task("<one>", { status: "failed", attempts: 3, reason: "exit code 3" }), task("two")],
    },
  }),
  phase({
    name: "publish",
    approval: { by: "tess", why: "<b>fine</b>", at: T0 + 5_000 },
    earlier: [{ ...phase(), approval: { by: null, why: "nobody answered within 1h before it", at: T0 } }],
  }),
];
const whole = report({}, { phases });
const result = resultOf(whole);
const page = (...results: readonly (typeof result)[]): string =>
  htmlReport(
    results.map((each, index) => ({ file: `${index}.json`, result: each })),
    { readHistogram: () => null },
  );

describe("the page of a result", () => {
  it("says of each round who approved it, when and why, or that nobody did", () => {
    expect(text(page(result))).toContain(
      "Approvals before approved by at publish nobody nobody answered within 1h before it 2026-11-21 09:00:00 publish round 2 tess &lt;b&gt;fine&lt;/b&gt; 2026-11-21 09:00:05",
    );
  });

  it("shows how each validator voted, round by round, and what was wanting", () => {
    const said = text(page(result));
    expect(said).toContain(
      "check round 1 RETRY confidence 0.75 PASS 2 RETRY 1 validator vote weight agent size PASS 1 a-0",
    );
    expect(said).toContain("style it printed &lt;nothing&gt; FAIL 1 a-0");
    expect(said).toContain("check round 2 PASS");
    expect(said).toContain("{&quot;line&quot;:3} style 2 deficiencies are not shown.");
  });

  it("shows the tasks, those that failed first, and how many there are beyond", () => {
    const said = text(page(result));
    expect(said).toContain(
      "work : 1 of 9 tasks done task status agent attempts took &lt;one&gt; exit code 3 failed a-0 3 2.0 s",
    );
    expect(said).toContain("two done a-0 1 2.0 s 7 tasks are not shown.");
  });

  it("names the result of each where there are several", () => {
    expect(text(page(result, result))).toContain("B publish round 2 tess");
  });

  it("has none of these where there are none", () => {
    const without = text(page(resultOf(report())));
    for (const title of ["Approvals", "Quorums", "Tasks"]) expect(without).not.toContain(title);
  });
});

describe.each([
  ["job summary", (): string => summaryOf(whole)],
  ["check run", (): string => checkOutput(whole).text ?? ""],
])("the %s", (_, made) => {
  it("says who approved what, how quorums voted, and how tasks fared", () => {
    const shown = made();
    expect(shown).toContain("| publish | 1 | _nobody_ | 09:00:00 | nobody answered within 1h before it |");
    expect(shown).toContain("| publish | 2 | tess | 09:00:05 | &lt;b&gt;fine&lt;/b&gt; |");
    expect(shown).toContain("### Quorums");
    expect(shown).toContain("**work**: 1 of 9 tasks done, 1 failed\n");
    expect(shown).toMatch(/\| .*one.* \| failed \| a-0 \| 3 \| 2\.0 s \| exit code 3 \|/u);
    expect(shown).toContain("_7 tasks not shown._");
  });
});

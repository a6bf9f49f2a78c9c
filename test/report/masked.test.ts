import { expect, it } from "vitest";
import { maskedSummary } from "../../src/report/masked.ts";
import type { AttemptEnd } from "../../src/run/types.ts";
import { agentPhase, phase, summary } from "./builders.ts";

const mask = {
  text: (text: string) => text.replaceAll("secret", "***"),
  json: (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll("secret", "***")),
};

it("nothing that came from outside keeps a secret", () => {
  const ends: readonly AttemptEnd[] = [
    { kind: "not_started", message: "secret" },
    { kind: "bad_tasks", message: "secret" },
    { kind: "threshold", threshold: "max_errors", message: "secret" },
    { kind: "stopped", why: "secret" },
  ];
  const told = summary({
    message: "a secret",
    phases: [
      phase({
        reason: "secret",
        metrics: [{ name: "secret", value: 1, unit: "secret", agg: "sum", count: 1, expected: null, met: null }],
        histograms: { secret: "AAAA" },
        outputs: { secret: ["secret", { secret: 1 }] },
        annotations: [{ path: "secret", line: 1, level: "notice", title: "secret", message: "secret", agent: "a" }],
        agents: ends.map((end) => agentPhase({ reason: "secret", tail: "a secret", end })),
      }),
    ],
  });
  const masked = maskedSummary(told, mask);
  expect(JSON.stringify(masked)).not.toContain("secret");
  // Everything is still there, and what says nothing in words is as it was.
  expect(masked).toEqual(mask.json(told));
});

it("what is not said stays unsaid", () => {
  const told = summary({
    phases: [
      phase({ annotations: [{ path: "p", line: 1, level: "notice", title: null, message: "m", agent: "a" }] }),
      phase({ agents: [agentPhase({ end: null }), agentPhase({ end: { kind: "exited", code: 3 } })] }),
    ],
  });
  expect(maskedSummary(told, mask)).toEqual(told);
});

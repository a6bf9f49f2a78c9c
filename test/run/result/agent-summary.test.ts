import { describe, expect, it } from "vitest";
import { AgentSummary } from "../../../src/run/result/agent-summary.ts";
import type { AttemptEnd } from "../../../src/run/types.ts";
import { planStage, report } from "../builders.ts";

const first = planStage({ name: "first", index: 0 });
const second = planStage({ name: "second", index: 1 });
const ok: AttemptEnd = { kind: "exited", code: 0 };

describe("what an agent knows by itself", () => {
  it("has its stages in order, with its attempts, annotations and the newest end", () => {
    const own = new AgentSummary({ agent: "train-2", index: 2 });
    const annotation = { path: "a.ts", line: 3, level: "warning", title: null, message: "careful" } as const;
    own.add(
      second,
      report({ stage: 1, attempt: "1.1.2.1", end: { kind: "stopped", why: "cancelled (SIGINT)" }, tail: "half" }),
    );
    own.add(
      first,
      report({ stage: 0, attempt: "0.1.2.1", end: { kind: "exited", code: 3 }, annotations: [annotation] }),
    );
    own.add(first, report({ stage: 0, attempt: "0.1.2.2", end: ok, outputs: { rows: 3 }, annotations: [annotation] }));
    expect(own.records()).toMatchObject([
      {
        name: "first",
        status: "success",
        worked: true,
        retryCount: 1,
        outputs: { rows: 3 },
        annotations: [{ ...annotation, agent: "train-2" }],
        agents: [{ agent: "train-2", index: 2, status: "success", attempts: 2 }],
      },
      {
        name: "second",
        status: "cancelled",
        worked: false,
        reason: "stopped: cancelled (SIGINT)",
        agents: [{ status: "stopped", tail: "half" }],
      },
    ]);
  });

  it("counts its own tasks, but for those that it was made to drop", () => {
    const source = { kind: "count", count: 9 } as const;
    const tasks = { source, concurrency: 1, maxFailures: 0, maxPreemptions: 1, needs: {} };
    const stage = planStage({ name: "tasks", tasks });
    const own = new AgentSummary({ agent: "a", index: 0 });
    const ends: AttemptEnd[] = [ok, ok, { kind: "exited", code: 1 }, { kind: "stopped", why: "cancelled" }];
    for (const [n, end] of ends.entries()) own.add(stage, report({ stage: 0, attempt: `t${n}`, task: `t${n}`, end }));
    expect(own.records()[0]?.tasks).toEqual({ done: 2, failed: 1, skipped: 0, total: 3 });
  });
});

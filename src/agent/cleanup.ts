/**
 * The cleanup stages of one agent on its own: when it has been excluded, and when its job was cancelled and only the
 * post step is left. Without barriers and without a coordinator.
 */
import type { PlanStage } from "../plan/plan.ts";
import type { RunSummary } from "../run/result/record.ts";
import type { AttemptReport } from "../run/types.ts";
import { Attempt } from "./attempt.ts";
import type { Surroundings } from "./attempt-options.ts";
import type { GroupView } from "./work.ts";

/** Of an agent's own cleanup stages those that the group went through, and that it took no part in. */
export function missedCleanup(own: readonly PlanStage[], summary: RunSummary, agent: string): readonly PlanStage[] {
  return own.filter((stage) => {
    const phase = summary.phases.find((each) => each.stage === stage.index);
    if (phase === undefined || phase.status === "skipped") return false;
    const part = phase.agents.find((each) => each.agent === agent);
    return part === undefined || part.status === "lost" || part.status === "excluded";
  });
}

/**
 * Runs them one after the other, each once; a failed one does not keep the next from running. An aborted signal ends
 * the one that runs and skips the rest.
 */
export async function runCleanup(
  stages: readonly PlanStage[],
  around: Surroundings,
  view: GroupView,
  signal: AbortSignal,
): Promise<readonly AttemptReport[]> {
  const reports: AttemptReport[] = [];
  for (const stage of stages) {
    if (signal.aborted) break;
    const attempt = new Attempt(
      {
        stage,
        attempt: `cleanup-${view.member.name}-${stage.index}`,
        attemptNumber: 1,
        lease: null,
        command: stage.tasks === null ? stage.command : null,
        generator: false,
        after: Promise.resolve(),
        startInMs: 0,
        timesFrom: null,
        until: { at: performance.now() + stage.timeoutMs, limit: "timeout" },
        series: { inARow: 0 },
        // Nobody's clock is the group's any more.
        clockOffsetMs: 0,
        partition: null,
        ...view,
        onTasks: () => undefined,
      },
      around,
    );
    const onAbort = (): void => {
      attempt.end({ kind: "stopped", why: "the time for cleanup is over" }, 1_000);
      around.collector?.hurry();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    reports.push(await attempt.ended);
    signal.removeEventListener("abort", onAbort);
  }
  return reports;
}

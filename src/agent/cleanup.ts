/**
 * The cleanup stages of one agent on its own: when it has been excluded, and when its job was cancelled and only the
 * post step is left. Without barriers and without a coordinator.
 */
import type { Plan, PlanStage } from "../plan/plan.ts";
import type { AttemptReport, RunSummary } from "../run/types.ts";
import { Attempt, type Surroundings } from "./attempt.ts";
import type { GroupView } from "./work.ts";

/** The stages that run whatever happened before: those with `when: always` or `on_failure`. */
export function cleanupStages(plan: Plan): readonly PlanStage[] {
  return plan.stages.filter((stage) => stage.when !== "on_success" && stage.background === null);
}

/** Whether the group went through cleanup that was this agent's, too, and that it took no part in. */
export function missedCleanup(plan: Plan, summary: RunSummary, member: GroupView["member"]): boolean {
  return cleanupStages(plan).some((stage) => {
    const phase = summary.phases.find((each) => each.stage === stage.index);
    if (phase === undefined || phase.status === "skipped") return false;
    const own = phase.agents.find(({ agent }) => agent === member.name);
    // An agent is told its own part alone: no row of its own means that it had none.
    if (own !== undefined) return own.status === "lost" || own.status === "excluded";
    const isForAll = stage.runsOn.kind === "all" && plan.treeCreationMode !== "coordinator";
    return isForAll && (stage.role === null || stage.role === member.role);
  });
}

/**
 * Runs them one after the other, each once; a failed one does not keep the next from running. An aborted signal ends
 * the one that runs and skips the rest.
 */
export async function runCleanup(
  around: Surroundings,
  view: GroupView,
  signal: AbortSignal,
): Promise<readonly AttemptReport[]> {
  const reports: AttemptReport[] = [];
  for (const stage of cleanupStages(around.plan)) {
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
        partition: null,
        ...view,
        onTasks: () => undefined,
      },
      around,
    );
    const onAbort = (): void => attempt.end({ kind: "stopped", why: "the time for cleanup is over" }, 1_000);
    signal.addEventListener("abort", onAbort, { once: true });
    reports.push(await attempt.ended);
    signal.removeEventListener("abort", onAbort);
  }
  return reports;
}

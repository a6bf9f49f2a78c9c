/** What one attempt is of. */
import type { Command, Json, PlanStage } from "../plan/plan.ts";
import type { Lease } from "../run/instruction.ts";
import type { RoundReason } from "../run/types.ts";
import type { ErrorSeries } from "./output/record.ts";
import type { RosterMember } from "./process/environment.ts";

export interface AttemptOptions {
  readonly stage: PlanStage;
  readonly attempt: string;
  readonly attemptNumber: number;
  /** The leased task, or null for the stage's own command. */
  readonly lease: Lease | null;
  /** What to run; null: nothing, the stage only takes its time. */
  readonly command: Command | null;
  /** True: each line of standard output is a task (`tasks: {from: …}`). */
  readonly generator: boolean;
  /** What is being ended must be gone before this begins (a server before the cleanup of its data). */
  readonly after: Promise<unknown>;
  /** Milliseconds until the group starts together. */
  readonly startInMs: number;
  /** performance.now() from which the stage's times count, when that is not this attempt's own start. */
  readonly timesFrom: number | null;
  /** When the agent's time for the stage is over, done or not: performance.now(), and whose limit that is. */
  readonly until: { readonly at: number; readonly limit: "timeout" | "deadline" };
  readonly series: ErrorSeries;
  readonly partition: { readonly start: number; readonly end: number } | null;
  readonly member: RosterMember;
  readonly roster: readonly RosterMember[];
  readonly outputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Why its stage has begun a new round; not there: it has not, or nobody said. */
  readonly because?: RoundReason;
  readonly onTasks: (values: readonly Json[]) => void;
}

/** What an attempt is given: what all attempts of an agent share, and what is its own. */
import type { Command, Json, Plan, PlanStage } from "../plan/plan.ts";
import type { Lease } from "../run/instruction.ts";
import type { RoundReason } from "../run/types.ts";
import type { Collector } from "./collect/collector.ts";
import type { AgentLog } from "./log.ts";
import type { Masks } from "./masking/masks.ts";
import type { SecretVariables } from "./masking/secret-variables.ts";
import type { ErrorSeries } from "./output/record.ts";
import type { AgentDirectory } from "./process/directory.ts";
import type { RosterMember } from "./process/environment.ts";
import type { Processes } from "./process/process.ts";

/** What all attempts of one agent share. */
export interface Surroundings {
  readonly plan: Plan;
  readonly run: string;
  readonly planFile: string;
  readonly workingDirectory: string;
  readonly inherited: Readonly<Record<string, string | undefined>>;
  readonly ownSecrets: readonly string[];
  readonly directory: AgentDirectory;
  readonly processes: Processes;
  readonly masks: Masks;
  readonly secrets: SecretVariables;
  /** What has been remarked on already. */
  readonly said: Set<string>;
  /** False: what commands print is shown in the log and told to nobody. */
  readonly tellsOutput: boolean;
  readonly log: AgentLog;
  /** Keeps files of stages; null: there is nowhere to. */
  readonly collector: Collector | null;
}

/** Where the stage's command runs. */
export function workingDirectoryOf(
  { workingDirectory }: PlanStage,
  around: Pick<Surroundings, "workingDirectory">,
): string {
  if (workingDirectory === null) return around.workingDirectory;
  return workingDirectory.startsWith("/") ? workingDirectory : `${around.workingDirectory}/${workingDirectory}`;
}

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
  /** How far this machine's clock is from the coordinator's. */
  readonly clockOffsetMs: number;
  readonly partition: { readonly start: number; readonly end: number } | null;
  readonly member: RosterMember;
  readonly roster: readonly RosterMember[];
  readonly outputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Why its stage has begun a new round; not there: it has not, or nobody said. */
  readonly because?: RoundReason;
  readonly onTasks: (values: readonly Json[]) => void;
}

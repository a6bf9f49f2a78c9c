/** What `stagewright run` is to do, read and checked. */
import type { Json, Plan, PlanStage } from "../../plan/plan.ts";
import type { Carried } from "../../run/resume/carried.ts";
import type { Selection } from "../../run/types.ts";

export interface RunTask {
  /** The plan's. */
  readonly file: string;
  readonly plan: Plan;
  readonly selection: Selection;
  /** What a saved state brings along; null: the run begins anew. */
  readonly carried: Carried | null;
  /** The file that the run's state is kept in; null: in none. */
  readonly saveTo: string | null;
  /** The folder that agents keep stages' files in; null: no stage asks for it. */
  readonly collectTo: string | null;
  /** Of the agents. */
  readonly names: readonly string[];
  /** Those that are to be run. */
  readonly stages: readonly PlanStage[];
  /** Somebody is asked before and after each stage. */
  readonly interactive: boolean;
  readonly outputFile: string | undefined;
  /** What the run is given to work on; null: nothing. */
  readonly input: Json;
  /** This process's own. */
  readonly env: NodeJS.ProcessEnv;
}

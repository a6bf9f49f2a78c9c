/** What happens on this agent, one event one thing; how it is shown is the entry's business. */
import type { PlanStage } from "../plan/plan.ts";
import type { KeptFiles } from "../report/record/collected.ts";
import type { AttemptReport, Progress } from "../run/types.ts";
import type { RosterMember } from "./process/environment.ts";

export type AgentEvent =
  | { readonly kind: "joined"; readonly agent: string }
  /** The group is complete: who this agent is in it. Told once. */
  | { readonly kind: "assembled"; readonly member: RosterMember; readonly roster: readonly RosterMember[] }
  /** A command (or a wait without one) begins. `task`: its key, or null for the stage itself. */
  | {
      readonly kind: "started";
      readonly stage: PlanStage;
      readonly task: string | null;
      readonly attempt: string;
      readonly attemptNumber: number;
    }
  /** One line of a command's output: masked, bounded, without control characters. */
  | {
      readonly kind: "output";
      readonly stage: PlanStage;
      readonly task: string | null;
      readonly stream: "stdout" | "stderr";
      readonly line: string;
    }
  /** `::group::` (title) and `::endgroup::` (null). */
  | { readonly kind: "group"; readonly stage: PlanStage; readonly title: string | null }
  | { readonly kind: "progress"; readonly stage: PlanStage; readonly task: string | null; readonly progress: Progress }
  | { readonly kind: "ended"; readonly stage: PlanStage; readonly report: AttemptReport }
  /** Files of the stage are in a folder, but for those that were left out. Nothing of it is masked. */
  | ({ readonly kind: "collected"; readonly stage: PlanStage } & KeptFiles)
  /** A background command is up. */
  | { readonly kind: "ready"; readonly stage: PlanStage }
  /** Somebody asked that this value be hidden: an entry may have to tell its runner. */
  | { readonly kind: "mask"; readonly value: string }
  /** A wait of more than ten seconds, explained in one sentence; again when it has lasted much longer or is another. */
  | { readonly kind: "waiting"; readonly text: string }
  /** The next stage waits for a person. Told once. */
  | { readonly kind: "checkpoint"; readonly stage: PlanStage; readonly until: number | null }
  | { readonly kind: "excluded"; readonly why: string }
  /** What the coordinator has to say to this agent. */
  | { readonly kind: "notice"; readonly text: string }
  | { readonly kind: "warning"; readonly stage: PlanStage | null; readonly text: string };

export type AgentLog = (event: AgentEvent) => void;

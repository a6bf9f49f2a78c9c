/**
 * Ids of attempts. Each is a fencing token: only the report of the attempt in force is believed, so none is given twice
 * in a run. A stage's round is in it, because in each round everything is counted from 1 again.
 *
 * Runs that were begun before stages had rounds keep the shorter ids of that time in their first round, which their
 * agents and their stored events know. The two have different numbers of parts, and so are never the same.
 */
import type { RunState, StageRun } from "../state.ts";

type Run = Pick<RunState, "version">;
type Round = Pick<StageRun, "stage" | "round">;

/** `stage.round.position.count`. */
export function attemptId(run: Run, round: Round, slot: number, count: number): string {
  return `${prefix(run, round)}.${slot}.${count}`;
}

/** Of a background command that is started again after its agent was reset. */
export function restartId(run: Run, round: Round, slot: number, count: number): string {
  return `${prefix(run, round)}.${slot}.b${count}`;
}

/** Of one lease of the task with this number. */
export function leaseId(run: Run, round: Round, task: number, count: number): string {
  return `${prefix(run, round)}.t${task}.${count}`;
}

/** The round that an attempt is of; 1 for whatever does not tell it. */
export function roundOf(attempt: string): number {
  const [, round, ...rest] = attempt.split(".");
  return rest.length === 2 && /^[1-9][0-9]{0,8}$/.test(round ?? "") ? Number(round) : 1;
}

function prefix({ version }: Run, { stage, round }: Round): string {
  return version === 1 && round === 1 ? `${stage}` : `${stage}.${round}`;
}

/** How each task of a stage fared, as far as a result holds it. */
import { RUN_BOUNDS } from "../../plan/bounds.ts";
import { itemAt, itemsOf } from "../persistent-array.ts";
import type { RunState, TaskPool, TaskRecord } from "../state.ts";
import type { PhaseRound, TaskPhase } from "./record.ts";

/** Characters of a task's key. */
const KEY = 200;

/** Those that failed first, then the others in their order; those of earlier rounds are not kept. */
export function taskPhases(
  { agents }: Pick<RunState, "agents">,
  { records }: Pick<TaskPool, "records">,
): Pick<NonNullable<PhaseRound["tasks"]>, "records"> {
  const all = [...itemsOf(records)];
  if (all.length === 0) return {};
  const isBad = ({ status }: TaskRecord): boolean => status !== "done";
  const chosen = [...all.filter(isBad), ...all.filter((record) => !isBad(record))].slice(0, RUN_BOUNDS.taskRecords);
  return {
    records: chosen.map((record): TaskPhase => {
      const { key, status, holder, attempts, failures, preemptions, startedAt, endedAt, end, reason, outputs } = record;
      const isEnded = status !== "waiting" && status !== "ready" && status !== "leased";
      return {
        task: key.length > KEY ? `${key.slice(0, KEY - 1)}…` : key,
        status: isEnded ? status : "unfinished",
        agent: holder === null ? null : (itemAt(agents, holder)?.name ?? null),
        attempts,
        failures,
        preemptions,
        startedAt,
        endedAt,
        end: end ?? null,
        reason,
        outputs: outputs ?? {},
      };
    }),
  };
}

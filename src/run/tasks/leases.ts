/** Who works at which task: leases are given in the order in which agents asked, and taken back when work was lost. */
import { jsonBytes, PLAN_BOUNDS, RUN_BOUNDS } from "../../plan/bounds.ts";
import type { Draft } from "../draft.ts";
import { leaseId } from "../stage/attempt-id.ts";
import type { TaskRecord } from "../state.ts";
import { preemptTask } from "./ending.ts";
import { plannedTasks, poolAt } from "./pool.ts";

/** Notes how many tasks an agent could take beyond those it holds. */
export function wantTasks(draft: Draft, slot: number, stage: number, wants: number): void {
  const { assignment } = draft.agent(slot);
  if (assignment === null || assignment.stage !== stage || assignment.finished) return;
  // One that was told to wait cannot know how many it could take: what it said before holds.
  const said = wants === 0 && assignment.leases.length === 0 ? assignment.wants : wants;
  const room = Math.max(0, Math.min(said, plannedTasks(draft, stage).concurrency - assignment.leases.length));
  if (room !== assignment.wants) draft.editAssignment(slot, { wants: room });
  if (room > 0 && !assignment.queued) {
    draft.editAssignment(slot, { queued: true });
    draft.pool(stage).hungry.push(slot);
  }
}

/** Leases ready tasks to those who want them, in the order in which they asked. */
export function shareOut(draft: Draft, stage: number): void {
  const { concurrency } = plannedTasks(draft, stage);
  let { queueHead, hungryHead } = poolAt(draft, stage);
  const before = hungryHead;
  const { records, queue, hungry } = draft.pool(stage);
  while (queueHead < queue.size && hungryHead < hungry.size) {
    const slot = hungry.at(hungryHead++) ?? 0;
    const { assignment } = draft.agent(slot);
    if (assignment?.stage !== stage || !assignment.queued) continue;
    const leases = [...assignment.leases];
    let wants = assignment.wants;
    let isFull = false;
    let bytes = concurrency > FEW ? leases.reduce((sum, held) => sum + leaseBytes(records.at(held)), 0) : 0;
    while (wants > 0 && queueHead < queue.size) {
      const number = queue.at(queueHead) ?? 0;
      const record = records.at(number);
      if (concurrency > FEW && record?.status === "ready") {
        bytes += leaseBytes(record);
        // Told in one answer: it gets the rest when it has done some of them.
        isFull = leases.length > 0 && bytes > RUN_BOUNDS.leaseBytes;
        if (isFull) break;
      }
      queueHead++;
      if (record?.status !== "ready") continue;
      const attempts = record.attempts + 1;
      const attempt = leaseId(draft.head, draft.stage(stage), number, attempts);
      records.set(number, { ...record, status: "leased", holder: slot, attempt, attempts });
      leases.push(number);
      wants--;
    }
    const again = wants > 0 && !isFull;
    if (again) hungry.push(slot);
    draft.editAssignment(slot, { leases, wants, queued: again });
  }
  if (hungryHead !== before) draft.editPool(stage, { queueHead, hungryHead });
}

/** So many tasks, however large, are within what may be leased to one agent. */
const FEW = Math.floor(RUN_BOUNDS.leaseBytes / (2 * PLAN_BOUNDS.taskBytes));

/** Of what an agent is told of a task: its value, its key and some words around them. */
function leaseBytes(record: TaskRecord | undefined): number {
  return record === undefined ? 0 : jsonBytes(record.value) + jsonBytes(record.key) + 100;
}

/** Takes an agent's leases back: its work was lost, and will be done again. */
export function withdrawLeases(draft: Draft, slot: number): void {
  const { name, assignment } = draft.agent(slot);
  if (assignment === null || assignment.leases.length === 0) return;
  draft.editAssignment(slot, { leases: [] });
  for (const number of assignment.leases) preemptTask(draft, assignment.stage, number, name);
}

/** Tasks that a command lists while its stage is open. */
import { PLAN_BOUNDS } from "../../plan/bounds.ts";
import type { Json } from "../../plan/plan.ts";
import { taskKey } from "../../plan/stages/tasks.ts";
import type { Draft } from "../draft.ts";
import { entered, lookUp } from "../persistent-array.ts";
import type { TaskRecord } from "../state.ts";
import { endTask } from "./ending.ts";
import { needsIn, needsOf, newTask, poolAt } from "./pool.ts";

const MOST_TASKS = PLAN_BOUNDS.tasks;

/** Adds tasks that a command printed; one whose key is known already is the same task. */
export function addTasks(draft: Draft, stage: number, values: readonly Json[]): void {
  const needs = needsIn(draft, stage);
  for (const value of values) {
    const pool = poolAt(draft, stage);
    const lists = draft.pool(stage);
    const key = taskKey(value, pool.counted);
    draft.editPool(stage, { counted: pool.counted + 1 });
    if (lookUp(pool.keys, key) !== undefined) continue;
    if (lists.records.size >= MOST_TASKS) {
      if (draft.stage(stage).error === null) {
        draft.notice(`${draft.planned(stage).name} has ${MOST_TASKS} tasks: further ones are left out`);
      }
      draft.editStage(stage, { error: `more than ${MOST_TASKS} tasks` });
      return;
    }
    const needed = needsOf(needs, key).map((other) => statusOf(draft, stage, other));
    const missing = needed.filter((status) => status !== "done").length;
    const number = lists.records.push({
      ...newTask(key, value, needs),
      missing,
      status: missing > 0 ? "waiting" : "ready",
    });
    draft.editPool(stage, { keys: entered(pool.keys, key, number), open: pool.open + 1 });
    if (needed.some((status) => status === "failed" || status === "skipped")) {
      endTask(draft, stage, number, "skipped", "a task that it needs was not done");
    } else if (missing === 0) lists.queue.push(number);
  }
}

/** The list begins anew: tasks without a key of their own are counted from its beginning, and so are the same tasks. */
export function beginListing(draft: Draft, stage: number, generator: number): void {
  draft.editPool(stage, { generator, counted: 0 });
}

/** No more tasks will be listed: what waits for one that never came is skipped. */
export function endListing(draft: Draft, stage: number, error: string | null): void {
  draft.editPool(stage, { generator: null });
  if (error !== null) draft.editStage(stage, { error });
  const needs = needsIn(draft, stage);
  const { records } = draft.pool(stage);
  for (let number = 0; number < records.size; number++) {
    const record = records.at(number);
    if (record?.status !== "waiting") continue;
    const absent = needsOf(needs, record.key).find((key) => lookUp(poolAt(draft, stage).keys, key) === undefined);
    if (absent !== undefined) endTask(draft, stage, number, "skipped", `needs "${absent}", which was never listed`);
  }
}

function statusOf(draft: Draft, stage: number, key: string): TaskRecord["status"] | null {
  const number = lookUp(poolAt(draft, stage).keys, key);
  return number === undefined ? null : (draft.pool(stage).records.at(number)?.status ?? null);
}

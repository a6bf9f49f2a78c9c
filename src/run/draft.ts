/**
 * A run's state while events are applied to it: changeable from inside, a new plain state when it is done. What it was
 * made from is never touched. Everything here is bookkeeping; what is decided stands in the files that use it.
 */
import { RUN_BOUNDS } from "../plan/bounds.ts";
import type { Plan, PlanStage } from "../plan/plan.ts";
import { ArrayDraft, chunkNumber, lookUp } from "./persistent-array.ts";
import type { AgentPhase } from "./result/record.ts";
import type { AgentState, Assignment, Notice, Remarks, RunState, StageRun, TaskPool, TaskRecord } from "./state.ts";
import { isLegalRunTransition } from "./transitions.ts";
import type { RunStatus } from "./types.ts";

/** How many notices a state keeps; agents read them with every sync. */
const KEPT_NOTICES = 200;
const KEPT_REMARKS = 10;

type Head = { -readonly [K in keyof Omit<RunState, "agents" | "stages" | "notices">]: RunState[K] };

export interface PoolDraft {
  readonly records: ArrayDraft<TaskRecord>;
  readonly queue: ArrayDraft<number>;
  readonly hungry: ArrayDraft<number>;
}

export class Draft {
  readonly head: Head;
  agents: ArrayDraft<AgentState>;
  readonly #base: RunState;
  readonly #stages: ArrayDraft<StageRun>;
  readonly #results = new Map<number, ArrayDraft<AgentPhase | null>>();
  readonly #pools = new Map<number, PoolDraft>();
  #notices: Notice[] | null = null;

  constructor(state: RunState) {
    this.#base = state;
    const { agents: _agents, stages: _stages, notices: _notices, ...head } = state;
    this.head = head;
    this.agents = new ArrayDraft(state.agents);
    this.#stages = new ArrayDraft(state.stages);
  }

  get plan(): Plan {
    return this.head.plan;
  }

  get now(): number {
    return this.head.now;
  }

  planned(stage: number): PlanStage {
    const planned = this.plan.stages[stage];
    if (planned === undefined) throw new RangeError(`the plan has no stage ${stage}`);
    return planned;
  }

  stage(stage: number): StageRun {
    const run = this.#stages.at(stage);
    if (run === undefined) throw new RangeError(`the plan has no stage ${stage}`);
    return run;
  }

  /** The same, with what is changed beside it put in. */
  whole(stage: number): StageRun {
    const run = this.stage(stage);
    const results = this.#results.get(stage);
    const lists = this.#pools.get(stage);
    if (results === undefined && lists === undefined) return run;
    return {
      ...run,
      results: results?.done() ?? run.results,
      pool:
        lists === undefined || run.pool === null
          ? run.pool
          : { ...run.pool, records: lists.records.done(), queue: lists.queue.done(), hungry: lists.hungry.done() },
    };
  }

  /** Puts another round of a stage in its place. */
  replaceStage(stage: number, run: StageRun): void {
    this.#results.delete(stage);
    this.#pools.delete(stage);
    // Nothing of the round before stays, not even what the new one does not have.
    this.#stages.set(stage, run);
    this.head.revision++;
  }

  /** Changes a stage; says that it must be kept unless it is only what a heartbeat tells. */
  editStage(stage: number, change: Partial<StageRun>, keep = true): void {
    this.#stages.set(stage, { ...this.stage(stage), ...change });
    if (keep) this.head.revision++;
  }

  agent(slot: number): AgentState {
    const agent = this.agents.at(slot);
    if (agent === undefined) throw new RangeError(`there is no agent in position ${slot}`);
    return agent;
  }

  slotOf(name: string): number | undefined {
    return lookUp(this.head.names, name);
  }

  editAgent(slot: number, change: Partial<AgentState>, keep = true): void {
    const before = this.agent(slot);
    const after = { ...before, ...change };
    this.agents.set(slot, after);
    this.head.living += Number(isLiving(after)) - Number(isLiving(before));
    this.head.backgrounds += after.backgrounds.length - before.backgrounds.length;
    if (keep) this.head.revision++;
  }

  editAssignment(slot: number, change: Partial<Assignment>, keep = true): void {
    const { assignment } = this.agent(slot);
    if (assignment === null) throw new Error(`${this.agent(slot).name} has no assignment to change`);
    this.editAgent(slot, { assignment: { ...assignment, ...change } }, keep);
  }

  results(stage: number): ArrayDraft<AgentPhase | null> {
    const open = this.#results.get(stage) ?? new ArrayDraft(this.stage(stage).results);
    this.#results.set(stage, open);
    return open;
  }

  setResult(stage: number, slot: number, result: AgentPhase): void {
    const rows = this.results(stage);
    while (rows.size <= slot) rows.push(null);
    rows.set(slot, result);
    this.head.revision++;
  }

  pool(stage: number): PoolDraft {
    const pool = this.stage(stage).pool;
    if (pool === null) throw new Error(`stage ${stage} has no tasks`);
    const open = this.#pools.get(stage) ?? {
      records: new ArrayDraft(pool.records),
      queue: new ArrayDraft(pool.queue),
      hungry: new ArrayDraft(pool.hungry),
    };
    this.#pools.set(stage, open);
    return open;
  }

  editPool(stage: number, change: Partial<Omit<TaskPool, "records" | "queue" | "hungry">>): void {
    const { pool } = this.stage(stage);
    if (pool === null) throw new Error(`stage ${stage} has no tasks`);
    this.editStage(stage, { pool: { ...pool, ...change } });
  }

  /** Once, when the group is complete: everyone in the position of their index. */
  replaceAgents(agents: RunState["agents"]): void {
    this.agents = new ArrayDraft(agents);
  }

  /** One more (or less) whose outcome is to come. */
  countPending(stage: number, slot: number, by: 1 | -1): void {
    const run = this.stage(stage);
    const pendingByChunk = [...run.pendingByChunk];
    const chunk = chunkNumber(slot);
    while (pendingByChunk.length <= chunk) pendingByChunk.push(0);
    pendingByChunk[chunk] = (pendingByChunk[chunk] ?? 0) + by;
    this.editStage(stage, { pending: run.pending + by, pendingByChunk });
  }

  /** A transition that the table does not allow is a fault of this program. */
  setRunStatus(to: RunStatus): void {
    const from = this.head.status;
    if (!isLegalRunTransition(from, to)) throw new Error(`a run cannot go from ${from} to ${to}`);
    this.head.status = to;
    this.head.steps++;
    this.head.revision++;
  }

  /** Says why something that an agent told is not accepted; the same is not said twice in a row. */
  reject(slot: number, text: string): void {
    const agent = this.agent(slot);
    if (agent.rejected === text) return;
    this.editAgent(slot, { rejected: text });
    this.notice(`rejected: ${text}`, agent.name);
  }

  /** `agent`: whom alone it concerns, so that it stands in that one's log; null: everyone. */
  notice(said: string, agent: string | null = null): void {
    const text = clipped(said);
    this.#notices ??= [...this.#base.notices];
    const last = this.#notices.at(-1);
    // The same about one agent again says nothing new.
    if (last?.text === text && last.agent === agent && (agent !== null || last.at === this.now)) return;
    this.head.noticeSeq++;
    this.head.revision++;
    this.#notices.push({ seq: this.head.noticeSeq, at: this.now, agent, text });
  }

  remark(stage: number, where: "warnings" | "failures", text: string): void {
    this.editStage(stage, { [where]: withRemark(this.stage(stage)[where], clipped(text)) });
  }

  /** The agents have to be looked through at this time, or before. */
  wake(at: number): void {
    if (at === Number.POSITIVE_INFINITY) return;
    this.head.sweepAt = Math.min(this.head.sweepAt ?? at, at);
  }

  done(): RunState {
    for (const stage of new Set([...this.#results.keys(), ...this.#pools.keys()])) {
      this.#stages.set(stage, this.whole(stage));
    }
    const notices = this.#notices?.slice(-KEPT_NOTICES) ?? this.#base.notices;
    return { ...this.head, agents: this.agents.done(), stages: this.#stages.done(), notices };
  }
}

/** Names of tasks and what programs say of themselves can be long. */
function clipped(text: string): string {
  return text.length <= RUN_BOUNDS.remark ? text : `${text.slice(0, RUN_BOUNDS.remark - 1)}…`;
}

/** A member that is there. */
export function isLiving(agent: AgentState): boolean {
  return agent.membership === "member" && (agent.presence === "here" || agent.presence === "silent");
}

function withRemark(remarks: Remarks, text: string): Remarks {
  const texts = remarks.count < KEPT_REMARKS ? [...remarks.texts, text] : remarks.texts;
  return { texts, count: remarks.count + 1 };
}

/** "a, b and 3 more" */
export function remarksText(remarks: Remarks, most = 3): string {
  const named = remarks.texts.slice(0, most);
  const more = remarks.count - named.length;
  return named.join("; ") + (more > 0 ? `; and ${more} more` : "");
}

/** Runs that go on from the state of another: which stories are told of them, and whether they take what they may. */

import { planPrint } from "../../src/plan/canonical.ts";
import type { Plan, PlanStage } from "../../src/plan/plan.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt } from "../../src/run/persistent-array.ts";
import type { Carried } from "../../src/run/resume/carried.ts";
import { readSavedRun } from "../../src/run/resume/read-saved-run.ts";
import { carriedOf, savedRun } from "../../src/run/resume/saved-run.ts";
import { Random } from "./random.ts";

export interface Resuming {
  /** When the run is gone whose state is gone on from: milliseconds from its start. */
  readonly goneAtMs: number;
  /** For each agent, the machine that it comes back on. */
  readonly hosts: GoingOn["hosts"];
}

export function hostOf(index: number): string {
  return `bench-${index}`;
}

/** In one of eight stories. Drawn by itself, so that the others are told as they were before. */
export function resumingOf(seed: number, agents: number): Resuming | null {
  const random = new Random(seed ^ 0x6a09e667);
  if (!random.chance(1 / 8)) return null;
  const moves = random.chance(0.75);
  return {
    goneAtMs: random.between(2_000, 60_000),
    hosts: Object.fromEntries(
      Array.from({ length: agents }, (_, index) => [
        `agent-${index}`,
        moves && index === 0 ? "elsewhere" : hostOf(index),
      ]),
    ),
  };
}

const UNMASKED = { text: (text: string): string => text, json: <T>(value: T): T => value };

/** What a run goes on from, and where its agents are then. */
export interface GoingOn {
  readonly carried: Carried;
  /** Agent name -> machine. */
  readonly hosts: Readonly<Record<string, string>>;
}

/** What is read of the state that the run left. */
export function stateLeft(state: RunState): Carried {
  const text = JSON.stringify(savedRun(state, planPrint(state.plan), state.now, UNMASKED));
  const read = readSavedRun(Buffer.from(text));
  if ("problems" in read) throw new Error(`the state cannot be read: ${read.problems.join("; ")}`);
  return carriedOf(read.saved);
}

/** Whether a result of before is there for those that need it: its stage was not run (again). */
export function isTaken(state: RunState, carried: Carried | null, stage: number, name: string): boolean {
  return carried !== null && itemAt(state.stages, stage)?.startAt == null && carried.succeeded.includes(name);
}

/** A stage that was left out because it is done, as the run says. */
export function isLeftAsDone(state: RunState, stage: number): boolean {
  const run = itemAt(state.stages, stage);
  return run?.status === "skipped" && run.reason?.startsWith("done in the loaded state") === true;
}

/** What a run that is over took from the state, and what it did anew. */
export function judgeResumed(plan: Plan, state: RunState, from: GoingOn | null): readonly string[] {
  const resumed = from?.carried.resumed;
  if (resumed === undefined || state.roster === null) return [];
  const done = new Set(resumed.finished.map(({ name }) => name));
  const isSkipped = ({ index }: PlanStage): boolean => state.selection.skip.includes(index);
  /** In its first round: later ones are begun by the group, whatever was done before. */
  const ran = ({ index }: PlanStage): boolean => {
    const run = itemAt(state.stages, index);
    return (run?.earlier[0] ?? run)?.startAt != null;
  };
  const left = plan.stages.filter((stage) => !done.has(stage.name) && !isSkipped(stage) && stage.when === "on_success");
  const last = left.at(-1)?.index ?? -1;
  const isHere =
    plan.sharedFilesystem ||
    state.roster.agents.every(({ name }) => {
      const before = resumed.hosts[name];
      return before !== undefined && from?.hosts[name] === before;
    });
  return plan.stages.flatMap((stage) => {
    const { name, type, when, background, index } = stage;
    const isLeft = isLeftAsDone(state, index);
    if (!done.has(name)) return isLeft ? [`${name} was left out as done, which it is not`] : [];
    const isMade = (type === "validation" || type === "prepare") && !isHere && index < last;
    const until = plan.stages.findIndex((other) => other.name === background?.until);
    const serves = plan.stages.slice(index + 1, until + 1).find((other) => other.when === "on_success" && ran(other));
    if (ran(stage)) {
      const mayRun = when !== "on_success" ? last >= 0 || state.failure !== null : isMade || serves !== undefined;
      // A background command may be begun for a stage that the run never came to.
      if (mayRun || background !== null) return [];
      return [`${name} was run again, though it was done and nothing has changed`];
    }
    if (!isLeft) return [];
    if (isMade && background === null) return [`${name} was not made again, and its machines have changed`];
    if (serves !== undefined) return [`${name} was not started again, though ${serves.name} ran beside it`];
    return [];
  });
}

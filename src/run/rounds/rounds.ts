/** Going back: stages that are over begin a new round. What came of the rounds before stays in the run's record. */
import { formatDuration } from "../../plan/parsing/duration.ts";
import { isSelected } from "../../plan/select.ts";
import type { Draft } from "../draft.ts";
import { directoryOf, itemsOf, persistentArray } from "../persistent-array.ts";
import { quorumRepeats } from "../quorum/result.ts";
import { pauseBefore, retriesOf } from "../quorum/round.ts";
import { newStageRun } from "../stage/start.ts";
import type { StageRun } from "../state.ts";
import type { RoundReason, RunEvent } from "../types.ts";

/** Notes that this round, once it is over, leads back. A word about another round, or a second one, changes nothing. */
export function requestRepeat(draft: Draft, event: Extract<RunEvent, { type: "repeat_requested" }>): void {
  const { stage, round, from, why } = event;
  if (draft.plan.stages[stage] === undefined || from < 0 || from > stage) return;
  const run = draft.stage(stage);
  if (run.phase !== "open" || run.round !== round || run.repeat !== null) return;
  draft.editStage(stage, { repeat: { from, why } });
  draft.notice(`${draft.planned(stage).name} is to lead back to ${draft.planned(from).name}: ${why}`);
}

/** Where a stage leads back to. */
export interface WayBack {
  readonly from: number;
  readonly why: string;
  /** The stage that leads back. */
  readonly by: number;
  /** A quorum sends back: what it names, and what depends on that. Not there: `from` and all after it. */
  readonly sentBack?: true;
  /** What its commands are told of it; not there: what the quorum found, or nothing. */
  readonly because?: RoundReason;
}

/** Begins a new round of stages that have been decided on. Nothing is open. */
export function goBack(draft: Draft, { from, why, by, sentBack, ...told }: WayBack): void {
  const { head } = draft;
  const stages = sentBack === true ? quorumRepeats(draft, draft.planned(by)) : range(from, head.position);
  const because = sentBack === true ? reasonOf(draft, by) : (told.because ?? null);
  const again = [...endedBackgrounds(draft, from), ...stages];
  const names = new Set(again.map((stage) => draft.planned(stage).name));
  // What a quorum found wanting is there for those that it sends back.
  if (because !== null && sentBack === true) names.delete(because.stage);
  const isKept = ([name]: readonly [string, unknown]): boolean => !names.has(name);
  // What was brought along is there again only where nothing is made anew.
  const isMade = (name: string): boolean =>
    draft.plan.stages.some((stage) => stage.name === name && isSelected(head.selection, stage.index));
  const carried = Object.entries(head.carried.outputs).filter((entry) => !isKept(entry) && !isMade(entry[0]));
  head.outputs = Object.fromEntries([...Object.entries(head.outputs).filter(isKept), ...carried]);
  const { quorum } = draft.planned(by);
  if (sentBack === true && quorum !== undefined)
    head.resumeAt = draft.now + pauseBefore(quorum, retriesOf(draft.stage(by)));
  for (const stage of again) {
    const run = draft.whole(stage);
    head.outputBytes -= run.outputBytes;
    const earlier = [...run.earlier, closedRound(run)];
    const given = run.given === undefined || isToldAnew(draft, stage, again) ? {} : { given: run.given };
    const reason = because === null ? {} : { because };
    draft.replaceStage(stage, { ...newStageRun(stage), round: run.round + 1, earlier, ...reason, ...given });
  }
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const { backgrounds, lasts } = draft.agent(slot);
    const isOver = ({ stage }: { readonly stage: number }): boolean => again.includes(stage);
    if (!backgrounds.some(isOver) && !lasts.some(isOver)) continue;
    draft.editAgent(slot, {
      backgrounds: backgrounds.filter((one) => !isOver(one)),
      lasts: lasts.filter((one) => !isOver(one)),
    });
  }
  // Who agreed to a round has not seen what comes next.
  head.approved = head.approved.filter((stage) => !again.includes(stage));
  head.position = Math.min(...again);
  head.steps++;
  const { round } = draft.stage(from);
  const pause = (head.resumeAt ?? 0) - draft.now;
  const after = pause > 0 ? ` in ${formatDuration(pause)}` : "";
  draft.notice(`going back to ${draft.planned(from).name}, round ${round}${after}: ${why}`);
}

/** Its tasks come from a stage that is done again. */
function isToldAnew(draft: Draft, stage: number, again: readonly number[]): boolean {
  const { tasks } = draft.planned(stage);
  return again.some((other) => tasks?.source.kind === "stage" && tasks.source.stage === draft.planned(other).name);
}

function range(from: number, end: number): readonly number[] {
  return Array.from({ length: Math.max(0, end - from) }, (_, step) => from + step);
}

function reasonOf(draft: Draft, stage: number): RoundReason {
  const { round, quorum } = draft.stage(stage);
  return { stage: draft.planned(stage).name, round, deficiencies: quorum?.deficiencies ?? [] };
}

/** Background commands of stages before it that others rely on from then on, and that have been ended meanwhile. */
function* endedBackgrounds(draft: Draft, from: number): Generator<number> {
  const running = new Set(
    [...draft.agents].flatMap(({ backgrounds }) =>
      backgrounds.flatMap(({ stage, ending }) => (ending === true ? [] : stage)),
    ),
  );
  for (let stage = 0; stage < from; stage++) {
    const { background } = draft.planned(stage);
    if (background === null || draft.stage(stage).startAt === null || running.has(stage)) continue;
    const until = draft.plan.stages.findIndex(({ name }) => name === background.until);
    if (until >= from) yield stage;
  }
}

/** What a record tells of an earlier round: neither its tasks one by one, nor what a later round says anew. */
function closedRound(run: StageRun): StageRun {
  const { pool } = run;
  const nothing = { outputs: [], outputBytes: 0, histograms: [], annotations: [], annotationBytes: 0 };
  const results = [...itemsOf(run.results)].map((result) => (result === null ? null : { ...result, tail: "" }));
  return {
    ...run,
    ...nothing,
    results: persistentArray(results),
    earlier: [],
    pendingByChunk: [],
    pool: pool === null ? null : { ...pool, keys: directoryOf([]), records: [], queue: [], hungry: [] },
  };
}

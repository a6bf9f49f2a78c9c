/** Saved states at the command line: which file is gone on from, where the run's own state is kept. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { machineFacts } from "../../agent/machine/machine-facts.ts";
import { planPrint } from "../../plan/canonical.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Carried } from "../../run/resume/carried.ts";
import { readSavedRun, SAVED_RUN_BYTES, savedRunRefusal } from "../../run/resume/read-saved-run.ts";
import { keepsFiles, reusedStages } from "../../run/resume/resumption.ts";
import { carriedOf, inputDigest, type SavedRun, type SavedRunMask } from "../../run/resume/saved-run.ts";
import type { Selection } from "../../run/types.ts";
import { removeUnfinished, StateFile } from "../../state-file/state-file.ts";
import { UsageError } from "../exit.ts";
import { readBounded } from "../files.ts";
import { Attendant } from "./checkpoint.ts";
import type { ConsoleLog } from "./console.ts";
import type { RunTask } from "./task.ts";

export interface StateOptions {
  readonly saveState?: string;
  readonly savePhaseState?: string;
  readonly loadState?: string;
  readonly loadPhaseState?: string;
  readonly resumeSession?: boolean;
  readonly outputFile?: string;
}

export interface StateFiles {
  /** What is gone on from; null: the run begins anew. */
  readonly load: string | null;
  readonly save: string | null;
  /** Why it begins anew although it was to go on; null: it was not, or does. */
  readonly anew: string | null;
}

/** @throws UsageError when what is asked for contradicts itself, or nothing could be saved there */
export function stateFiles(plan: Plan, planFile: string, options: StateOptions): StateFiles {
  const { saveState, savePhaseState, loadState, loadPhaseState, resumeSession } = options;
  const twice = [
    [saveState, savePhaseState, "save"],
    [loadState, loadPhaseState, "load"],
  ] as const;
  for (const [state, phase, word] of twice) {
    if (state !== undefined && phase !== undefined) {
      throw new UsageError(`--${word}-state and --${word}-phase-state are the same, expected one of them`);
    }
  }
  const load = loadState ?? loadPhaseState ?? null;
  const said = saveState ?? savePhaseState ?? null;
  if (resumeSession === true && load !== null) {
    const spelling = loadState === undefined ? "--load-phase-state" : "--load-state";
    const why = "the first goes on from the state that is kept, the second from that file";
    throw new UsageError(`--resume-session and ${spelling} contradict each other (${why}), expected one of them`);
  }
  const save = said ?? (resumeSession === true ? sessionFile(plan) : null);
  if (save !== null) checkSaved(save, said === null, planFile, options.outputFile);
  if (resumeSession !== true || save === null) return { load, save, anew: null };
  return existsSync(save)
    ? { load: save, save, anew: null }
    : { load: null, save, anew: `there is no state in ${save}: the run begins anew` };
}

/** Where a plan's session is kept unless `--save-state` says otherwise. */
function sessionFile({ name }: Plan): string {
  return join(".stagewright", `${name.replaceAll(/[^\p{L}\p{N}._-]/gu, "_")}.state.json`);
}

function checkSaved(file: string, isMade: boolean, planFile: string, outputFile: string | undefined): void {
  const target = resolve(file);
  const others = [
    [planFile, "the plan"],
    [outputFile, "--output-file"],
  ] as const;
  for (const [other, what] of others) {
    if (other !== undefined && resolve(other) === target) {
      throw new UsageError(`--save-state ${file}: is ${what}, expected a file of its own`);
    }
  }
  const stats = statSync(target, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isFile()) throw new UsageError(`--save-state ${file}: is not a file`);
  const directory = dirname(target);
  if (isMade && !existsSync(directory)) return;
  try {
    accessSync(directory, constants.W_OK);
  } catch {
    throw new UsageError(`--save-state ${file}: its directory is not there or may not be written to`);
  }
}

export interface LoadedState {
  readonly carried: Carried;
  /** What the run was given to work on, as JSON; null: nothing. */
  readonly input: string | null;
}

/**
 * What a state file brings along for this plan. @throws UsageError: it cannot be read, is none, or another plan's
 * @param given the input that is given anew; null: none is
 */
export function loadState(file: string, plan: Plan, agentCount: number, given: string | null = null): LoadedState {
  const read = readSavedRun(readBounded(file, SAVED_RUN_BYTES));
  if ("problems" in read) throw new UsageError(...read.problems.map((problem) => `${file}:${problem}`));
  const refusal = savedRunRefusal(read.saved, { plan, print: planPrint(plan), agentCount });
  if (refusal !== null) throw new UsageError(`${file}: ${refusal}`);
  return { carried: carriedOf(read.saved), input: inputOf(read.saved, file, given) };
}

/** One run has one input: what is done was done with it. @throws UsageError */
function inputOf({ input, input_digest: digest }: SavedRun, file: string, given: string | null): string | null {
  if (digest === null) return given;
  if (given !== null) {
    if (inputDigest(JSON.parse(given)) === digest) return given;
    throw new UsageError(
      `--input-file: is not the input of the run whose state ${file} is, expected the same or nothing`,
    );
  }
  if (inputDigest(input) === digest) return `${JSON.stringify(input)}\n`;
  throw new UsageError(`${file}: something in the run's input was masked: give it again with --input-file`);
}

/** What keeps the state of this run as it goes on; null: nothing was asked for. */
export function savedBy({ plan, saveTo, input }: RunTask, mask: SavedRunMask, log: ConsoleLog): StateFile | null {
  if (saveTo === null) return null;
  removeUnfinished(saveTo);
  const onTrouble = (why: string): void => log.line(`--save-state ${saveTo}: could not be written: ${why}`);
  return new StateFile({ path: saveTo, plan, mask, input, onTrouble });
}

/** Asks whoever is at the terminal. A run that is quit is kept, where nothing says otherwise with the plan's session. */
export function attendantOf(task: RunTask, mask: SavedRunMask, log: ConsoleLog): Attendant {
  const { plan, env, saveTo } = task;
  const path = saveTo ?? sessionFile(plan);
  return new Attendant({
    plan,
    env,
    line: (text) => log.line(text),
    save: (state) => {
      const file = saveTo === null ? savedBy({ ...task, saveTo: path }, mask, log) : null;
      file?.follow(state);
      const how = saveTo === null ? "--resume-session" : `--load-state ${path}`;
      if (file?.isBehind !== true) log.line(`the run's state is in ${path}; ${how} goes on from it`);
    },
  });
}

/** The stages that are not run again when agents of these names, all of them here, go on. */
export function reusedHere(
  plan: Plan,
  selection: Selection,
  carried: Carried | null,
  agents: readonly string[],
  env: NodeJS.ProcessEnv,
): readonly number[] {
  const resumed = carried?.resumed;
  if (resumed === undefined) return [];
  const machine = machineFacts(env);
  const here = agents.map((name) => ({ name, machine }));
  const finished = new Set(resumed.finished.map(({ name }) => name));
  return reusedStages(plan, selection, finished, keepsFiles(plan, resumed, here));
}

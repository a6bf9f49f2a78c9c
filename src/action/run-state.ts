/**
 * The state of a run that is hosted by this step (alone, or as its group's leader): what it goes on from on a re-run,
 * and where it is kept meanwhile. An app keeps the states of its runs itself, and followers have none.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { planPrint } from "../plan/canonical.ts";
import type { Plan } from "../plan/plan.ts";
import { missingResults } from "../plan/select.ts";
import { unguessable } from "../random.ts";
import { type Carried, NOTHING_CARRIED } from "../run/resume/carried.ts";
import { readSavedRun, SAVED_RUN_BYTES, savedRunRefusal } from "../run/resume/read-saved-run.ts";
import { carriedOf } from "../run/resume/saved-run.ts";
import type { RunState } from "../run/state.ts";
import type { RunKey, Selection } from "../run/types.ts";
import { removeUnfinished, StateFile } from "../state-file/state-file.ts";
import type { Entry } from "./entry.ts";
import type { Inputs } from "./input/inputs.ts";
import type { Job } from "./input/job.ts";
import { UnusableState } from "./output/refuse.ts";

export interface RunStateOptions {
  readonly inputs: Pick<Inputs, "resume" | "stateFile">;
  readonly job: Job;
  readonly key: RunKey;
  readonly plan: Plan;
  readonly selection: Selection;
  /** Agents of the group. */
  readonly size: number;
}

export class KeptState {
  readonly #options: RunStateOptions;
  readonly #entry: Entry;
  readonly #file: StateFile;
  readonly path: string;

  constructor(options: RunStateOptions, entry: Entry) {
    const { inputs, job, plan } = options;
    this.#options = options;
    this.#entry = entry;
    this.path =
      inputs.stateFile === null
        ? join(job.temporary, `stagewright-state-${unguessable()}.json`)
        : resolve(job.workspace, inputs.stateFile);
    const onTrouble = (why: string): void => entry.console.warning(`state-file: ${this.path}: ${why}`);
    this.#file = new StateFile({ path: this.path, plan, mask: entry.masks, onTrouble });
  }

  /** What this attempt goes on from. @throws UnusableState */
  async take(): Promise<Carried> {
    const { inputs, plan, selection, key } = this.#options;
    if (statSync(this.path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new UnusableState([`state-file: ${this.path} is not a file`]);
    }
    removeUnfinished(this.path);
    const found = inputs.resume ? this.#find() : NOTHING_CARRIED;
    const missing = missingResults(plan, selection, found.succeeded);
    if (missing.length > 0) throw new UnusableState(missing);
    if (found.anew === undefined || key.attempt > 1) return found;
    return NOTHING_CARRIED;
  }

  follow(state: RunState): void {
    this.#file.follow(state);
  }

  /** Tells where the state is, for later steps. */
  tell(): void {
    this.#entry.files.output("state-file", existsSync(this.path) ? this.path : "");
  }

  #find(): Carried {
    const { inputs } = this.#options;
    if (!existsSync(this.path)) return anew(`${inputs.stateFile ?? "its last state"} is not there`);
    if (statSync(this.path).size > SAVED_RUN_BYTES) throw new UnusableState([`state-file: ${this.path} is too large`]);
    const read = this.#read(readFileSync(this.path));
    if ("problems" in read) {
      throw new UnusableState(read.problems.map((problem) => `state-file: ${inputs.stateFile ?? ""}: ${problem}`));
    }
    return read.carried;
  }

  #read(bytes: Uint8Array): { readonly carried: Carried } | { readonly problems: readonly string[] } {
    const { plan, size } = this.#options;
    const read = readSavedRun(bytes);
    if ("problems" in read) return read;
    const refusal = savedRunRefusal(read.saved, { plan, print: planPrint(plan), agentCount: size });
    return refusal === null ? { carried: carriedOf(read.saved) } : { problems: [refusal] };
  }
}

function anew(why: string): Carried {
  return { ...NOTHING_CARRIED, anew: why };
}

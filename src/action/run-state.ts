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
import { type StateCache, stateCache } from "./cache/state-cache.ts";
import type { Entry } from "./entry.ts";
import type { Inputs } from "./input/inputs.ts";
import type { Job } from "./input/job.ts";
import { UnusableState } from "./output/refuse.ts";

export interface RunStateOptions {
  readonly inputs: Pick<Inputs, "resume" | "stateFile" | "agentIndex">;
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
  #cache: StateCache | null = null;
  /** What is on its way to the cache; null: nothing. */
  #keeping: Promise<void> | null = null;
  #isBehind = false;

  constructor(options: RunStateOptions, entry: Entry) {
    const { inputs, job, plan } = options;
    this.#options = options;
    this.#entry = entry;
    this.path =
      inputs.stateFile === null
        ? join(job.temporary, `stagewright-state-${unguessable()}.json`)
        : resolve(job.workspace, inputs.stateFile);
    const onTrouble = (why: string): void => entry.console.warning(`state-file: ${this.path}: ${why}`);
    // A file that somebody named is looked for there alone.
    if (inputs.stateFile === null) {
      const { repositoryId, runId, group, attempt } = options.key;
      const own = options.size === 1 ? String(inputs.agentIndex) : "";
      const about = [repositoryId, runId, group, own, planPrint(plan).digest];
      this.#cache = stateCache({ env: entry.env, about, attempt });
    }
    this.#file = new StateFile({ path: this.path, plan, mask: entry.masks, onTrouble });
  }

  /** What this attempt goes on from. @throws UnusableState */
  async take(): Promise<Carried> {
    const { inputs, plan, selection, key } = this.#options;
    if (statSync(this.path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new UnusableState([`state-file: ${this.path} is not a file`]);
    }
    removeUnfinished(this.path);
    const found = inputs.resume
      ? await (inputs.stateFile === null ? this.#findKept() : this.#findFile())
      : NOTHING_CARRIED;
    const missing = missingResults(plan, selection, found.succeeded);
    if (missing.length > 0) throw new UnusableState(missing);
    if (found.anew === undefined || key.attempt > 1) return found;
    return NOTHING_CARRIED;
  }

  follow(state: RunState): void {
    if (this.#file.follow(state)) this.#keep();
  }

  /** Resolves when the last state is kept, or the signal says that there is no time for it. */
  async settled(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
    if (!signal.aborted) await Promise.race([this.#keeping, aborted]);
    await this.#cache?.close();
  }

  /** One at a time; what has changed meanwhile goes with the next. */
  #keep(): void {
    if (this.#cache === null) return;
    if (this.#keeping !== null) {
      this.#isBehind = true;
      return;
    }
    this.#isBehind = false;
    this.#keeping = this.#cache
      .keep(readFileSync(this.path))
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#entry.console.warning(`resume: GitHub's cache does not keep the state of this run: ${why}`);
        // It would not take the next one either.
        this.#cache = null;
      })
      .then(async () => {
        this.#keeping = null;
        if (this.#isBehind) this.#keep();
        await this.#keeping;
      });
  }

  async #findKept(): Promise<Carried> {
    if (this.#options.key.attempt === 1) return NOTHING_CARRIED;
    if (this.#cache === null) return anew("this job has no cache to find its last state in; name a state-file");
    try {
      const bytes = await this.#cache.newest();
      if (bytes === null) return anew("GitHub's cache has no state of an attempt before this one");
      const read = this.#read(bytes);
      return "carried" in read ? read.carried : anew(`the state that was found: ${read.problems[0] ?? ""}`);
    } catch (error) {
      return anew(`its last state could not be looked for: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Tells where the state is, for later steps. */
  tell(): void {
    this.#entry.files.output("state-file", existsSync(this.path) ? this.path : "");
  }

  #findFile(): Carried {
    const { inputs } = this.#options;
    if (!existsSync(this.path)) return anew(`${inputs.stateFile ?? ""} is not there`);
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

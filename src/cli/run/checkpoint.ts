/** Asks the person at the terminal: where the plan wants an approval, and around each stage of an interactive run. */
import { userInfo } from "node:os";
import { createInterface } from "node:readline/promises";
import type { RunHost } from "../../coordinator/hosting/host.ts";
import { approversText } from "../../plan/checkpoints.ts";
import type { Json, Plan, PlanStage } from "../../plan/plan.ts";
import { itemAt } from "../../run/persistent-array.ts";
import type { RunState } from "../../run/state.ts";
import { knownTasks } from "../../run/tasks/generated.ts";
import type { RunEvent } from "../../run/types.ts";
import { editTasks } from "./editor.ts";

export interface AttendantOptions {
  readonly plan: Plan;
  readonly env: NodeJS.ProcessEnv;
  readonly line: (text: string) => void;
  /** Keeps the state of a run that is ended by whoever attends to it. */
  readonly save: (state: RunState) => void;
}

type Wait = NonNullable<RunState["checkpoint"]>;

/** Asks once for each wait of a run for a person, and tells the run the answer. */
export class Attendant {
  readonly #options: AttendantOptions;
  #asked = "";
  #asking = new AbortController();
  #isOver = false;

  constructor(options: AttendantOptions) {
    this.#options = options;
  }

  /** A question is on the screen. */
  get isAsking(): boolean {
    return this.#asked !== "" && !this.#isOver;
  }

  /** After each change of the run. */
  look(host: RunHost): void {
    const { checkpoint, stages } = host.state;
    const round = checkpoint === null ? 0 : (itemAt(stages, checkpoint.stage)?.round ?? 1);
    const key =
      checkpoint === null ? "" : `${checkpoint.stage} ${round} ${checkpoint.after === undefined ? "before" : "after"}`;
    if (key === this.#asked) return;
    this.#asked = key;
    // Its time is over, or the run's.
    this.#asking.abort();
    const stage = checkpoint === null ? undefined : this.#options.plan.stages[checkpoint.stage];
    if (checkpoint === null || stage === undefined || this.#isOver) return;
    this.#asking = new AbortController();
    void this.#answer(host, checkpoint, stage, round, this.#asking.signal);
  }

  /** Asks nothing any more. */
  stop(): void {
    this.#isOver = true;
    this.#asking.abort();
  }

  async #answer(host: RunHost, wait: Wait, stage: PlanStage, round: number, signal: AbortSignal): Promise<void> {
    const by = userName();
    if (host.state.attended !== true) {
      const answer = await question(`Go on with ${stage.name}${forWhom(stage)}? [y/N] `, signal);
      if (signal.aborted) return;
      if (answer !== null && /^y(?:es)?$/i.test(answer)) this.#tell(host, approval(host, stage, round, by));
      else await host.cancel(by, `${by} did not agree to ${stage.name}`);
      return;
    }
    const event =
      wait.after === undefined
        ? await this.#before(host, stage, round, by, signal)
        : await this.#after(host, wait.after.failure?.reason ?? null, stage, round, by, signal);
    if (signal.aborted) return;
    if (event !== null) this.#tell(host, event);
    else {
      this.#options.save(host.state);
      await host.cancel(by, `${by} quit ${wait.after === undefined ? "before" : "after"} ${stage.name}`);
    }
  }

  /** @returns null: the run is to end */
  async #before(
    host: RunHost,
    stage: PlanStage,
    round: number,
    by: string,
    signal: AbortSignal,
  ): Promise<RunEvent | null> {
    const { tasks } = stage;
    const values = knownTasks(host.state, stage.index);
    const isEditable = tasks !== null && values !== null;
    const approves = stage.checkpoint ? ` (the plan waits for ${approversText(stage)})` : "";
    const choices = `[g]o on, ${isEditable ? "[e]dit the tasks, " : ""}[s]kip, go on with [a]ll, [q]uit and save`;
    for (;;) {
      const answer = await question(`Before ${stage.name}${approves}: ${choices}? `, signal);
      if (signal.aborted || answer === null) return null;
      switch (letterOf(answer)) {
        case "g":
          return approval(host, stage, round, by);
        case "a":
          this.#tell(host, { type: "attended", at: host.now, wanted: false });
          return approval(host, stage, round, by);
        case "s":
          return { type: "stage_left_out", at: host.now, stage: stage.index, round, by };
        case "e": {
          if (!isEditable) break;
          const edited = await editTasks(values, tasks.needs, this.#options.env);
          if ("tasks" in edited) return approval(host, stage, round, by, edited.tasks);
          for (const problem of edited.problems) this.#options.line(`  ${problem}`);
          break;
        }
        case "q":
          return null;
        default:
      }
    }
  }

  /** @returns null: the run is to end */
  async #after(
    host: RunHost,
    failure: string | null,
    stage: PlanStage,
    round: number,
    by: string,
    signal: AbortSignal,
  ): Promise<RunEvent | null> {
    if (failure !== null) this.#options.line(`  ${failure}`);
    const go = failure === null ? "[g]o on" : "[g]o on (the run fails)";
    for (;;) {
      const text = `After ${stage.name}: ${go}, [r]etry with feedback, go on with [a]ll, [q]uit and save? `;
      const answer = await question(text, signal);
      if (signal.aborted || answer === null) return null;
      const reviewed = { type: "stage_reviewed", at: host.now, stage: stage.index, round, by } as const;
      switch (letterOf(answer)) {
        case "g":
          return { ...reviewed, repeat: null };
        case "a":
          this.#tell(host, { type: "attended", at: host.now, wanted: false });
          return { ...reviewed, repeat: null };
        case "r": {
          const feedback = await question("What was wanting? ", signal);
          if (signal.aborted || feedback === null) return null;
          if (feedback !== "") return { ...reviewed, at: host.now, repeat: feedback.slice(0, FEEDBACK) };
          this.#options.line("  it is only done again with a word on what was wanting");
          break;
        }
        case "q":
          return null;
        default:
      }
    }
  }

  #tell(host: RunHost, event: RunEvent): void {
    if (!host.isOver) host.commit({ event });
  }
}

/** Characters. */
const FEEDBACK = 4_000;

function approval(host: RunHost, { index }: PlanStage, round: number, by: string, tasks?: readonly Json[]): RunEvent {
  return { type: "approved", at: host.now, stage: index, round, by, ...(tasks === undefined ? {} : { tasks }) };
}

function forWhom(stage: PlanStage): string {
  return stage.approval === undefined || stage.approval.by.length === 0 ? "" : ` (for ${approversText(stage)})`;
}

function letterOf(answer: string): string {
  return answer.slice(0, 1).toLowerCase();
}

/** @returns what was said; null: nothing, as the input ended or the signal aborted */
async function question(text: string, signal: AbortSignal): Promise<string | null> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<null>((resolve) => prompt.once("close", () => resolve(null)));
  // readline takes Ctrl-C for itself while it asks.
  prompt.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    const answer = await Promise.race([prompt.question(text, { signal }), closed]);
    return answer === null ? null : answer.trim();
  } catch {
    return null;
  } finally {
    prompt.close();
  }
}

/** Who sits at the terminal. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "the person at the terminal";
  }
}

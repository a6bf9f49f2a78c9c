/** What the step leaves for its post step: GITHUB_STATE on the way out, `STATE_*` on the way in. */
import { z } from "zod";
import type { Verdict } from "../run/types.ts";
import type { RunnerFiles } from "./runner.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Names are ours; of several values of one name the last counts. */
const NAMES = {
  /** Present: this process is the post step. */
  main: "main",
  run: "run",
  /** A stage has been started, so there may be something to clean up. */
  started: "started",
  /** The run came to its own end (with its cleanup): its verdict. */
  finished: "finished",
  check: "check",
  /** The check run that shows where the leader listens; empty once it is out. */
  beacon: "beacon",
  /** The check run has its conclusion. */
  concluded: "concluded",
} as const;

const runState = z.object({
  /** A copy of the plan as it was when the run began. */
  planCopy: z.string(),
  planFile: z.string(),
  agent: z.string(),
  startedAt: z.number(),
});
export type RunState = z.infer<typeof runState>;

const verdict = z.enum(["success", "failure", "cancelled"]);

const checkState = z.object({ id: z.number(), url: z.string().nullable() });
export type CheckState = z.infer<typeof checkState>;

export interface Left {
  readonly run: RunState | null;
  readonly started: boolean;
  /** The verdict; null: it was interrupted. */
  readonly finished: Verdict | null;
  readonly check: CheckState | null;
  readonly beacon: CheckState | null;
  readonly concluded: boolean;
}

/** Null: this is the main step. */
export function readState(env: Environment): Left | null {
  const value = (name: keyof typeof NAMES): string => env[`STATE_${NAMES[name]}`] ?? "";
  if (value("main") === "") return null;
  return {
    run: parsed(runState, value("run")),
    started: value("started") !== "",
    finished: parsed(verdict, value("finished")),
    check: parsed(checkState, value("check")),
    beacon: parsed(checkState, value("beacon")),
    concluded: value("concluded") !== "",
  };
}

export class SavedState {
  readonly #files: RunnerFiles;
  #started = false;

  constructor(files: RunnerFiles) {
    this.#files = files;
  }

  main(): void {
    this.#files.state(NAMES.main, "1");
  }
  run(state: RunState): void {
    this.#files.state(NAMES.run, JSON.stringify(state));
  }
  started(): void {
    if (!this.#started) this.#files.state(NAMES.started, "1");
    this.#started = true;
  }
  finished(verdict: Verdict): void {
    this.#files.state(NAMES.finished, JSON.stringify(verdict));
  }
  check(state: CheckState): void {
    this.#files.state(NAMES.check, JSON.stringify(state));
  }
  beacon(state: CheckState | null): void {
    this.#files.state(NAMES.beacon, state === null ? "" : JSON.stringify(state));
  }
  concluded(): void {
    this.#files.state(NAMES.concluded, "1");
  }
}

function parsed<T>(schema: z.ZodType<T>, text: string): T | null {
  if (text === "") return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

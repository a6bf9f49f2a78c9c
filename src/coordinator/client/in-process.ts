/** An agent's way to a coordinator in its own process, without any network between them. */
import { randomBytes } from "node:crypto";
import { type RunSpec, runCreated, type Sync } from "../../run/types.ts";
import { steadyNow } from "../../steady-clock.ts";
import { GroupRun } from "../hosting/group-run.ts";
import { RunHost, type RunHostOptions } from "../hosting/host.ts";
import { type CoordinatorPort, IDLE, type Joined, type JoinRequest, type SyncAnswer } from "../protocol/port.ts";
import type { Numbered, Principal } from "../server/handler.ts";

const NOBODY: Principal = { checkRunId: null, repository: null };

/** A run that begins in this process and ends with it. */
export function beginRun(spec: RunSpec, options: RunHostOptions = {}): GroupRun {
  const now = options.now ?? steadyNow;
  return new GroupRun(new RunHost(runCreated(spec, now()), options));
}

/** The first agent of a group, alone or not: it is admitted and numbered like the others, only without requests. */
export class InProcessCoordinator implements CoordinatorPort {
  readonly #run: GroupRun;
  readonly #principal: Principal;
  #session = "";
  #sequence = 0;
  /** The newest that it knows. */
  #notice = 0;

  /** @param principal what this process's job proves to others; default: nothing */
  constructor(run: GroupRun, principal: Principal = NOBODY) {
    this.#run = run;
    this.#principal = principal;
  }

  async join(request: JoinRequest): Promise<Joined> {
    const joined = await this.#run.joinFirst(request, randomBytes(16).toString("base64url"), this.#principal);
    this.#session = joined.session;
    this.#sequence = 0;
    return joined;
  }

  async sync(sync: Omit<Sync, "session" | "agent">, holdMs: number, signal: AbortSignal): Promise<SyncAnswer> {
    signal.throwIfAborted();
    const said = { sync, reset: null, holdMs };
    const { answer, notice } = await this.#run.syncFirst(this.#next(), said, this.#notice, signal);
    this.#notice = notice;
    return answer;
  }

  /** What is new is told with the next sync. */
  async reset(why: string, signal: AbortSignal): Promise<void> {
    await this.#run.syncFirst(this.#next(), { sync: IDLE, reset: why, holdMs: 0 }, this.#notice, signal);
  }

  async leave(why: string): Promise<void> {
    await this.#run.leave(this.#next(), why);
  }

  /** Nothing is said twice here: a digest has nothing to tell apart. */
  #next(): Numbered {
    this.#sequence += 1;
    return { session: this.#session, sequence: this.#sequence, digest: "" };
  }
}

/** The coordinator of a group, for the agent in whose process it lives. */
import { randomBytes } from "node:crypto";
import type { Sync } from "../../run/types.ts";
import type { GroupRun } from "../hosting/group-run.ts";
import type { CoordinatorPort, Joined, JoinRequest, SyncAnswer } from "../protocol/port.ts";
import type { Principal } from "../server/handler.ts";
import { LocalCoordinator } from "./in-process.ts";

/** This agent is admitted like the others, only without requests. */
export class MemberCoordinator implements CoordinatorPort {
  readonly #run: GroupRun;
  readonly #principal: Principal;
  #local: LocalCoordinator | null = null;

  constructor(run: GroupRun, principal: Principal) {
    this.#run = run;
    this.#principal = principal;
  }

  async join(request: JoinRequest): Promise<Joined> {
    const nonce = randomBytes(16).toString("base64url");
    const joined = await this.#run.joinFirst(request, nonce, this.#principal);
    this.#local = new LocalCoordinator(this.#run.host, joined.session, request.agent);
    return joined;
  }

  sync(sync: Omit<Sync, "session" | "agent">, holdMs: number, signal: AbortSignal): Promise<SyncAnswer> {
    return this.#joined.sync(sync, holdMs, signal);
  }

  reset(why: string): Promise<void> {
    return this.#joined.reset(why);
  }

  leave(why: string): Promise<void> {
    return this.#joined.leave(why);
  }

  get #joined(): LocalCoordinator {
    if (this.#local === null) throw new Error("an agent joins before it does anything else");
    return this.#local;
  }
}

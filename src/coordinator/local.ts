/** A coordinator in the agent's own process, without any network between them. */
import { randomBytes } from "node:crypto";
import type { Sync } from "../run/types.ts";
import type { GroupRun } from "./group-run.ts";
import type { RunHost } from "./host.ts";
import type { CoordinatorPort, Joined, JoinRequest, SyncAnswer } from "./port.ts";
import type { Principal } from "./server.ts";

/** Of a run of one agent. */
export class LocalCoordinator implements CoordinatorPort {
  readonly #host: RunHost;
  readonly #session: string;
  #agent: string;

  /**
   * @param session identifies this life of the agent's process; with one process any text will do
   * @param agent who has joined already; else `join` says
   */
  constructor(host: RunHost, session = "local", agent = "") {
    this.#host = host;
    this.#session = session;
    this.#agent = agent;
  }

  async join(request: JoinRequest): Promise<Joined> {
    this.#agent = request.agent;
    const { now } = await this.#host.join(request, this.#session, null);
    return { session: this.#session, now };
  }

  sync(sync: Omit<Sync, "session" | "agent">, holdMs: number, signal: AbortSignal): Promise<SyncAnswer> {
    return this.#host.sync({ ...sync, agent: this.#agent, session: this.#session }, holdMs, signal);
  }

  reset(why: string): Promise<void> {
    return this.#host.reset(this.#agent, this.#session, why);
  }

  leave(why: string): Promise<void> {
    return this.#host.leave(this.#agent, this.#session, why);
  }
}

/** Of a group whose coordinator lives here: this agent is admitted like the others, only without requests. */
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
    const joined = await this.#run.join(request, nonce, this.#principal);
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

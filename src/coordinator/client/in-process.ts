/** A coordinator in the agent's own process, without any network between them. */
import type { Sync } from "../../run/types.ts";
import type { RunHost } from "../hosting/host.ts";
import type { CoordinatorPort, Joined, JoinRequest, SyncAnswer } from "../protocol/port.ts";

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

/**
 * What an agent needs of its coordinator, wherever that lives: in this process (`client/in-process.ts`, solo), in another agent
 * or in the app (`client.ts`, over HTTP). The agent's loop knows only this.
 */
import type { MachineFacts } from "../../run/group/machine-facts.ts";
import type { Instruction } from "../../run/instruction.ts";
import type { RunTerms, Sync } from "../../run/types.ts";

/** The run as this agent believes it to be, and who it is. */
export interface JoinRequest extends RunTerms {
  readonly agent: string;
  readonly role: string | null;
  readonly index: number | null;
  /** host:port at which other agents reach this one, if it has one. */
  readonly address: string | null;
  readonly machine?: MachineFacts | undefined;
  /** The run goes on from the last state of its attempts before, where its coordinator keeps them. */
  readonly resume?: boolean | undefined;
}

/** What an agent says that has dropped everything. */
export const IDLE: Omit<Sync, "session" | "agent"> = {
  doing: "idle",
  status: "idle",
  stage: null,
  progress: null,
  finished: [],
  wants: 0,
  addTasks: [],
  ready: [],
  outputs: {},
};

export interface Joined {
  readonly session: string;
  /** Coordinator clock at the answer. */
  readonly now: number;
}

/** What everyone may know of the group once it is assembled. */
export interface Roster {
  readonly agents: readonly {
    readonly name: string;
    readonly index: number;
    readonly role: string | null;
    readonly roleIndex: number;
    readonly address: string | null;
  }[];
}

export interface SyncAnswer {
  readonly instruction: Instruction;
  readonly now: number;
  /** Null until assembled. */
  readonly roster: Roster | null;
  /** Outputs of stages whose barrier is behind us: stage name -> key -> value. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Things worth a line in this agent's log since its last sync (rejected moves, losses, exclusions). */
  readonly notices: readonly string[];
}

export interface CoordinatorPort {
  /** `heard`: told when the coordinator answers that it cannot take this agent yet, and is asked again. */
  join(request: JoinRequest, signal: AbortSignal, heard?: () => void): Promise<Joined>;
  /** Held until there is news for this agent or `holdMs` has passed. Safe to repeat. */
  /** `heard`: told while a long message is on its way: the coordinator is there, though it has not answered yet. */
  sync(
    sync: Omit<Sync, "session" | "agent">,
    holdMs: number,
    signal: AbortSignal,
    heard?: () => void,
  ): Promise<SyncAnswer>;
  /** "Drop what I was doing, I am idle again" (SIGHUP). */
  reset(why: string, signal: AbortSignal): Promise<void>;
  leave(why: string, signal: AbortSignal): Promise<void>;
}

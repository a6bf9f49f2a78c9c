/**
 * What the step leaves for its post step: GITHUB_STATE on the way out, `STATE_*` on the way in.
 *
 * The file lies where every command of the job can find and change it, so what is left there bears a seal: a keyed
 * digest whose key is the token that the post step will act with. Who can make the seal has that token, and gains
 * nothing by it.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { githubId } from "../github/id.ts";
import type { Verdict } from "../run/types.ts";
import type { Job } from "./input/job.ts";
import type { RunnerFiles } from "./runner.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Of several values of one name the last counts. */
const NAME = "left";

const runState = z.object({
  /** A copy of the plan as it was when the run began, and its SHA-256. */
  planCopy: z.string(),
  planDigest: z.string(),
  planFile: z.string(),
  agent: z.string(),
  startedAt: z.number(),
});
export type RunState = z.infer<typeof runState>;

const checkState = z.object({
  id: githubId,
  name: z.string(),
  headSha: z.string(),
  externalId: z.string(),
  /** The app that opened it; null: GitHub did not say. */
  appId: z.number().nullable(),
});
export type CheckState = z.infer<typeof checkState>;

/** Of a check run that GitHub was asked to open, and has not said yet that it did. */
const openingState = checkState.pick({ name: true, headSha: true, externalId: true });
export type OpeningState = z.infer<typeof openingState>;

/** Above this number of agents only those are kept that may be the first of something: a state is one variable. */
const MOST_OF_GROUP = 100;

const member = z.object({
  name: z.string(),
  index: z.number(),
  role: z.string().nullable(),
  roleIndex: z.number(),
  address: z.string().nullable(),
});

const groupState = z.object({
  /** Stages that the run was told to leave out. */
  skip: z.array(z.number()),
  /** Who this agent was, and who else was there. */
  member,
  roster: z.array(member),
  /** The group may go on without this agent. */
  leftOut: z.boolean(),
});
export type GroupState = Readonly<z.infer<typeof groupState>>;

const left = z.object({
  run: runState.nullable(),
  /** Null: the group was not complete. */
  group: groupState.nullable(),
  /** A stage has been started, so there may be something to clean up. */
  started: z.boolean(),
  /** The run came to its own end (with its cleanup): its verdict; null: it was interrupted. */
  finished: z.enum(["success", "failure", "cancelled"]).nullable(),
  check: checkState.nullable(),
  opening: openingState.nullable(),
  /** The check run has its conclusion. */
  concluded: z.boolean(),
  /** The check run that shows where the leader listens, until it is out. */
  beacon: checkState.nullable(),
});
export type Left = z.infer<typeof left>;

/** What the seal is made with, and for: one attempt of one job. */
export interface SealKey {
  /** Empty: none. Then the post step can do no more than the commands themselves. */
  readonly token: string;
  readonly job: Pick<Job, "repositoryId" | "runId" | "attempt" | "id">;
}

/** Null: nothing was left. "altered": something was, by somebody else. */
export function readState(env: Environment, key: SealKey): Left | "altered" | null {
  const text = env[`STATE_${NAME}`] ?? "";
  if (text === "") return null;
  const dot = text.indexOf(".");
  const given = Buffer.from(text.slice(0, dot), "hex");
  const wanted = seal(text.slice(dot + 1), key);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return "altered";
  return left.parse(JSON.parse(text.slice(dot + 1)));
}

/** Everything is written again with each change, once there is something that the post step could have to do. */
export class SavedState {
  readonly #files: Pick<RunnerFiles, "state">;
  readonly #key: SealKey;
  #plan: { readonly about: Omit<RunState, "planDigest">; readonly bytes: Uint8Array } | null = null;
  #left: Left = {
    run: null,
    group: null,
    started: false,
    finished: null,
    check: null,
    opening: null,
    concluded: false,
    beacon: null,
  };
  #isWritten = false;

  constructor(files: Pick<RunnerFiles, "state">, key: SealKey) {
    this.#files = files;
    this.#key = key;
  }

  /** Not written by itself: making the seal takes longer than a short plan. */
  run(about: Omit<RunState, "planDigest">, bytes: Uint8Array): void {
    this.#plan = { about, bytes };
  }
  /** Not written by itself either: what matters of it begins with the first stage. */
  group(about: GroupState): void {
    const { member, roster } = about;
    const firsts = roster.filter(
      ({ name, roleIndex, index }) => name !== member.name && (index === 0 || roleIndex === 0),
    );
    const kept = roster.length <= MOST_OF_GROUP ? roster : [member, ...firsts.slice(0, MOST_OF_GROUP)];
    this.#left = { ...this.#left, group: { ...about, roster: kept } };
    if (this.#isWritten) this.#write({});
  }
  started(): void {
    if (!this.#left.started) this.#write({ started: true });
  }
  finished(verdict: Verdict): void {
    if (this.#isWritten) this.#write({ finished: verdict });
  }
  /** Null: GitHub has refused to. */
  opening(state: OpeningState | null): void {
    this.#write({ opening: state });
  }
  check(state: CheckState): void {
    this.#write({ check: state, opening: null });
  }
  concluded(): void {
    this.#write({ concluded: true });
  }
  beacon(state: CheckState | null): void {
    this.#write({ beacon: state });
  }

  #write(change: Partial<Left>): void {
    this.#isWritten = true;
    if (this.#left.run === null && this.#plan !== null) {
      const { about, bytes } = this.#plan;
      this.#left = { ...this.#left, run: { ...about, planDigest: digestOf(bytes) } };
    }
    this.#left = { ...this.#left, ...change };
    const text = JSON.stringify(this.#left);
    this.#files.state(NAME, `${seal(text, this.#key).toString("hex")}.${text}`);
  }
}

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function seal(text: string, { token, job }: SealKey): Buffer {
  const about = JSON.stringify(["stagewright post step", job.repositoryId, job.runId, job.attempt, job.id]);
  return createHmac("sha256", token).update(`${about}\n${text}`).digest();
}

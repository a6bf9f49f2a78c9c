/** What the step leaves for its post step: GITHUB_STATE on the way out (`read-post-state.ts` reads it). */
import { createHash } from "node:crypto";
import type { Verdict } from "../run/result/record.ts";
import type { CheckState, GroupState, OpeningState, PostRunState, PostState } from "./read-post-state.ts";
import type { RunnerFiles } from "./runner.ts";
import { NAME, type SealKey, seal } from "./state-seal.ts";

/** Above this number of agents only those are kept that may be the first of something: a state is one variable. */
const MOST_OF_GROUP = 100;

/** Everything is written again with each change, once there is something that the post step could have to do. */
export class SavedState {
  readonly #files: Pick<RunnerFiles, "state">;
  readonly #key: SealKey;
  #plan: { readonly about: Omit<PostRunState, "planDigest">; readonly bytes: Uint8Array } | null = null;
  #left: PostState = {
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
  run(about: Omit<PostRunState, "planDigest">, bytes: Uint8Array): void {
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

  #write(change: Partial<PostState>): void {
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

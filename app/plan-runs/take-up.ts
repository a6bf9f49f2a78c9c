/**
 * Looks for hosted runs that nobody has: whose owner's lease has ended, or that were given back, and that no agent asks
 * for. Who asks for one finds somebody who takes it up at once; this is the floor, and the runs' deadlines need it.
 */
import type { Runs } from "../../src/coordinator/hosting/runs.ts";
import type { AppRunStore, ClaimStore } from "../store/model.ts";
import { runOfKey } from "./owners.ts";

const EVERY_MS = 5_000;
/** So many at a time: the other replicas are to have some of them. */
const AT_ONCE = 50;

export interface TakeUpOptions {
  readonly runs: Runs;
  readonly store: Pick<AppRunStore, "orphans">;
  readonly claims: Pick<ClaimStore, "heldBy">;
  /** This one's id. */
  readonly replica: string;
  readonly onError: (error: unknown, what: string) => void;
  /** Milliseconds; default 5 s. */
  readonly everyMs?: number;
}

export class TakeUp {
  readonly #options: TakeUpOptions;
  #timer: NodeJS.Timeout | null = null;
  #going: Promise<void> | null = null;
  #closed = false;

  constructor(options: TakeUpOptions) {
    this.#options = options;
  }

  /** From now on. Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#going;
  }

  async #look(): Promise<void> {
    const { onError, everyMs = EVERY_MS } = this.#options;
    this.#going = this.#takeUp().catch((error: unknown) => {
      if (!this.#closed) onError(error, "runs that nobody coordinates");
    });
    await this.#going;
    if (this.#closed) return;
    // Not all replicas at the same moment.
    this.#timer = setTimeout(() => void this.#look(), everyMs * (0.75 + Math.random() / 2));
    this.#timer.unref();
  }

  async #takeUp(): Promise<void> {
    const { runs, store, claims, replica } = this.#options;
    await runs.confirm();
    await runs.takeUp(await store.orphans(AT_ONCE));
    // What was dropped from memory after a conflict, and is this one's all the same.
    const held = (await claims.heldBy(replica)).flatMap(({ key }) => runOfKey(key) ?? []);
    await runs.takeUp(held.filter((id) => !runs.holds(id)));
  }
}

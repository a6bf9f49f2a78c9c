/**
 * What GitHub has asked of each installation is kept where the next process finds it: whoever takes an installation
 * over, or begins anew, does not have to be refused to learn that it is to be left alone. Where several processes share a
 * database each that hears GitHub ask tells the others, since all of them show runs of groups there.
 */
import type { Logger } from "pino";
import type { InstallationId, KeptPace, Store } from "../../store/model.ts";
import { RepeatedFailure } from "../repeated-failure.ts";
import type { Wakeups } from "../wakeups.ts";
import { WorkerLoop } from "../worker-loop.ts";
import type { InstallationWriters } from "../writer/installation-writer.ts";
import type { Scope } from "./ownership.ts";
import { INSTALLATION, keyOf } from "./replica.ts";

export interface KeptPacesOptions {
  readonly store: Pick<Store, "claims">;
  readonly writers: InstallationWriters;
  readonly wakeups: Wakeups;
  /** Whether others work on the same database. */
  readonly shared: boolean;
  readonly log: Logger;
  readonly now: () => number;
}

export class KeptPaces {
  readonly #options: KeptPacesOptions;
  readonly #loop: WorkerLoop;
  /** By installation: until when, by our own clock; what is not kept yet. */
  readonly #unkept = new Map<number, number>();
  /** Others have kept something of these; null: of any. */
  readonly #unread = new Set<number | null>();

  constructor(options: KeptPacesOptions) {
    this.#options = options;
    const failing = "what GitHub asks of installations cannot be kept";
    const failure = new RepeatedFailure({
      ...options,
      failing,
      over: "what GitHub asks of installations is kept again",
    });
    this.#loop = new WorkerLoop(() => this.#pass(), options.now, failure);
    if (options.shared) {
      options.wakeups.on("holds", (about) => {
        this.#unread.add(about);
        this.#loop.wake();
      });
    }
  }

  /** Resolves when all that is kept is heeded. */
  async start(): Promise<void> {
    await this.#read();
  }

  /** GitHub has asked it to be left alone for so long. */
  held(installationId: number, ms: number): void {
    this.#unkept.set(installationId, this.#options.now() + ms);
    this.#loop.wake();
  }

  /** Resolves when what is kept of it is heeded: before anything is sent for it. */
  async taken(scope: Scope): Promise<void> {
    if (scope !== "app" && scope !== null) {
      await this.#read(scope);
    }
  }

  /** Nothing of it goes on here any more: whoever takes it next waits as this process would before it writes again. */
  async released(scope: Scope): Promise<void> {
    if (scope !== "app" && scope !== null) {
      const { nextWriteMs } = this.#options.writers.of(scope);
      if (nextWriteMs > 0) {
        await this.#options.store.claims.keepPace({ key: keyOf(scope), heldMs: 0, nextWriteMs });
      }
    }
  }

  get idle(): boolean {
    return this.#loop.idle;
  }

  /** Resolves when what was heard is kept, or cannot be. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#keep().catch((error: unknown) => {
      this.#options.log.warn({ err: error }, "what GitHub asks of installations could not be kept");
    });
  }

  async #pass(): Promise<null> {
    await this.#keep();
    const about = [...this.#unread];
    this.#unread.clear();
    try {
      for (const id of about.includes(null) ? [null] : about) {
        await this.#read(id ?? undefined);
      }
    } catch (error) {
      for (const id of about) this.#unread.add(id);
      throw error;
    }
    return null;
  }

  async #keep(): Promise<void> {
    const { store, now, shared, wakeups } = this.#options;
    for (const [id, until] of [...this.#unkept]) {
      await store.claims.keepPace({ key: keyOf(id), heldMs: until - now(), nextWriteMs: 0 });
      if (this.#unkept.get(id) === until) {
        this.#unkept.delete(id);
      }
      if (shared) {
        wakeups.notify("holds", id);
      }
    }
  }

  async #read(id?: number): Promise<void> {
    const { store, writers } = this.#options;
    for (const pace of await store.claims.paces(id === undefined ? undefined : keyOf(id))) {
      const of = installationOf(pace);
      if (of !== null) {
        writers.of(of).heed(pace);
      }
    }
  }
}

/** Null: it is of something else. */
function installationOf({ key }: KeptPace): InstallationId {
  const id = key.startsWith(INSTALLATION) ? Number(key.slice(INSTALLATION.length)) : Number.NaN;
  return Number.isSafeInteger(id) ? id : null;
}

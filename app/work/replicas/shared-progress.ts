/**
 * What is being handled, where several processes share a database: a row for each installation, written by its owner
 * alone. Whoever takes an installation over tries alone what its last owner was in the midst of.
 */
import type { InstallationId } from "../../store/model.ts";
import {
  type Alone,
  IN_PROGRESS,
  InProgress,
  type InProgressOptions,
  type Kind,
  type ProgressRecord,
} from "../in-progress/in-progress.ts";
import type { Ownership, Scope } from "./ownership.ts";
import { keyOf } from "./replica.ts";

export interface SharedProgressOptions extends Omit<InProgressOptions, "key" | "processes"> {
  readonly ownership: Pick<Ownership, "run" | "id" | "isLive">;
}

export class SharedProgress implements ProgressRecord {
  readonly #options: SharedProgressOptions;
  readonly #rows = new Map<Scope, InProgress>();
  /** One after the other: what the process dies of must not be mistaken for what is tried beside it. */
  #turn: Promise<unknown> = Promise.resolve();
  #taking = 0;

  constructor(options: SharedProgressOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {}
  async ready(): Promise<void> {}

  get idle(): boolean {
    return this.#taking === 0;
  }

  async take(scope: Scope, handlers: Readonly<Record<Kind, Alone>>): Promise<void> {
    const { ownership, ...options } = this.#options;
    const row = new InProgress({ ...options, processes: ownership, key: `${IN_PROGRESS}:${keyOf(scope)}` });
    this.#rows.set(scope, row);
    this.#taking += 1;
    const taken = this.#turn.then(() =>
      ownership.run(scope, async () => {
        await row.start(handlers);
        await row.ready();
      }),
    );
    this.#turn = taken.catch(() => undefined);
    try {
      await taken;
    } finally {
      this.#taking -= 1;
    }
  }

  async mark(kind: Kind, ids: readonly string[], of: InstallationId): Promise<void> {
    await this.#options.ownership.run(of, async () => await this.#rows.get(of)?.mark(kind, ids, of));
  }

  done(kind: Kind, of: InstallationId): void {
    this.#rows.get(of)?.done(kind, of);
  }

  async released(scope: Scope): Promise<void> {
    await this.#options.ownership.run(scope, async () => await this.#rows.get(scope)?.stop());
    this.#rows.delete(scope);
  }

  lost(scope: Scope): void {
    this.#rows.delete(scope);
  }

  async endRecovery(): Promise<void> {
    await Promise.all([...this.#rows.values()].map((row) => row.endRecovery()));
  }

  /** Each row is emptied when its claim is given back. */
  async stop(): Promise<void> {}
}

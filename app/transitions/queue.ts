/**
 * Decided moves on their way to GitHub: one lane for each installation, in which what waits goes out together in one
 * request, at GitHub's pace. What is sent is judged by what comes back; see `send.ts`.
 */
import type { Logger } from "pino";
import type { Clients } from "../github-cache/clients.ts";
import { pullKey } from "../store/change-pull.ts";
import type { Pull, PullId, Store } from "../store/model.ts";
import type { InHand } from "../work/in-hand.ts";
import type { Timings } from "../work/timings.ts";
import { Alarm } from "../work/worker-loop.ts";
import { RequestSize } from "./batch-size.ts";
import type { TransitionSender } from "./send.ts";

export interface EffectsOptions {
  readonly store: Store;
  readonly clients: Clients;
  readonly sender: TransitionSender;
  /** Written down before they are sent. */
  readonly inHand: Pick<InHand, "ready" | "mark" | "done">;
  readonly log: Logger;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly timings: Timings;
}

/** What a lane lends to whoever writes in it. */
export interface InstallationWriter {
  readonly installationId: number;
  /** How many mutations the next request may hold. */
  readonly budget: number;
  /** Waits for its turn, then sends. `mutations`: how many the request holds, to learn how long they take. */
  write<T>(mutations: number, send: () => Promise<T>): Promise<T>;
  /** GitHub said that it is too much: nothing is sent before then. */
  holdUntil(at: number): void;
  readonly heldUntil: number;
}

/** Pull requests taken from the store at once. */
const PAGE = 200;

export class Effects {
  readonly #options: EffectsOptions;
  readonly #writers = new Map<number, PacedWriter>();
  #stopping = false;

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  /** Takes up what was decided before the process ended. */
  async start(): Promise<void> {
    for (const { installationId } of await this.#options.store.intentInstallations()) {
      this.wake(installationId);
    }
  }

  /** Moves of this installation may be due. */
  wake(installationId: number): void {
    if (this.#stopping) {
      return;
    }
    this.#writerOf(installationId).ring();
  }

  #writerOf(installationId: number): PacedWriter {
    let writer = this.#writers.get(installationId);
    if (writer === undefined) {
      writer = new PacedWriter(installationId, this.#options);
      this.#writers.set(installationId, writer);
    }
    return writer;
  }

  /** Sends one decided move now, if it is due. */
  async move(id: PullId): Promise<void> {
    const pull = await this.#options.store.pull(id);
    if (pull !== null && pull.installationId !== null && pull.intentAt !== null) {
      const writer = this.#writerOf(pull.installationId);
      if (writer.heldUntil <= this.#options.now() && pull.intentAt <= this.#options.now()) {
        await this.#options.sender.round([pull], writer);
      }
    }
  }

  /** The installation's turn at writing, for whoever else writes to it. */
  writer(installationId: number): InstallationWriter {
    return this.#writerOf(installationId);
  }

  get idle(): boolean {
    return [...this.#writers.values()].every((writer) => writer.idle);
  }

  /** Resolves when the requests that are on their way have been judged. What waits stays stored. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#writers.values()].map((writer) => writer.stop()));
  }
}

class PacedWriter implements InstallationWriter {
  readonly installationId: number;
  readonly #options: EffectsOptions;
  readonly #alarm: Alarm;
  readonly #size: RequestSize;
  #nextWriteAt = 0;
  #heldUntil = 0;
  /** Resolves when the writes before have been answered. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(installationId: number, options: EffectsOptions) {
    this.installationId = installationId;
    this.#options = options;
    this.#size = new RequestSize({ target: options.timings.requestTarget });
    const failed = (error: unknown): void =>
      options.log.error({ installation: installationId, err: error }, "sending decided moves failed");
    this.#alarm = new Alarm(() => this.#work(), options.now, failed);
  }

  ring(): void {
    this.#alarm.ring();
  }

  get idle(): boolean {
    return this.#alarm.idle;
  }

  stop(): Promise<void> {
    return this.#alarm.stop();
  }

  get budget(): number {
    return this.#size.mutations;
  }

  get heldUntil(): number {
    return this.#heldUntil;
  }

  holdUntil(at: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, at);
  }

  async write<T>(mutations: number, send: () => Promise<T>): Promise<T> {
    const written = this.#turn.then(() => this.#write(mutations, send));
    this.#turn = written.catch(() => undefined);
    return await written;
  }

  async #write<T>(mutations: number, send: () => Promise<T>): Promise<T> {
    const { now, sleep, timings } = this.#options;
    const wait = Math.max(this.#nextWriteAt, this.#heldUntil) - now();
    if (wait > 0) {
      await sleep(wait);
    }
    const started = now();
    try {
      const answer = await send();
      this.#size.answered(mutations, now() - started);
      return answer;
    } catch (error) {
      this.#size.failed(mutations, now() - started);
      throw error;
    } finally {
      this.#nextWriteAt = now() + timings.writeInterval;
    }
  }

  async #work(): Promise<number | null> {
    const { store, sender, now, inHand } = this.#options;
    await inHand.ready();
    while (!this.#alarm.stopped) {
      if (this.#heldUntil > now()) {
        return this.#heldUntil;
      }
      const due = await store.dueIntents(this.installationId, now(), PAGE);
      if (due.length === 0) {
        const next = (await store.intentInstallations()).find((each) => each.installationId === this.installationId);
        return next?.at ?? null;
      }
      await inHand.mark("move", due.map(pullKey), this.installationId);
      await sender.round(fairly(due), this);
      inHand.done("move", this.installationId);
    }
    return null;
  }
}

/** In turns by repository, so that one with many moves does not keep the others waiting. */
function fairly(pulls: readonly Pull[]): Pull[] {
  const queues = new Map<number, Pull[]>();
  for (const pull of pulls) {
    queues.set(pull.repositoryId, [...(queues.get(pull.repositoryId) ?? []), pull]);
  }
  const ordered: Pull[] = [];
  while (ordered.length < pulls.length) {
    for (const queue of queues.values()) {
      const next = queue.shift();
      if (next !== undefined) {
        ordered.push(next);
      }
    }
  }
  return ordered;
}

/**
 * The one way to write to an installation: one request at a time, at GitHub's pace, and none while GitHub has asked to
 * be left alone.
 */
import type { GitHubClient } from "../../../src/github/port.ts";
import type { KeptPace } from "../../store/model.ts";
import { sleepUnlessAborted } from "../pause.ts";
import type { Timings } from "../timings.ts";
import { ClosedTimes, lengthOf } from "./closed-times.ts";

const LEAST_HOLD_MS = 1_000;

export interface WriterOptions {
  readonly now: () => number;
  readonly timings: Pick<Timings, "writeInterval">;
  /** Told when GitHub has asked it to be left alone for so long from now, and again when for longer. Must not throw. */
  readonly onHeld?: (installationId: number, ms: number) => void;
}

/** How something came to be written. */
export interface WriteTimes {
  /** When it was first heard of. */
  readonly heardAt: number;
  /** When it could have been written, as far as we are concerned; tried again, when its pause was over. */
  readonly readyAt: number;
  readonly writtenAt: number;
}

export class InstallationWriter {
  readonly installationId: number;
  readonly #options: WriterOptions;
  readonly #holds = new ClosedTimes();
  readonly #writes = new ClosedTimes();
  #nextWriteAt = 0;
  #heldUntil = 0;
  #toldUntil = 0;
  /** Resolves when the writes before have been answered. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(installationId: number, options: WriterOptions) {
    this.installationId = installationId;
    this.#options = options;
  }

  /** Until when GitHub has asked to be left alone. */
  get heldUntil(): number {
    return this.#heldUntil;
  }

  get isHeld(): boolean {
    return this.#heldUntil > this.#options.now();
  }

  /** GitHub said that it is too much: nothing is sent before then. */
  holdUntil(at: number): void {
    this.#hold(at);
    // Whoever is refused meanwhile says it again, each time for a moment longer.
    if (at - this.#toldUntil >= LEAST_HOLD_MS) {
      this.#toldUntil = at;
      this.#options.onHeld?.(this.installationId, at - this.#options.now());
    }
  }

  /** Milliseconds from now; a little even where GitHub says none, which would have it asked again and again. */
  holdFor(ms: number): void {
    this.holdUntil(this.#options.now() + Math.max(ms, LEAST_HOLD_MS));
  }

  /** What others know that GitHub asks: milliseconds from now. */
  heed({ heldMs, nextWriteMs }: Pick<KeptPace, "heldMs" | "nextWriteMs">): void {
    const at = this.#options.now();
    if (heldMs > 0) {
      this.#hold(at + heldMs);
      this.#toldUntil = Math.max(this.#toldUntil, at + heldMs);
    }
    if (nextWriteMs > 0) {
      this.#nextWriteAt = Math.max(this.#nextWriteAt, at + nextWriteMs);
    }
  }

  /** Nothing is written for so long, because of the write before. Milliseconds. */
  get nextWriteMs(): number {
    return Math.max(0, this.#nextWriteAt - this.#options.now());
  }

  #hold(at: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, at);
    this.#holds.add(this.#options.now(), this.#heldUntil);
  }

  /**
   * Milliseconds of that time in which GitHub's pace kept it from being written: while GitHub had asked to be left alone,
   * and from when it was ready also while another write was on its way or the pause after one was not over.
   */
  pacedFor({ heardAt, readyAt, writtenAt }: WriteTimes): number {
    return lengthOf([...this.#holds.within(heardAt, writtenAt), ...this.#writes.within(readyAt, writtenAt)]);
  }

  /** Waits for its turn, then sends. */
  async write<T>(send: () => Promise<T>): Promise<T> {
    const written = this.#turn.then(() => this.#write(send));
    this.#turn = written.catch(() => undefined);
    return await written;
  }

  /** A client whose writes each wait for their turn; it reads at once. */
  client(client: GitHubClient): GitHubClient {
    return {
      request: (route, parameters) =>
        route.startsWith("GET ")
          ? client.request(route, parameters)
          : this.write(() => client.request(route, parameters)),
      graphql: (query, variables) =>
        query.trimStart().startsWith("mutation")
          ? this.write(() => client.graphql(query, variables))
          : client.graphql(query, variables),
    };
  }

  async #write<T>(send: () => Promise<T>): Promise<T> {
    const { now, timings } = this.#options;
    // Held meanwhile, perhaps, and for longer.
    for (let wait = this.#wait(); wait > 0; wait = this.#wait()) {
      await sleepUnlessAborted(wait);
    }
    const began = now();
    try {
      return await send();
    } finally {
      this.#nextWriteAt = now() + timings.writeInterval;
      this.#writes.add(began, this.#nextWriteAt);
    }
  }

  #wait(): number {
    const at = this.#options.now();
    // The clock may have been set back: the pause is no longer than it was.
    this.#nextWriteAt = Math.min(this.#nextWriteAt, at + this.#options.timings.writeInterval);
    return Math.max(this.#nextWriteAt, this.#heldUntil) - at;
  }
}

/** The writer of each installation. */
export class InstallationWriters {
  readonly #options: WriterOptions;
  readonly #writers = new Map<number, InstallationWriter>();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  of(installationId: number): InstallationWriter {
    let writer = this.#writers.get(installationId);
    if (writer === undefined) {
      writer = new InstallationWriter(installationId, this.#options);
      this.#writers.set(installationId, writer);
    }
    return writer;
  }
}

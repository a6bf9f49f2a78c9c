/**
 * Bodies of requests on their way in. A body has to be read before its signature can be checked, so what unfinished
 * ones may hold together is bounded, and each has to arrive in time.
 *
 * Over the budget the oldest unfinished body gives way. Whoever sends at GitHub's speed is done in a moment and never
 * the oldest: a stranger's slow bodies push each other out.
 */
import type http from "node:http";

export interface IntakeLimits {
  /** What all bodies may hold at once, and those from one remote address. Bytes as received, and some for each body. */
  readonly bytes: number;
  readonly bytesPerAddress: number;
  /** For a whole body. Milliseconds. */
  readonly deadlineMs: number;
  /** Bytes a second, averaged since the body began. Asked for after two seconds. */
  readonly leastRate: number;
}

/** `over_budget` passes; the others are the sender's doing. `aborted`: nobody waits for an answer. */
export type BodyLoss = "too_large" | "slow" | "over_budget" | "aborted";

/** The body was not taken. Its connection is of no use afterwards. */
export class BodyLost extends Error {
  readonly why: BodyLoss;

  constructor(why: BodyLoss, message: string) {
    super(message);
    this.name = "BodyLost";
    this.why = why;
  }
}

export interface TakeOptions {
  /** Bytes. */
  readonly most: number;
  /** Told each piece as it arrives. */
  readonly onChunk?: (chunk: Buffer) => void;
}

const JSON_TYPE = /^application\/json[\t ]*(?:;[\t ]*charset="?utf-8"?[\t ]*)?$/iu;

/** Whether the body says of itself that it is JSON: no web page can have a browser send that elsewhere unasked. */
export function saysJson({ headers }: Pick<http.IncomingMessage, "headers">): boolean {
  return JSON_TYPE.test(headers["content-type"] ?? "");
}

/** What a body costs besides its bytes, and each piece of it: many small ones are not to be free. */
const BODY_COST = 8 * 1024;
const CHUNK_COST = 256;
const GRACE_MS = 2_000;
const LOOK_EVERY_MS = 500;

interface Reading {
  readonly address: string;
  readonly beganAt: number;
  received: number;
  /** Counted against the budget. */
  held: number;
  readonly lose: (why: BodyLoss) => void;
}

export class BodyIntake {
  readonly #limits: IntakeLimits;
  readonly #now: () => number;
  /** Unfinished, oldest first. */
  readonly #unfinished = new Set<Reading>();
  readonly #addresses = new Map<string, number>();
  #held = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param now milliseconds, only ever rising */
  constructor(limits: IntakeLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Counted against the budget at present. */
  get heldBytes(): number {
    return this.#held;
  }

  get unfinished(): number {
    return this.#unfinished.size;
  }

  /**
   * Reads a body as it was sent, and holds its place in the budget until `use` is done with it.
   * @throws BodyLost; what `use` throws
   */
  async take<T>(
    request: http.IncomingMessage,
    { most, onChunk }: TakeOptions,
    use: (bytes: Buffer) => Promise<T> | T,
  ): Promise<T> {
    const { reading, bytes } = this.#read(request, most, onChunk);
    try {
      return await use(await bytes);
    } finally {
      this.#hold(reading, -reading.held);
    }
  }

  /** Ends the bodies that come too slowly. Called by a timer while bodies are on their way. */
  endSlow(): void {
    const now = this.#now();
    for (const reading of [...this.#unfinished]) {
      const tookMs = now - reading.beganAt;
      const isLate = tookMs > this.#limits.deadlineMs;
      const isSlow = tookMs > GRACE_MS && reading.received < (this.#limits.leastRate * tookMs) / 1_000;
      if (isLate || isSlow) reading.lose("slow");
    }
  }

  #read(
    request: http.IncomingMessage,
    most: number,
    onChunk: TakeOptions["onChunk"],
  ): { reading: Reading; bytes: Promise<Buffer> } {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const chunks: Buffer[] = [];
    const finish = (): void => {
      this.#unfinished.delete(reading);
      if (this.#unfinished.size === 0 && this.#timer !== null) {
        clearInterval(this.#timer);
        this.#timer = null;
      }
      request.off("data", take).off("end", end).off("error", abort).off("close", abort);
    };
    const lose = (why: BodyLoss): void => {
      if (!this.#unfinished.has(reading)) return;
      finish();
      // What is still on its way is left there: the connection is closed with the answer.
      request.pause();
      chunks.length = 0;
      this.#hold(reading, -reading.held);
      reject(new BodyLost(why, this.#messageOf(why, most)));
    };
    const take = (chunk: Buffer): void => {
      reading.received += chunk.length;
      if (reading.received > most) {
        lose("too_large");
        return;
      }
      this.#hold(reading, chunk.length + CHUNK_COST);
      this.#makeRoom(reading);
      if (!this.#unfinished.has(reading)) return;
      onChunk?.(chunk);
      chunks.push(chunk);
    };
    const end = (): void => {
      finish();
      resolve(Buffer.concat(chunks, reading.received));
    };
    const abort = (): void => lose("aborted");
    const address = request.socket.remoteAddress ?? "";
    const reading: Reading = { address, beganAt: this.#now(), received: 0, held: 0, lose };
    this.#unfinished.add(reading);
    this.#timer ??= setInterval(() => this.endSlow(), LOOK_EVERY_MS).unref();
    this.#hold(reading, BODY_COST);
    if (Number(request.headers["content-length"] ?? 0) > most) lose("too_large");
    else this.#makeRoom(reading);
    if (this.#unfinished.has(reading)) {
      request.on("data", take).on("end", end).on("error", abort).on("close", abort);
    }
    return { reading, bytes: promise };
  }

  #makeRoom(reading: Reading): void {
    const { bytes, bytesPerAddress } = this.#limits;
    for (;;) {
      const fullAddress = (this.#addresses.get(reading.address) ?? 0) > bytesPerAddress;
      if (!fullAddress && this.#held <= bytes) return;
      const oldest = this.#unfinished.values().find(({ address }) => !fullAddress || address === reading.address);
      oldest?.lose("over_budget");
      if (oldest === undefined || oldest === reading) return;
    }
  }

  #hold(reading: Reading, bytes: number): void {
    reading.held += bytes;
    this.#held += bytes;
    const left = (this.#addresses.get(reading.address) ?? 0) + bytes;
    if (left === 0) this.#addresses.delete(reading.address);
    else this.#addresses.set(reading.address, left);
  }

  #messageOf(why: BodyLoss, most: number): string {
    switch (why) {
      case "too_large":
        return `the body is larger than ${most} bytes`;
      case "slow":
        return "the body came too slowly";
      case "over_budget":
        return "too many bodies are on their way at once: send it again";
      case "aborted":
        return "the connection was closed before the body had come";
      default:
        return why satisfies never;
    }
  }
}

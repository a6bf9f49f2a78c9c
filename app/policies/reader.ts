/**
 * Reads policy files in a thread of its own. Anybody who opens a pull request sends one: whatever it costs, it is not
 * the event loop that pays, and it ends after a time.
 */
import { Worker } from "node:worker_threads";
import type { ReadPolicy } from "../../src/github/load-policy.ts";
import { type PolicyReading, unreadable } from "../../src/lifecycle/read-policy.ts";
import type { PolicyQuestion, ReaderAnswer } from "./reader-thread.ts";

export interface PolicyReaderOptions {
  /** For one file; reading the largest takes about a second. */
  readonly deadlineMs?: number;
  /** Of the thread's heap. */
  readonly mostMegabytes?: number;
  /** What runs in the thread; another one in tests. */
  readonly thread?: URL;
}

const DEADLINE_MS = 10_000;
/** For the thread to be there, on a machine that has much else to do. */
const START_MS = 60_000;
const MOST_MEGABYTES = 256;

interface Waiting {
  readonly question: PolicyQuestion;
  readonly resolve: (reading: PolicyReading) => void;
  readonly reject: (error: unknown) => void;
}

/** A file is read when those before it are. The thread is started for the first one, which takes about half a second. */
export class PolicyReader {
  readonly #deadlineMs: number;
  readonly #mostMegabytes: number;
  readonly #thread: URL;
  readonly #waiting: Waiting[] = [];
  #worker: Worker | null = null;
  #reading: Promise<void> | null = null;
  #closed = false;

  constructor(options: PolicyReaderOptions = {}) {
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#mostMegabytes = options.mostMegabytes ?? MOST_MEGABYTES;
    this.#thread = options.thread ?? new URL("./reader-thread.ts", import.meta.url);
  }

  /**
   * As `readPolicy`. A file that takes too long or too much memory has that as its one problem. Rejects where no thread
   * can be started.
   */
  readonly read: ReadPolicy = (content, file, base) =>
    new Promise((resolve, reject) => {
      this.#waiting.push({ question: { content, file, base }, resolve, reject });
      this.#reading ??= this.#work();
    });

  /** What is being read is given up; what comes later is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    await this.#reading;
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        next.resolve(await this.#one(next.question));
      } catch (error) {
        next.reject(error);
      }
    }
    this.#reading = null;
  }

  async #one(question: PolicyQuestion): Promise<PolicyReading> {
    const worker = await this.#started();
    worker.ref();
    const answer = await answerTo(worker, question, this.#deadlineMs);
    worker.unref();
    switch (answer.kind) {
      case "read":
        return answer.reading;
      case "late":
        await this.#discard();
        return unreadable(
          question.file,
          `reading it took longer than ${this.#deadlineMs / 1_000} s, expected a simpler file`,
        );
      case "ended":
        await this.#discard();
        if (isOutOfMemory(answer.error)) {
          return unreadable(
            question.file,
            `reading it took more than ${this.#mostMegabytes} MB of memory, expected a simpler file`,
          );
        }
        throw new Error("The thread that reads policies has ended.", { cause: answer.error });
      case "failed":
        throw new Error(answer.error);
      case "ready":
        throw new Error("The thread that reads policies said twice that it is ready.");
    }
  }

  async #started(): Promise<Worker> {
    if (this.#closed) {
      throw new Error("The app is stopping.");
    }
    if (this.#worker === null) {
      const resourceLimits = { maxOldGenerationSizeMb: this.#mostMegabytes };
      const worker = new Worker(this.#thread, { resourceLimits, execArgv: [] });
      this.#worker = worker;
      worker.on("error", () => undefined);
      worker.on("exit", () => {
        this.#worker = this.#worker === worker ? null : this.#worker;
      });
      const first = await answerTo(worker, null, START_MS);
      if (first.kind !== "ready") {
        await this.#discard();
        throw new Error("The thread that reads policies did not start.", {
          cause: first.kind === "ended" ? first.error : first,
        });
      }
      return worker;
    }
    return this.#worker;
  }

  async #discard(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}

type Heard = ReaderAnswer | { readonly kind: "late" } | { readonly kind: "ended"; readonly error: unknown };

/** What the thread says next. Never rejects. */
function answerTo(worker: Worker, question: PolicyQuestion | null, deadlineMs: number): Promise<Heard> {
  return new Promise((resolve) => {
    const settle = (heard: Heard): void => {
      clearTimeout(timer);
      worker.off("message", settle).off("error", ended).off("exit", ended);
      resolve(heard);
    };
    const ended = (error: unknown): void => settle({ kind: "ended", error });
    const timer = setTimeout(() => settle({ kind: "late" }), deadlineMs);
    worker.on("message", settle).on("error", ended).on("exit", ended);
    if (question !== null) {
      worker.postMessage(question);
    }
  });
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
}

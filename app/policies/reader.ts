/**
 * Reads YAML of repositories (policies, workflows, actions) in a thread of its own. Anybody who opens a pull request, or
 * installs the app, sends it: whatever it costs, it is not the event loop that pays, it ends after a time, and it is its
 * own installation that waits for it.
 */
import { Worker } from "node:worker_threads";
import type { ReadPolicy } from "../../src/github/policy-files/load-policy.ts";
import type { ReadUses } from "../../src/github/workflows/run-origin.ts";
import { unreadable } from "../../src/lifecycle/policy/read-policy.ts";
import type { Question, ReaderAnswer } from "./reader-thread.ts";
import { Turns } from "./turns.ts";

export interface ReaderOptions {
  /** For one file; reading the largest takes about a second. */
  readonly deadlineMs?: number;
  /** Of the thread's heap. */
  readonly mostMegabytes?: number;
  /** What runs in the thread; another one in tests. */
  readonly thread?: URL;
}

/** How files are read for one installation. */
export interface Reading {
  /**
   * As `readPolicy`. A file that takes too long or too much memory has that as its one problem. Rejects where no thread
   * can be started.
   */
  readonly policy: ReadPolicy;
  /** As `localUses`; null, too, where it takes too long or too much memory. Rejects as `policy` does. */
  readonly uses: ReadUses;
}

const DEADLINE_MS = 10_000;
/** For the thread to be there, on a machine that has much else to do. */
const START_MS = 60_000;
const MOST_MEGABYTES = 256;

/** `refused`: what was too much, in words that follow "reading it took". */
type Answer = Extract<ReaderAnswer, { kind: "policy" | "uses" }> | { readonly kind: "refused"; readonly why: string };

interface Waiting {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One file after the other; installations take turns by the time that their files took. The thread is started for the
 * first one, which takes about half a second.
 */
export class YamlReader {
  readonly #deadlineMs: number;
  readonly #mostMegabytes: number;
  readonly #thread: URL;
  readonly #turns = new Turns<Waiting>();
  #worker: Worker | null = null;
  #reading: Promise<void> | null = null;
  #closed = false;

  constructor(options: ReaderOptions = {}) {
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#mostMegabytes = options.mostMegabytes ?? MOST_MEGABYTES;
    this.#thread = options.thread ?? new URL("./reader-thread.ts", import.meta.url);
  }

  readonly of = (installationId: number): Reading => ({
    policy: async (content, file, base) => {
      const answer = await this.#ask(installationId, { kind: "policy", content, file, base });
      switch (answer.kind) {
        case "policy":
          return answer.reading;
        case "refused":
          return unreadable(file, `reading it took ${answer.why}, expected a simpler file`);
        case "uses":
          throw new Error("The thread that reads YAML answered another question.");
      }
    },
    uses: async (content) => {
      const answer = await this.#ask(installationId, { kind: "uses", content });
      return answer.kind === "uses" ? answer.paths : null;
    },
  });

  /** What is being read is given up; what comes later is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    await this.#reading;
  }

  #ask(installationId: number, question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#turns.add(installationId, { question, resolve, reject });
      this.#reading ??= this.#work();
    });
  }

  async #work(): Promise<void> {
    for (let next = this.#turns.next(); next !== null; next = this.#turns.next()) {
      const { of, item } = next;
      try {
        // Whoever made it necessary has paid for that: it is not part of the time.
        const worker = await this.#started();
        const began = performance.now();
        const answer = this.#one(worker, item.question);
        await answer.finally(() => this.#turns.took(of, performance.now() - began));
        item.resolve(await answer);
      } catch (error) {
        item.reject(error);
      }
    }
    this.#reading = null;
  }

  async #one(worker: Worker, question: Question): Promise<Answer> {
    worker.ref();
    const answer = await answerTo(worker, question, this.#deadlineMs);
    worker.unref();
    switch (answer.kind) {
      case "policy":
      case "uses":
        return answer;
      case "late":
        await this.#discard();
        return { kind: "refused", why: `longer than ${this.#deadlineMs / 1_000} s` };
      case "ended":
        await this.#discard();
        if (isOutOfMemory(answer.error)) {
          return { kind: "refused", why: `more than ${this.#mostMegabytes} MB of memory` };
        }
        throw new Error("The thread that reads YAML has ended.", { cause: answer.error });
      case "failed":
        throw new Error(answer.error);
      case "ready":
        throw new Error("The thread that reads YAML said twice that it is ready.");
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
        throw new Error("The thread that reads YAML did not start.", {
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
function answerTo(worker: Worker, question: Question | null, deadlineMs: number): Promise<Heard> {
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

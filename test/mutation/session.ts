/** Tries many changes on a few processes, each with the tests that reach the changed place. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { siteAt } from "./instrument.ts";
import type { Mutant } from "./mutants.ts";
import type { Room } from "./rooms.ts";
import { type Answer, answer, type Learnt, type Request } from "./worker.ts";

export type Verdict =
  | { readonly is: "killed"; readonly by: string }
  /** `reached`: whether a test comes by the place at all. */
  | { readonly is: "survived"; readonly reached: boolean };

/** What is not over after so many times what it takes without a change, and some time more, hangs. */
const TIMES = 20;
const GRACE_MS = 60_000;

export class Session {
  readonly #room: Room;
  readonly #size: number;
  readonly #workers: TestProcess[] = [];
  #learnt: Learnt = { files: [], mostTicks: 0 };

  private constructor(room: Room, size: number) {
    this.#room = room;
    this.#size = size;
  }

  /** Throws when the room's tests fail without a change. */
  static async open(room: Room, size: number): Promise<Session> {
    const session = new Session(room, size);
    const first = new TestProcess(room);
    session.#workers.push(first);
    const learnt = await first.ask({ ask: "learn" }, 10 * GRACE_MS).catch((error: unknown) => {
      first.end();
      throw error;
    });
    if (learnt === null || learnt === "ended" || !("learnt" in learnt))
      throw new Error("The tests were not over within ten minutes, or their process ended.");
    session.#learnt = learnt.learnt;
    while (session.#workers.length < size) session.#workers.push(new TestProcess(room));
    return session;
  }

  /** Tries what `next` gives until it gives null. `tell` hears each verdict. */
  async run(next: () => Mutant | null, tell: (mutant: Mutant, verdict: Verdict) => void): Promise<void> {
    const work = async (slot: number): Promise<void> => {
      for (let mutant = next(); mutant !== null; mutant = next()) tell(mutant, await this.#try(slot, mutant));
    };
    await Promise.all(Array.from({ length: this.#size }, (_, slot) => work(slot)));
  }

  close(): void {
    for (const worker of this.#workers) worker.end();
  }

  async #try(slot: number, { source, mutation }: Mutant): Promise<Verdict> {
    const site = source.firstSite + siteAt(source.sites, mutation.start);
    const reaching = this.#learnt.files.filter(({ sites }) => sites.includes(site)).toSorted((a, b) => a.ms - b.ms);
    if (reaching.length === 0) return { is: "survived", reached: false };
    const usual = reaching.reduce((sum, { ms }) => sum + ms, 0);
    const request: Request = {
      ask: "try",
      file: source.file,
      mutation,
      testFiles: reaching.map(({ file }) => file),
      mostTicks: this.#learnt.mostTicks,
    };
    const reply = await this.#workers[slot]?.ask(request, TIMES * usual + GRACE_MS);
    if (reply === null || reply === undefined || reply === "ended") {
      this.#workers[slot]?.end();
      this.#workers[slot] = new TestProcess(this.#room);
      return { is: "killed", by: reply === "ended" ? "it takes all memory" : "it does not end" };
    }
    if (!("killedBy" in reply)) throw new Error("An answer to another question.");
    return reply.killedBy === null ? { is: "survived", reached: true } : { is: "killed", by: reply.killedBy };
  }
}

class TestProcess {
  readonly #child: ChildProcess;
  #answered: (reply: Answer | Error | "ended") => void = () => {};

  constructor(room: Room) {
    this.#child = fork(join(import.meta.dirname, "worker.ts"), [room], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child.on("message", (message) => this.#answered(answer.parse(message)));
    this.#child.on("error", (error) => this.#answered(error));
    this.#child.on("exit", () => this.#answered("ended"));
  }

  /** Null: it took longer than that. `ended`: the process did, as it does when there is no memory left. */
  ask(request: Request, ms: number): Promise<Answer | "ended" | null> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve(null), ms);
      this.#answered = (reply) => {
        clearTimeout(timer);
        if (reply instanceof Error) reject(reply);
        else if (reply === "ended") resolve(reply);
        else if ("fault" in reply) reject(new Error(reply.fault));
        else resolve(reply);
      };
      this.#child.send(request);
    });
  }

  end(): void {
    this.#answered = () => {};
    this.#child.kill("SIGKILL");
  }
}

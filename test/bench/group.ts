/**
 * A coordinator and many agents that speak its protocol over connections of their own, as lean as a client can be: what
 * is measured is the coordinator, and a thousand of its clients must fit into one process, as Redis's do.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { PROTOCOL } from "../../src/coordinator/protocol/protocol.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { readPlan } from "../../src/plan/read.ts";
import type { Instruction } from "../../src/run/instruction.ts";
import type { Sync } from "../../src/run/types.ts";

const SECRET = "a-secret-of-the-bench-that-is-long-enough";

export interface Memory {
  /** Bytes. */
  readonly rss: number;
  /** Heap in use and what it holds outside, after a collection. Bytes. */
  readonly used: number;
}

export class BenchCoordinator {
  readonly #child: ChildProcess;
  readonly address: string;

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.address = address;
  }

  static async start(): Promise<BenchCoordinator> {
    const file = new URL("./coordinator-process.ts", import.meta.url);
    const child = fork(file, { env: { ...process.env, SECRET }, execArgv: ["--expose-gc"] });
    const [{ address }] = await once(child, "message");
    return new BenchCoordinator(child, String(address));
  }

  async memory(): Promise<Memory> {
    this.#child.send("memory");
    const [memory] = await once(this.#child, "message");
    return memory;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }
}

export function planOf(text: string): Plan {
  const { plan, problems } = readPlan(text, "plan.yml");
  if (plan === null) throw new Error(JSON.stringify(problems));
  return plan;
}

const NOTHING: Omit<Sync, "session" | "agent"> = {
  doing: "idle",
  status: "idle",
  stage: null,
  progress: null,
  finished: [],
  wants: 0,
  addTasks: [],
  ready: [],
  outputs: {},
};

interface Answer {
  readonly instruction: Instruction;
  readonly roster: { readonly version: string } | null;
  readonly outputs: { readonly version: string } | null;
  readonly notice: number;
}

/** One agent without work of its own: it says what it is told to say. */
export class BenchAgent {
  readonly name: string;
  readonly #line: Line;
  #run = "";
  #session = "";
  #sequence = 0;
  #known: { roster: string | null; outputs: string | null; notice: number } = {
    roster: null,
    outputs: null,
    notice: 0,
  };

  constructor(name: string, address: string) {
    this.name = name;
    this.#line = new Line(address);
  }

  async join(plan: Plan, runId: string, agentCount: number, index: number): Promise<void> {
    const key = { repositoryId: "1", runId, attempt: 1, group: "bench", plan: plan.name };
    const selection = { only: null, skip: [], stopAfter: null };
    const place = { agent: this.name, role: null, index, address: null };
    const nonce = `the-nonce-of-${this.name}`;
    const body = { protocol: PROTOCOL, nonce, key, plan, selection, agentCount, ...place };
    const joined = await this.#line.post<{ run: string; session: string }>("/api/runs/join", SECRET, body);
    this.#run = joined.run;
    this.#session = joined.session;
  }

  async sync(sync: Partial<typeof NOTHING>, holdMs: number): Promise<Instruction> {
    this.#sequence += 1;
    const said = { ...NOTHING, ...sync };
    const body = { protocol: PROTOCOL, seq: this.#sequence, holdMs, reset: null, sync: said, known: this.#known };
    const answer = await this.#line.post<Answer>(`/api/runs/${this.#run}/sync`, this.#session, body);
    this.#known = {
      roster: answer.roster?.version ?? this.#known.roster,
      outputs: answer.outputs?.version ?? this.#known.outputs,
      notice: answer.notice,
    };
    return answer.instruction;
  }

  /** Asks until it is told to do this. */
  async until<K extends Instruction["do"]>(what: K): Promise<Extract<Instruction, { do: K }>> {
    for (;;) {
      const instruction = await this.sync({}, 20_000);
      if (instruction.do === what) return instruction as Extract<Instruction, { do: K }>;
      if (instruction.do === "finish") throw new Error(`the run is over: ${instruction.summary.message}`);
    }
  }

  close(): void {
    this.#line.close();
  }
}

/** Of an attempt that has gone well. */
export function reportOf(stage: number, attempt: string, task: string | null): Sync["finished"][number] {
  const now = Date.now();
  return {
    stage,
    attempt,
    task,
    startedAt: now,
    endedAt: now,
    end: { kind: "exited", code: 0 },
    progress: null,
    metrics: [],
    histograms: {},
    outputs: {},
    annotations: [],
    tail: "",
  };
}

/** HTTP/1.1 over one connection, one request after another; answers as this coordinator frames them. */
class Line {
  readonly #host: string;
  readonly #socket: Socket;
  #received = "";
  #answered: ((text: string) => void) | null = null;
  #failed: ((error: Error) => void) | null = null;

  constructor(address: string) {
    this.#host = address;
    const [host = "", port = ""] = address.split(":");
    this.#socket = connect({ host, port: Number(port), noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#take(text));
    this.#socket.on("error", (error) => this.#failed?.(error));
    this.#socket.on("close", () => this.#failed?.(new Error("the coordinator closed the connection")));
  }

  async post<T>(path: string, bearer: string, body: unknown): Promise<T> {
    const text = JSON.stringify(body);
    const length = Buffer.byteLength(text);
    const head = `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nauthorization: Bearer ${bearer}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
    const answer = await new Promise<string>((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(head + text);
    });
    const end = answer.indexOf("\r\n\r\n");
    if (!answer.startsWith("HTTP/1.1 200")) throw new Error(`${path}: ${answer.slice(0, 12)} ${answer.slice(end + 4)}`);
    return JSON.parse(answer.slice(end + 4)) as T;
  }

  close(): void {
    this.#failed = null;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#received)?.[1] ?? Number.NaN);
    if (this.#received.length < end + 4 + length) return;
    const answer = this.#received;
    this.#received = "";
    this.#answered?.(answer);
  }
}

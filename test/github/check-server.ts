/** A GitHub that knows check runs only, remembers them, and can refuse, fail or lose answers. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { z } from "zod";

const body = z.object({
  name: z.string().optional(),
  head_sha: z.string().optional(),
  external_id: z.string().optional(),
  status: z.string().optional(),
  conclusion: z.string().optional(),
  output: z
    .object({
      title: z.string(),
      summary: z.string(),
      text: z.string().optional(),
      annotations: z.array(z.record(z.string(), z.unknown())).max(50).optional(),
    })
    .optional(),
});

export interface StoredCheck {
  readonly id: number;
  readonly name: string;
  readonly head_sha: string;
  readonly external_id: string;
  status: string;
  conclusion: string | null;
  output: { title: string; summary: string; text: string | null };
  readonly annotations: Record<string, unknown>[];
}

export interface Fault {
  /** Undefined: applied to any method. */
  readonly method?: string;
  /** So many requests that it could hit go through first. */
  skip?: number;
  readonly status: number;
  readonly message?: string;
  readonly headers?: Record<string, string>;
  /** True: the change is made, only the answer is lost. */
  readonly after?: boolean;
}

export class CheckServer {
  readonly checks: StoredCheck[] = [];
  /** "POST", "PATCH", "GET": what was asked, in order. */
  readonly requests: string[] = [];
  /** Titles in the order in which they were shown. */
  readonly titles: string[] = [];
  readonly faults: Fault[] = [];
  /** What the jobs behind check runs are called, by their ids. */
  readonly jobNames = new Map<string, string>();
  /** The jobs of the attempt; null: the token may not list them. */
  jobs:
    | { readonly id: number; readonly name: string; readonly status: string; readonly conclusion: string | null }[]
    | null = null;
  /** Milliseconds before each answer. */
  delayMs = 0;
  /** Requests are taken and never answered; "after": what they ask for is done. */
  hangs: boolean | "after" = false;
  url = "";
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.url = `http://127.0.0.1:${address.port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const method = request.method ?? "";
    this.requests.push(method);
    if (this.hangs === true) return;
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    const fault = this.faults.findIndex((candidate) => candidate.method === undefined || candidate.method === method);
    const hit = this.faults[fault];
    const spared = hit !== undefined && (hit.skip ?? 0) > 0;
    if (spared) hit.skip = (hit.skip ?? 0) - 1;
    const found = hit === undefined || spared ? undefined : this.faults.splice(fault, 1)[0];
    const reply = (status: number, data: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(data));
    };
    if (found !== undefined && found.after !== true) {
      reply(found.status, { message: found.message ?? "fault" }, found.headers);
      return;
    }
    const text = Buffer.concat(chunks).toString("utf8");
    const result = this.#handle(method, request.url ?? "", text === "" ? {} : JSON.parse(text));
    if (this.hangs !== false) return;
    if (found === undefined) reply(result.status, result.data);
    else reply(found.status, { message: found.message ?? "fault" }, found.headers);
  }

  #handle(method: string, url: string, data: unknown): { status: number; data: unknown } {
    const parsed = body.safeParse(data);
    if (!parsed.success) return { status: 422, data: { message: parsed.error.message } };
    const given = parsed.data;
    const path = new URL(url, this.url).pathname;
    if (method === "GET" && /\/commits\/[^/]+\/check-runs$/u.test(path)) {
      return {
        status: 200,
        data: { total_count: this.checks.length, check_runs: this.checks.map((c) => this.#shown(c)) },
      };
    }
    if (method === "GET" && /\/attempts\/\d+\/jobs$/u.test(path)) {
      if (this.jobs === null) return { status: 403, data: { message: "Resource not accessible by integration" } };
      return { status: 200, data: { total_count: this.jobs.length, jobs: this.jobs } };
    }
    if (method === "POST" && path === "/repos/acme/widgets/check-runs") {
      const check: StoredCheck = {
        id: this.checks.length + 1,
        name: given.name ?? "",
        head_sha: given.head_sha ?? "",
        external_id: given.external_id ?? "",
        status: "queued",
        conclusion: null,
        output: { title: "", summary: "", text: null },
        annotations: [],
      };
      this.checks.push(check);
      this.#apply(check, given);
      return { status: 201, data: this.#shown(check) };
    }
    const id = /^\/repos\/acme\/widgets\/check-runs\/(\d+)$/u.exec(path)?.[1];
    const job = this.jobNames.get(id ?? "");
    if (method === "GET" && job !== undefined) return { status: 200, data: { id: Number(id), name: job } };
    const check = this.checks.find((candidate) => String(candidate.id) === id);
    if (check === undefined) return { status: 404, data: { message: "Not Found" } };
    if (method === "PATCH") this.#apply(check, given);
    return { status: 200, data: this.#shown(check) };
  }

  #apply(check: StoredCheck, given: z.infer<typeof body>): void {
    check.status = given.status ?? check.status;
    check.conclusion = given.conclusion ?? check.conclusion;
    if (given.output === undefined) return;
    const { annotations, ...output } = given.output;
    check.output = { ...output, text: output.text ?? null };
    check.annotations.push(...(annotations ?? []));
    this.titles.push(output.title);
  }

  #shown(check: StoredCheck) {
    const { annotations, ...rest } = check;
    return {
      ...rest,
      html_url: `https://github.example/acme/widgets/runs/${check.id}`,
      app: { id: 7 },
      output: { ...check.output, annotations_count: annotations.length },
    };
  }
}

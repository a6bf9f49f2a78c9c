/** Jobs of a matrix as real processes: the action in each, one GitHub and one token endpoint for all of them. */
import http from "node:http";
import { type Issuer, startIssuer } from "../coordinator/admission/issuer.ts";
import { CheckServer } from "../github/check-server.ts";
import { type Step, type StepOptions, TestRunner } from "./step-runner.ts";

export const SHA = "b".repeat(40);
export const PLAN = `name: epochs
stages:
  - { name: prepare, runs_on: first, run: stagewright emit rows=3 }
  - { name: epoch, run: 'echo "$STAGEWRIGHT_AGENT_NAME has $STAGEWRIGHT_OUTPUT_PREPARE_ROWS rows"; echo in >> "$GITHUB_WORKSPACE/epoch"' }
  - { name: cleanup, run: 'echo wiped >> "$GITHUB_WORKSPACE/cleaned"' }
`;

export class Matrix {
  readonly issuer: Issuer;
  readonly github: CheckServer;
  readonly #tokens: http.Server;
  readonly #runners: TestRunner[] = [];

  private constructor(issuer: Issuer, github: CheckServer, tokens: http.Server) {
    this.issuer = issuer;
    this.github = github;
    this.#tokens = tokens;
  }

  static async open(): Promise<Matrix> {
    const issuer = await startIssuer();
    // As the runner's token endpoint: each job has an address of its own.
    const tokens = http.createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://runner");
      const claims = {
        repository: "acme/widgets",
        repository_id: "11",
        run_id: "77",
        check_run_id: url.pathname.slice(1),
      };
      void issuer
        .token({ audience: url.searchParams.get("audience") ?? "", claims })
        .then((value) => response.end(JSON.stringify({ value })));
    });
    await new Promise<void>((resolve) => tokens.listen(0, "127.0.0.1", resolve));
    return new Matrix(issuer, await new CheckServer().start(), tokens);
  }

  async close(): Promise<void> {
    await this.github.stop();
    for (const runner of this.#runners.splice(0)) await runner.remove();
    this.#tokens.closeAllConnections();
    await new Promise((resolve) => this.#tokens.close(resolve));
    await this.issuer.close();
  }

  get tokensUrl(): string {
    const at = this.#tokens.address();
    if (at === null || typeof at === "string") throw new Error("no port");
    return `http://127.0.0.1:${at.port}`;
  }

  async runner(plan: string): Promise<TestRunner> {
    const runner = await TestRunner.create({ "plan.yml": plan });
    this.#runners.push(runner);
    return runner;
  }

  /** Starts the job of this index, in a group of `size`. */
  async job(index: number, size: number, plan: string, more: StepOptions = {}): Promise<Step & { runner: TestRunner }> {
    const runner = await this.runner(plan);
    this.github.jobNames.set(String(7000 + index), `train (${index})`);
    const step = await runner.start({
      inputs: {
        plan: "plan.yml",
        "agent-index": String(index),
        "agent-count": String(size),
        "github-token": "t0ken",
        ...(index === 0 ? { listen: "127.0.0.1:0", advertise: "127.0.0.1" } : { advertise: "127.0.0.1" }),
        ...more.inputs,
      },
      env: {
        GITHUB_API_URL: this.github.url,
        STAGEWRIGHT_OIDC_ISSUER: this.issuer.url,
        ACTIONS_ID_TOKEN_REQUEST_URL: `${this.tokensUrl}/${7000 + index}?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: "runner",
        ...more.env,
      },
    });
    return { runner, ...step };
  }
}

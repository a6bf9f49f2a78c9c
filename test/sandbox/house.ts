/** A furnished sandbox: an organization with people, a repository, an installed app, and a place that receives webhooks. */
import { createServer } from "node:http";
import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/rest";
import { createSandbox, type Sandbox, type SandboxOptions } from "../../src/sandbox/index.ts";
import {
  type Account,
  type App,
  addApp,
  addOrganization,
  addOrganizationMember,
  addRepository,
  addUser,
  addUserToken,
  asUser,
  commitFiles,
  type Installation,
  install,
  openPull,
  type Permissions,
  type PullRequest,
  type Repository,
  required,
  setCollaborator,
} from "../../src/sandbox/world/index.ts";
import { KEYS } from "../keys.ts";

export interface Received {
  readonly headers: Record<string, string>;
  readonly event: string;
  readonly text: string;
  readonly payload: Record<string, unknown>;
}

export interface House {
  readonly sandbox: Sandbox;
  readonly alice: Account;
  readonly bob: Account;
  readonly acme: Account;
  readonly repo: Repository;
  readonly app: App;
  readonly installation: Installation;
  readonly pull: PullRequest;
  /** Acts as the app's installation. */
  readonly bot: Octokit;
  /** Acts as the app itself. */
  readonly asApp: Octokit;
  readonly asAlice: Octokit;
  readonly asBob: Octokit;
  readonly received: Received[];
  /** What the receiver answers. */
  answer: { status: number; delayMs: number };
  octokit(token: string): Octokit;
  close(): Promise<void>;
}

const permissions: Permissions = {
  actions: "write",
  checks: "write",
  contents: "write",
  deployments: "write",
  issues: "write",
  members: "read",
  merge_queues: "read",
  pull_requests: "write",
  statuses: "write",
  administration: "write",
};

export const everyEvent = [
  "pull_request",
  "pull_request_review",
  "issue_comment",
  "check_run",
  "check_suite",
  "status",
  "push",
  "create",
  "delete",
  "label",
  "workflow_run",
  "workflow_job",
  "deployment",
  "deployment_status",
  "deployment_protection_rule",
  "workflow_dispatch",
  "repository_dispatch",
  "merge_group",
  "team",
  "team_add",
  "membership",
  "organization",
  "member",
  "repository",
];

export const workflowFile = `name: QA
on:
  workflow_dispatch:
    inputs:
      pr: { required: true }
      level: { default: low }
jobs: { qa: { runs-on: self-hosted, steps: [{ run: "true" }] } }
`;

export async function furnish(options: SandboxOptions & { readonly permissions?: Permissions } = {}): Promise<House> {
  const errors: unknown[] = [];
  const sandbox = createSandbox({
    seed: "house",
    checkResponses: true,
    report: (error) => errors.push(error),
    ...options,
  });
  const received: Received[] = [];
  const answer = { status: 200, delayMs: 0 };
  const receiver = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
    request.on("end", () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      received.push({ headers, event: headers["x-github-event"] ?? "", text, payload: JSON.parse(text) });
      setTimeout(() => response.writeHead(answer.status, { "x-seen": "yes" }).end("thanks"), answer.delayMs);
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const address = receiver.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const url = await sandbox.listen();
  const { world } = sandbox;
  const alice = addUser(world, "alice", { name: "Alice" });
  const bob = addUser(world, "bob");
  const acme = addOrganization(world, "acme");
  addOrganizationMember(world, acme, alice, "admin");
  const repo = addRepository(world, asUser(alice), {
    owner: acme,
    name: "demo",
    files: { "README.md": "# Demo\n", "src/a.txt": "one\ntwo\n", ".github/workflows/qa.yml": workflowFile },
  });
  setCollaborator(world, asUser(alice), repo, bob, "write");
  const app = addApp(world, {
    keys: KEYS,
    slug: "stagewright",
    owner: acme,
    permissions: options.permissions ?? permissions,
    events: everyEvent,
    webhook: { url: `http://127.0.0.1:${port}/hook`, secret: "s3cret" },
  });
  const installation = install(world, asUser(alice), { app, account: acme, repositories: "all" });
  commitFiles(world, asUser(alice), repo, {
    branch: "task-7",
    message: "Add a line",
    files: { "src/a.txt": "one\ntwo\nthree\n" },
  });
  const pull = openPull(world, asUser(alice), repo, { title: "Task 7", body: "Please.", base: "main", head: "task-7" });
  const octokit = (token: string) => new Octokit({ auth: token, baseUrl: `${url}/api/v3`, log: silent });
  const auth = { appId: app.id, privateKey: required(app.privateKey) };
  return {
    sandbox,
    alice,
    bob,
    acme,
    repo,
    app,
    installation,
    pull,
    received,
    answer,
    octokit,
    asApp: new Octokit({ authStrategy: createAppAuth, auth, baseUrl: `${url}/api/v3`, log: silent }),
    bot: new Octokit({
      authStrategy: createAppAuth,
      auth: { ...auth, installationId: installation.id },
      baseUrl: `${url}/api/v3`,
      log: silent,
    }),
    asAlice: octokit(addUserToken(world, alice)),
    asBob: octokit(addUserToken(world, bob)),
    async close() {
      await sandbox.close();
      receiver.closeAllConnections();
      await new Promise((resolve) => receiver.close(resolve));
      if (errors.length > 0) throw new AggregateError(errors, `the sandbox reported: ${errors.map(String).join("; ")}`);
    },
  };
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The status and message of a refused request. */
export async function refusalOf(request: Promise<unknown>): Promise<{ status: number; message: string }> {
  try {
    await request;
  } catch (error) {
    if (error instanceof Error && "status" in error && typeof error.status === "number")
      return { status: error.status, message: error.message };
    throw error;
  }
  throw new Error("expected a refusal, but it was answered");
}

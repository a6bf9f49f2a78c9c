import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Octokit } from "@octokit/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Publisher } from "../../src/action/output/publish.ts";
import { SavedState } from "../../src/action/post-state.ts";
import { RunnerConsole, RunnerFiles } from "../../src/action/runner.ts";
import { Masks } from "../../src/agent/masking/masks.ts";
import { CheckServer } from "../github/check-server.ts";
import { failed as failedPhase, report } from "../report/builders.ts";

const job = {
  id: "train",
  repositoryId: "11",
  runId: "77",
  attempt: 1,
  owner: "acme",
  repo: "widgets",
  headSha: "a".repeat(40),
  runUrl: null,
  fork: false,
  workspace: "/w",
  temporary: "/t",
};

let server: CheckServer;
let directory: string;
let log: string;
/** Resolves the longest pause that is being waited for: the deadline of the report. */
let timeIsOver: () => void;

beforeEach(async () => {
  server = await new CheckServer().start();
  directory = mkdtempSync(join(tmpdir(), "publish-"));
  log = "";
});
afterEach(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

function publisher(): Publisher {
  const console = new RunnerConsole(
    (text) => {
      log += text;
    },
    (text) => text,
  );
  const summary = join(directory, "summary.md");
  const files = new RunnerFiles(
    { GITHUB_STEP_SUMMARY: summary, GITHUB_STATE: join(directory, "state") },
    (text) => console.text(text),
    (text) => text,
  );
  const over = Promise.withResolvers<void>();
  timeIsOver = over.resolve;
  const pace = {
    now: Date.now,
    // Short pauses are between tries.
    sleep: async (ms: number) => (ms >= 20_000 ? over.promise : undefined),
  };
  return new Publisher({
    where: "auto",
    token: "t",
    client: async () => new Octokit({ baseUrl: server.url, log: { debug() {}, info() {}, warn() {}, error() {} } }),
    job,
    checkName: "plan",
    externalId: "x",
    console,
    files,
    masks: new Masks(),
    state: new SavedState(files, { token: "t", job }),
    pace,
  });
}

const failed = report({}, { status: "failed", verdict: "failure", failedStage: "work", phases: [failedPhase("work")] });
const PATIENTLY = { timeout: 20_000 };
const progress = { planName: "p", stages: ["work"], startedAt: 1, done: [], doing: "", now: 2 };

describe("a report that GitHub takes and never answers", () => {
  it.each(["when it is opened", "when it is concluded"])(
    "%s: it has a deadline of its own, and annotations are shown by commands",
    async (when) => {
      const publishing = publisher();
      server.hangs = when === "when it is opened";
      publishing.start(progress);
      await expect.poll(() => server.requests, PATIENTLY).toEqual(["POST"]);
      if (!server.hangs) await expect.poll(() => server.checks.length, PATIENTLY).toBe(1);
      server.hangs = true;
      const finished = publishing.finish(failed, new AbortController().signal);
      if (when === "when it is concluded") await expect.poll(() => server.requests, PATIENTLY).toContain("PATCH");
      expect(readFileSync(join(directory, "summary.md"), "utf8")).toContain("exit code 3");
      timeIsOver();
      await finished;
      expect(log).toMatch(/^::error title=work%3A failed,/mu);
      expect(log).toContain("GitHub did not take the report within 30 s: annotations are shown by this step instead");
      const [verdict, ...rest] = readFileSync(join(directory, "summary.md"), "utf8").match(/^## .*$/gmu) ?? [];
      expect(verdict).toContain("failed");
      expect(rest).toEqual([]);
    },
  );
});

/** Checks before a stage's command, on this machine as it is. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findingsOf } from "../../src/agent/machine/checks.ts";
import { Processes } from "../../src/agent/process/process.ts";
import type { PreflightCheck } from "../../src/plan/plan.ts";

let directory = "";
let server: Server;
let port = 0;
const processes = new Processes(() => undefined);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-checks-"));
  mkdirSync(join(directory, "bin"));
  const tool = (name: string, script: string, mode = 0o755): void => {
    writeFileSync(join(directory, "bin", name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, "bin", name), mode);
  };
  tool("fio", "echo fio-3.35");
  tool("mute", "exit 3");
  tool("plain", "true", 0o644);
  server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  port = (server.address() as { port: number }).port;
});
afterAll(async () => {
  await processes.endAll();
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

const found = (checks: readonly PreflightCheck[], clockOffsetMs: number | null = 0) =>
  findingsOf(checks, {
    env: { PATH: join(directory, "bin"), SET: "1", EMPTY: "" },
    workingDirectory: directory,
    processes,
    clockOffsetMs,
    signal: new AbortController().signal,
  });
const atLeast = (...numbers: number[]) => ({ comparison: ">=", numbers }) as const;

describe("a machine that has what is needed", () => {
  it("is found to have it", async () => {
    const checks: PreflightCheck[] = [
      { kind: "disk", path: ".", freeBytes: 1 },
      { kind: "memory", availableBytes: 1 },
      { kind: "tool", name: "fio", version: null },
      { kind: "tool", name: "fio", version: atLeast(3, 35) },
      { kind: "tool", name: "bin/fio", version: null },
      { kind: "variable", name: "SET" },
      { kind: "reachable", address: `127.0.0.1:${port}` },
      { kind: "clock", mostMs: 1_000 },
    ];
    expect(await found(checks, -1_000)).toEqual([]);
    expect(await found([{ kind: "clock", mostMs: 1 }], null)).toEqual([]);
  });
});

describe("a machine that lacks something", () => {
  const huge = Number.MAX_SAFE_INTEGER;
  it.each<[string, () => PreflightCheck, string, RegExp]>([
    ["room", () => ({ kind: "disk", path: ".", freeBytes: huge }), "resource", /are free, 8192 TiB are needed$/],
    ["a path", () => ({ kind: "disk", path: "gone", freeBytes: 1 }), "configuration", /^there is no such path$/],
    ["memory", () => ({ kind: "memory", availableBytes: huge }), "resource", /available, 8192 TiB are needed$/],
    ["a tool", () => ({ kind: "tool", name: "gone", version: null }), "configuration", /not on the PATH$/],
    ["a tool to run", () => ({ kind: "tool", name: "plain", version: null }), "configuration", /not on the PATH$/],
    ["one at a path", () => ({ kind: "tool", name: "./x", version: null }), "configuration", /no such program/],
    [
      "a version",
      () => ({ kind: "tool", name: "fio", version: atLeast(4) }),
      "configuration",
      /is 3\.35, >= 4 is needed$/,
    ],
    ["any version", () => ({ kind: "tool", name: "mute", version: atLeast(1) }), "configuration", /tells no version/],
    ["a variable", () => ({ kind: "variable", name: "UNSET" }), "configuration", /^it is not set$/],
    ["its value", () => ({ kind: "variable", name: "EMPTY" }), "configuration", /^it is empty$/],
    ["a name", () => ({ kind: "reachable", address: "gone.invalid:80" }), "network", /does not resolve$/],
    ["a server", () => ({ kind: "reachable", address: "127.0.0.1:1" }), "network", /^nothing listens there$/],
    ["a free port", () => ({ kind: "port", port }), "resource", /listens there already$/],
    ["the time", () => ({ kind: "clock", mostMs: 1_000 }), "system", /^it is 1001 ms behind the coordinator's/],
  ])("is found to lack %s", async (_what, check, category, message) => {
    const findings = await found([{ kind: "memory", availableBytes: 1 }, check()], 1_001);
    expect(findings).toEqual([
      {
        what: expect.stringContaining(check().kind),
        category,
        message: expect.stringMatching(message),
        remedy: expect.any(String),
      },
    ]);
  });

  it("is told everything at once, in the order of the checks", async () => {
    const findings = await found([
      { kind: "reachable", address: "127.0.0.1:1" },
      { kind: "variable", name: "UNSET" },
    ]);
    expect(findings.map(({ what }) => what)).toEqual(["reachable 127.0.0.1:1", "variable UNSET"]);
  });
});

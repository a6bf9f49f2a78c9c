/**
 * The number of the protocol before the present one, spoken by the program that spoke it: a workflow may pin that
 * version while its coordinator has the next.
 *
 * `command-<number>.json.br` holds the files of that version's `dist/cli` that a group needs, by name, as JSON under
 * Brotli; number 3 as of commit d762f20.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PROTOCOL, PROTOCOLS } from "../../../src/coordinator/protocol/protocol.ts";
import { runIdOf } from "../../../src/coordinator/protocol/run-id.ts";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import { clientOf, joinOf, NEVER, planOf, SECRET, startCoordinator } from "../builders.ts";

const PLAN = `
name: mixed
agents: 2
stages:
  - { name: work, run: 'stagewright emit n=1' }
  - { name: share, type: prepare, completion: tasks_done, tasks: [a, b, c], run: 'test -n "$1"' }
  - { name: end, run: 'test "$STAGEWRIGHT_OUTPUT_WORK_N" = 1' }
`;

let directory = "";
let serving: Serving | null = null;
let processes: ChildProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-before-"));
});
afterEach(async () => {
  const ended = processes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  for (const process of ended) process.kill("SIGKILL");
  await Promise.all(ended.map((process) => once(process, "close")));
  processes = [];
  await serving?.close();
  serving = null;
  rmSync(directory, { recursive: true, force: true });
});

/** Starts that version's command. */
function start(number: number, args: readonly string[]): { readonly process: ChildProcess; log(): string } {
  const packed = readFileSync(new URL(`command-${number}.json.br`, import.meta.url));
  const files: Record<string, string> = JSON.parse(brotliDecompressSync(packed).toString("utf8"));
  const home = join(directory, "command");
  mkdirSync(home, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  const child = spawn(process.execPath, [join(home, "index.js"), ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, TMPDIR: directory, STAGEWRIGHT_COORDINATOR_SECRET: SECRET },
    stdio: ["ignore", "ignore", "pipe"],
  });
  processes.push(child);
  let log = "";
  child.stderr?.on("data", (chunk) => {
    log += chunk;
  });
  return { process: child, log: () => log };
}

describe.each(PROTOCOLS.slice(1).map((number) => [number]))("agents of number %i", (number) => {
  it("go through a plan together with a coordinator of today", async () => {
    serving = await startCoordinator();
    const plan = planOf(PLAN);
    const { host } = await serving.runs.open(joinOf(plan, ""));
    const where = ["--coordinator", `http://${serving.address}`, "--run", runIdOf(host.state.key)];
    const agents = [0, 1].map((index) =>
      start(number, ["agent", ...where, "--agent-name", `node-${index}`, "--agent-index", String(index)]),
    );
    const codes = await Promise.all(agents.map(async ({ process }) => (await once(process, "close"))[0]));
    expect(codes, agents.map(({ log }) => log()).join("\n")).toEqual([0, 0]);
    const summary = host.summary();
    expect(summary).toMatchObject({ verdict: "success" });
    expect(summary.phases.map(({ name, status, tasks }) => [name, status, tasks?.done])).toEqual([
      ["work", "success", undefined],
      ["share", "success", 3],
      ["end", "success", undefined],
    ]);
    expect(summary.phases[0]?.agents.map(({ agent }) => agent)).toEqual(["node-0", "node-1"]);
  });

  it("have a coordinator that tells an agent of today at once that it is of another version", async () => {
    writeFileSync(join(directory, "plan.yml"), PLAN);
    const { process, log } = start(number, ["run", "plan.yml", "--agents", "2"]);
    await expect.poll(log, { timeout: 60_000, interval: 20 }).toMatch(/--coordinator http:\S+ --run \S+/);
    const [, address = ""] = /--coordinator http:\/\/(\S+)/.exec(log()) ?? [];
    const joining = clientOf(address).join(joinOf(planOf(PLAN), "node-9"), NEVER);
    await expect(joining).rejects.toMatchObject({
      code: "protocol",
      // It serves the number before its own, too.
      message: expect.stringMatching(
        `^protocol ${PROTOCOL} is not served here, ${number}( and ${number - 1})? is: use one version of the action`,
      ),
    });
    process.kill("SIGINT");
    await once(process, "close");
  });
});

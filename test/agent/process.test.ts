import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Processes, type RunningProcess, type StartOptions } from "../../src/agent/process/process.ts";
import { groupMembers, markedProcesses } from "../../src/agent/process/process-groups.ts";
import type { Command } from "../../src/plan/plan.ts";

const environment = { PATH: process.env.PATH ?? "" };
let directory = "";
let warnings: string[] = [];
let processes: Processes;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-test-"));
  writeFileSync(join(directory, "plain"), "echo no\n", { mode: 0o644 });
  warnings = [];
  processes = new Processes((text) => warnings.push(text));
});

afterEach(async () => {
  await processes.endAll(0);
  expect(markedProcesses(processes.mark)).toEqual([]);
  rmSync(directory, { recursive: true, force: true });
});

interface Started {
  readonly running: RunningProcess;
  readonly lines: string[];
  readonly left: (readonly string[])[];
  readonly remaining: (readonly string[])[];
}

function start(command: Command | string, overrides: Partial<StartOptions> = {}): Started {
  const lines: string[] = [];
  const left: (readonly string[])[] = [];
  const remaining: (readonly string[])[] = [];
  const running = processes.start({
    command: typeof command === "string" ? { kind: "script", script: command } : command,
    args: [],
    name: "stage",
    env: environment,
    workingDirectory: directory,
    onLine: (line, stream) => lines.push(`${stream === "stderr" ? "! " : ""}${line}`),
    onLeftBehind: (all) => left.push(all),
    onRemaining: (all) => remaining.push(all),
    ...overrides,
  });
  return { running, lines, left, remaining };
}

async function fileText(name: string): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    const path = join(directory, name);
    if (existsSync(path) && readFileSync(path, "utf8").endsWith("\n")) return readFileSync(path, "utf8").trim();
    await sleep(20);
  }
  throw new Error(`${name} was never written`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("starting", () => {
  it("runs a script with its arguments, and its lines arrive by stream", async () => {
    const { running, lines } = start('echo "one $1"; echo two >&2; printf three', { args: ["a b; $(x)"] });
    expect(await running.ended).toEqual({ kind: "exited", code: 0 });
    expect(lines.toSorted()).toEqual(["! two", "one a b; $(x)", "three"].toSorted());
  });

  it("ends a script at its first failing command, as a run: step does", async () => {
    const { running, lines } = start("false\necho not reached");
    expect(await running.ended).toEqual({ kind: "exited", code: 1 });
    expect(lines).toEqual([]);
  });

  it("runs a program without any shell", async () => {
    const { running, lines } = start({ kind: "program", file: "printf", args: ["%s|", "$HOME", "a b", "`x`"] });
    expect(await running.ended).toEqual({ kind: "exited", code: 0 });
    expect(lines).toEqual(["$HOME|a b|`x`|"]);
  });

  it("reports a signal that was not ours", async () => {
    const { running } = start("kill -s USR1 $$");
    expect(await running.ended).toEqual({ kind: "signalled", signal: "SIGUSR1" });
  });

  it.each([
    ["a program that is not there", { kind: "program", file: "no-such-program", args: [] }, {}, "no such program"],
    ["a file that may not be executed", { kind: "program", file: "./plain", args: [] }, {}, "not executable"],
    ["a NUL in an argument", { kind: "program", file: "echo", args: ["a\0b"] }, {}, "null bytes"],
    [
      "a directory that is not there",
      { kind: "script", script: "true" },
      { workingDirectory: "/no/where" },
      "/no/where",
    ],
    [
      "arguments that are too large",
      { kind: "script", script: `: ${"x".repeat(3_000_000)}` },
      {},
      "put the script into a file",
    ],
  ] as const)("says why %s does not start", async (_, command, overrides, message) => {
    const end = await start(command, overrides).running.ended;
    expect(end.kind).toBe("not_started");
    expect(end.kind === "not_started" ? end.message : "").toContain(message);
  });
});

describe("ending", () => {
  it("ends with TERM what heeds it, at once", async () => {
    const { running } = start("sleep 60");
    await sleep(100);
    const began = performance.now();
    running.end(30_000);
    expect(await running.ended).toEqual({ kind: "signalled", signal: "SIGTERM" });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it("kills what ignores TERM after the grace, its children too", async () => {
    const { running } = start("trap '' TERM; sleep 61 & echo $! > child; while :; do sleep 0.1; done");
    const child = Number(await fileText("child"));
    running.end(200);
    expect(await running.ended).toEqual({ kind: "signalled", signal: "SIGKILL" });
    expect(isAlive(child)).toBe(false);
  });

  it("shortens the grace when ended again in more of a hurry", async () => {
    const { running } = start("trap '' TERM; echo yes > ready; while :; do sleep 0.1; done");
    await fileText("ready");
    running.end(60_000);
    running.end(100);
    expect(await running.ended).toEqual({ kind: "signalled", signal: "SIGKILL" });
  });

  it("ends grandchildren that a command leaves behind, and names them", async () => {
    const { running, left } = start("(sleep 62 & echo $! > grandchild)");
    expect(await running.ended).toEqual({ kind: "exited", code: 0 });
    expect(isAlive(Number(await fileText("grandchild")))).toBe(false);
    expect(left.flat().join()).toContain("sleep 62");
  });

  it("says nothing of what it ended itself, though that takes longer than the command", async () => {
    const { running, left } = start(
      "(trap 'sleep 0.5; exit' TERM; echo $BASHPID > slow; while :; do sleep 0.05; done) & wait",
    );
    const slow = Number(await fileText("slow"));
    running.end();
    await running.ended;
    expect(isAlive(slow)).toBe(false);
    expect(left).toEqual([]);
  });

  it("ends what has left its group when the agent ends", async () => {
    const { running } = start("setsid sh -c 'echo $$ > escaped; exec sleep 63' > /dev/null 2>&1 &\nsleep 0.3");
    const escaped = Number(await fileText("escaped"));
    await running.ended;
    expect(isAlive(escaped)).toBe(true);
    await processes.endAll(1_000);
    expect(isAlive(escaped)).toBe(false);
    expect(warnings.join()).toContain("sleep 63");
  });

  it("does not wait for an escaped process that holds the output open", async () => {
    const { running } = start("setsid sh -c 'exec sleep 64' &\necho done");
    const began = performance.now();
    await running.ended;
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it("names what even KILL does not end, and waits for it no longer", async () => {
    // As the kernel does with what hangs in it: a signal is taken, and nothing comes of it.
    processes = new Processes((text) => warnings.push(text), { signalGroup: () => true });
    const { running, remaining } = start({ kind: "program", file: "sleep", args: ["68"] });
    running.end(50);
    expect(await running.ended).toEqual({ kind: "signalled", signal: "SIGKILL" });
    expect(remaining).toEqual([[`${running.pid} (sleep 68)`]]);
  });

  it("names what it may send no signal to, as soon as its grace is over", async () => {
    processes = new Processes((text) => warnings.push(text), { signalGroup: () => false });
    const { running, remaining } = start({ kind: "program", file: "sleep", args: ["69"] });
    running.end(50);
    expect(await running.ended).toEqual({ kind: "signalled", signal: "SIGKILL" });
    expect(remaining).toEqual([[`${running.pid} (sleep 69)`]]);
  });

  it("leaves nothing behind when the agent's own process is killed", async () => {
    const script = `
      import { Processes } from ${JSON.stringify(new URL("../../src/agent/process/process.ts", import.meta.url).href)};
      const processes = new Processes(console.error);
      console.log(processes.mark);
      processes.start({
        command: { kind: "script", script: "sleep 65 & setsid sleep 66 & sleep 67" },
        args: [], name: "stage", env: ${JSON.stringify(environment)}, workingDirectory: "/",
        onLine: () => {}, onLeftBehind: () => {}, onRemaining: () => {},
      });
      setTimeout(() => {}, 60000);
    `;
    const agent = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const mark = await new Promise<string>((resolve) =>
      agent.stdout.once("data", (data) => resolve(String(data).trim())),
    );
    for (let tries = 0; tries < 200 && markedProcesses(mark).length < 4; tries += 1) await sleep(20);
    expect(markedProcesses(mark).length).toBeGreaterThanOrEqual(3);
    agent.kill("SIGKILL");
    for (let tries = 0; tries < 500 && markedProcesses(mark).length > 0; tries += 1) await sleep(20);
    expect(markedProcesses(mark)).toEqual([]);
  });
});

// Only Linux shows what a process was started with.
it.runIf(process.platform === "linux")("finds a process that starts one program after the other", async () => {
  writeFileSync(join(directory, "again.sh"), 'exec sh "$0"\n');
  const { running } = start("exec sh again.sh");
  let missed = 0;
  for (let looks = 0; looks < 300; looks += 1) {
    if (!markedProcesses(processes.mark).includes(running.pid ?? -1)) missed += 1;
    if (looks % 100 === 0) await sleep(1);
  }
  expect(missed).toBe(0);
  running.end(0);
  await running.ended;
});

describe("output", () => {
  it("takes a flood of 100 MB without keeping it", async () => {
    let bytes = 0;
    const before = process.memoryUsage().rss;
    const { running } = start("head -c 100000000 /dev/zero | tr '\\0' 'x' | fold -w 200", {
      onLine: (line) => {
        bytes += line.length + 1;
      },
    });
    expect(await running.ended).toEqual({ kind: "exited", code: 0 });
    expect(bytes).toBeGreaterThan(100_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });

  it("bounds a line without an end, and survives bytes that are no text", async () => {
    const { running, lines } = start(
      "head -c 20000000 /dev/zero | tr '\\0' 'y'; echo; head -c 100000 /dev/urandom; echo; echo end",
    );
    expect(await running.ended).toEqual({ kind: "exited", code: 0 });
    expect(lines[0]?.length).toBe(65_536);
    expect(lines.at(-1)).toBe("end");
  });

  it("finds no member in a group that is gone", async () => {
    const { running } = start("true");
    await running.ended;
    expect(groupMembers(running.pid ?? 0)).toEqual([]);
  });
});

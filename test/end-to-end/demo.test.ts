/** `npm start` and Ctrl-C, as a user starts them: real processes from outside. (`.ci/run` runs `--once` to its end.) */
import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { afterEach, expect, test } from "vitest";
import { program } from "../programs.ts";
import { ROOT } from "./builders.ts";

interface Demo {
  readonly child: ChildProcess;
  output(): string;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
}

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0))
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
});

function start(args: readonly string[]): Demo {
  const child = spawn(process.execPath, [program("app/demo/start.ts"), ...args], {
    cwd: ROOT,
    // Everything that the demo starts inherits this, except where it is cut off on purpose; TMPDIR marks those too.
    env: { ...process.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, output }));
  });
  return { child, output: () => output, ended };
}

async function shows(demo: Demo, text: RegExp): Promise<RegExpExecArray> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const found = text.exec(demo.output());
    if (found !== null) return found;
    if (Date.now() > deadline || demo.child.exitCode !== null) {
      throw new Error(`the demo never showed ${text}:\n${demo.output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Processes below this one, of whatever depth: those whose parent chain leads here. */
async function descendants(root: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const ppid = /^\d+ \(.*\) \S+ (\d+)/s.exec(stat)?.[1];
    if (ppid !== undefined) parents.set(Number(name), Number(ppid));
  }
  const below = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === root || below(parent));
  };
  return [...parents.keys()].filter(below);
}

/** Command lines of those that still live. A zombie is dead: whoever its parent is now has not looked yet. */
async function living(pids: readonly number[]): Promise<readonly string[]> {
  const found = await Promise.all(
    pids.map(async (pid) => {
      const state = /^\d+ \(.*\) (\S)/s.exec(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""))?.[1];
      if (state === undefined || state === "Z" || state === "X") return null;
      return `${pid} ${state} ${(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ")}`;
    }),
  );
  return found.filter((line) => line !== null);
}

test("the app's death ends it with 1 and the step it was needed for", { timeout: 240_000 }, async () => {
  const demo = start(["--once"]);
  await shows(demo, /✓ verified +a pull request is opened/);
  const pids = await descendants(demo.child.pid ?? 0);
  const commands = await Promise.all(
    pids.map(async (pid) => ({ pid, line: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "") })),
  );
  const app = commands.find(({ line }) => line.includes("app/main.ts"));
  if (app === undefined) throw new Error("the app's process was not found");
  process.kill(app.pid, "SIGKILL");
  const { code, output } = await demo.ended;
  expect(code).toBe(1);
  expect(output).toMatch(/✗ step "[^"]+" failed: the app ended by SIGKILL/);
  expect(await living(pids)).toEqual([]);
});

test("Ctrl-C in the middle of the plan leaves no process behind", { timeout: 240_000 }, async () => {
  const demo = start([]);
  await shows(demo, /check "plan \/ multi-epoch-training \(train\)": in progress/);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const pids = await descendants(demo.child.pid ?? 0);
  expect(pids.length).toBeGreaterThanOrEqual(2);
  demo.child.kill("SIGINT");
  const { code } = await demo.ended;
  expect(code).toBe(130);
  expect(await living(pids)).toEqual([]);
});

test("killed outright, it does not leave its app behind", { timeout: 240_000 }, async () => {
  const demo = start([]);
  await shows(demo, /✓ verified +a pull request is opened/);
  const pids = await descendants(demo.child.pid ?? 0);
  expect((await living(pids)).join("\n")).toContain("app/main.ts");
  demo.child.kill("SIGKILL");
  await demo.ended;
  await expect.poll(async () => (await living(pids)).join("\n"), { timeout: 60_000 }).toBe("");
});

test("it verifies every step, stays up, and one can play on: a push sends the pull request back to its first stage", {
  timeout: 240_000,
}, async () => {
  const demo = start([]);
  await shows(demo, /Ctrl-C ends it\./);
  expect(demo.output().match(/✓ verified/g)).toHaveLength(5);
  for (const line of [/rex +opened #1/, /cleo +put label ready-for-qa on #1/, /tess +reviewed #1: approved/]) {
    expect(demo.output()).toMatch(line);
  }
  // The addresses and the command as they are printed.
  const invitation = demo.output().slice(demo.output().lastIndexOf("Pull request "));
  const addresses = [...(invitation.split("Play on")[0]?.matchAll(/http:\S+/g) ?? [])].map(([address]) => address);
  expect(addresses).toHaveLength(4);
  for (const address of addresses) expect((await fetch(address)).status, address).toBe(200);
  const command = /^ *(curl .*do=push.*)$/m.exec(invitation)?.[1] ?? "";
  const shell = spawn("bash", ["-c", `${command} -f`], { stdio: "ignore" });
  expect(await new Promise((resolve) => shell.once("close", resolve))).toBe(0);
  await shows(
    demo,
    /moved the head of #1[\s\S]*took label stage\/approved off #1[\s\S]*put label stage\/pr-created on #1/,
  );
  const pids = await descendants(demo.child.pid ?? 0);
  demo.child.kill("SIGTERM");
  expect((await demo.ended).code).toBe(130);
  expect(await living(pids)).toEqual([]);
});

test("a wrong option is exit code 2 and says what is right", async () => {
  const { code, output } = await start(["--port", "many"]).ended;
  expect(code).toBe(2);
  expect(output).toContain("expected 0 to 65535");
  expect(output).not.toContain("    at ");
});

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { program } from "../programs.ts";

const command = program("src/cli.ts");
const main = fileURLToPath(new URL("../../src/sandbox/main.ts", import.meta.url));
let folder: string;
let child: ChildProcess | null = null;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sandbox-main-"));
});
afterEach(async () => {
  child?.kill("SIGKILL");
  child = null;
  await rm(folder, { recursive: true, force: true });
});

const seed = {
  users: [{ login: "alice", name: "Alice" }, { login: "bob" }],
  organizations: [{ login: "acme", members: { alice: "admin" }, teams: { quality: ["bob"] } }],
  apps: [{ slug: "stagewright", owner: "acme", permissions: { pull_requests: "write" }, installed_on: ["acme"] }],
  repositories: [
    {
      name: "acme/demo",
      files: { "README.md": "hi\n", "run.sh": { content: "#!/bin/sh\n", executable: true } },
      directory: "files",
      collaborators: { bob: "write" },
      teams: { quality: "maintain" },
      labels: [{ name: "bug" }],
      environments: { qa: ["stagewright"] },
      protection: { main: { approvals: 1 } },
      branches: [{ name: "task-7", by: "alice", files: { "a.txt": "a\n" } }],
      pulls: [{ title: "Task 7", head: "task-7", by: "alice", labels: ["bug"] }],
    },
  ],
};

/** Starts the process; resolves with its first line, or with its exit code and what it said. */
function run(...args: string[]): Promise<{ line: string } | { code: number | null; stderr: string }> {
  return startAs([main, ...args]);
}

function startAs(words: readonly string[]): Promise<{ line: string } | { code: number | null; stderr: string }> {
  const started = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] });
  child = started;
  return new Promise((resolve) => {
    let [stdout, stderr] = ["", ""];
    started.stdout.on("data", (piece: Buffer) => {
      stdout += piece.toString();
      if (stdout.includes("\n")) resolve({ line: stdout.split("\n")[0] ?? "" });
    });
    started.stderr.on("data", (piece: Buffer) => {
      stderr += piece.toString();
    });
    started.on("close", (code) => resolve({ code, stderr }));
  });
}

describe("the sandbox as a process", () => {
  it("plants a seed, writes credentials for its owner alone, and ends on SIGTERM", async () => {
    const file = join(folder, "seed.json");
    const credentials = join(folder, "credentials.json");
    await writeFile(file, JSON.stringify({ ...seed, repositories: [{ ...seed.repositories[0], directory: "." }] }));
    const started = await run("--seed", file, "--credentials", credentials);
    expect(started).toMatchObject({
      line: expect.stringMatching(/^The sandbox listens at http:\/\/127\.0\.0\.1:\d+$/),
    });
    expect((await stat(credentials)).mode & 0o777).toBe(0o600);
    const { url, tokens, apps } = z
      .object({
        url: z.string(),
        tokens: z.record(z.string(), z.string()),
        apps: z.array(z.object({ slug: z.string(), private_key: z.string() })),
      })
      .parse(JSON.parse(await readFile(credentials, "utf8")));
    expect(apps).toMatchObject([{ slug: "stagewright", private_key: expect.stringContaining("PRIVATE KEY") }]);
    const answer = await fetch(`${url}/api/v3/repos/acme/demo/pulls/1`, {
      headers: { authorization: `token ${tokens.alice}` },
    });
    expect(await answer.json()).toMatchObject({
      title: "Task 7",
      labels: [{ name: "bug" }],
      mergeable_state: "blocked",
    });
    const level = await fetch(`${url}/api/v3/repos/acme/demo/collaborators/bob/permission`, {
      headers: { authorization: `token ${tokens.alice}` },
    });
    expect(await level.json()).toMatchObject({ role_name: "maintain" });
    expect((await fetch(`${url}/acme/demo/blob/main/seed.json`)).status).toBe(200);
    const ended = new Promise((resolve) => child?.once("exit", resolve));
    child?.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  it.each([
    ["an unknown key", { ...seed, nonsense: 1 }, "nonsense"],
    ["a folder that is not there", seed, "files"],
    ["somebody who is not there", { users: [], repositories: [{ name: "x/y" }] }, "nobody is called x"],
  ])("refuses %s with exit 2", async (_what, value, told) => {
    const file = join(folder, "seed.json");
    await writeFile(file, JSON.stringify(value));
    expect(await run("--seed", file)).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });

  it("refuses bad options with exit 2", async () => {
    expect(await run("--port", "x")).toMatchObject({ code: 2, stderr: expect.stringContaining("--port") });
    expect(await run("--nope")).toMatchObject({ code: 2, stderr: expect.stringContaining("usage:") });
    expect(await run("--seed", join(folder, "none.json"))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("cannot be read"),
    });
  });

  it("is started by the command, ends on Ctrl-C with it, and when it is killed", async () => {
    const isThere = (url: string): Promise<boolean> =>
      fetch(url).then(
        () => true,
        () => false,
      );
    for (const signal of ["SIGINT", "SIGKILL"] as const) {
      const started = await startAs([command, "sandbox"]);
      const [url = ""] = "line" in started ? (/http:\S+/u.exec(started.line) ?? []) : [];
      expect(await isThere(url)).toBe(true);
      const ended = new Promise((resolve) => child?.once("exit", (code, by) => resolve(code ?? by)));
      child?.kill(signal);
      expect(await ended).toBe(signal === "SIGINT" ? 130 : "SIGKILL");
      while (await isThere(url)) await sleep(20);
    }
  });
});

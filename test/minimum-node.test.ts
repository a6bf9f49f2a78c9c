/** What README says of Node is what is tested, and an older one is told so in one line, wherever it is met. */
import { execFile } from "node:child_process";
import { accessSync, constants, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const run = promisify(execFile);
const manifest = z
  .object({
    engines: z.object({ node: z.string().regex(/^>=\d+$/u) }),
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(readFileSync("package.json", "utf8")));
const needed = Number(manifest.engines.node.slice(2));

/** The machine's own Node, if it is an older one: npm puts the checkout's before it. */
function olderNode(): string | null {
  const found = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"))
    .map((folder) => join(folder, "node"))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  return found ?? null;
}

/** Says that it is an older one: where a machine has none, what is tested is at least what is said then. */
const PRETEND = `data:text/javascript,${encodeURIComponent('Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });')}`;

describe("the lowest Node", () => {
  it("is the one that the tests run on, the checkout brings, and the action asks for", () => {
    expect(Number(process.versions.node.split(".")[0])).toBe(needed);
    expect(manifest.devDependencies.node).toMatch(new RegExp(`^\\^${needed}\\.`, "u"));
    const action = z.object({ runs: z.object({ using: z.string() }) }).parse(parse(readFileSync("action.yml", "utf8")));
    expect(action.runs.using).toBe(`node${needed}`);
    const table = /## What it needs\n(?<table>.*?)\n## /su.exec(readFileSync("README.md", "utf8"))?.groups?.table ?? "";
    expect(table.match(/Node \d+/gu)).toEqual(["Node 20", `Node ${needed}`, `Node ${needed}`, `Node ${needed}`]);
  });

  it.each([
    [
      "the app",
      ["-r", "app/settings/minimum-node.cjs", "app/main.ts"],
      /the app needs Node (\d+) or later, this is [\d.]+: "npm ci"/,
    ],
    ["npm start", ["-r", "app/settings/minimum-node.cjs", "app/demo/start.ts"], /the app needs Node (\d+) or later/],
    [
      "the command",
      ["dist/cli/index.js", "validate", "x.yml"],
      /stagewright needs Node (\d+) or later, .*npx node@24 \//,
    ],
  ])("is asked for by %s in one line, from any folder", async (_, words, message) => {
    const older = olderNode();
    const version = older === null ? "" : (await run(older, ["--version"])).stdout;
    const real = older !== null && Number(/\d+/u.exec(version)?.[0]) < needed;
    const cwd = mkdtempSync(join(tmpdir(), "older-node-"));
    try {
      const program = real ? [older] : [process.execPath, "--import", PRETEND];
      const files = words.map((word) => (word.includes("/") ? resolve(word) : word));
      const [node = "", ...args] = [...program, ...files];
      const failure: unknown = await run(node, args, { cwd, env: { PATH: "" } }).catch((error: unknown) => error);
      const { code, stderr } = z.object({ code: z.number(), stderr: z.string() }).parse(failure);
      expect(stderr).toMatch(message);
      expect(message.exec(stderr)?.[1]).toBe(String(needed));
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(code).toBe(2);
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  });
});

it("what the app and the command load is installed without the tools of development", () => {
  const builtin = new Set([...builtinModules, "sqlite"]);
  const missing = new Set<string>();
  let seen = 0;
  for (const file of globSync(["app/**/*.ts", "src/**/*.ts"])) {
    const text = readFileSync(file, "utf8");
    const loads = [
      ...text.matchAll(/^(?:import|export)(?<types> type)?[^;"]*?from "(?<name>[^"]+)";/gmu),
      ...text.matchAll(/\bimport\("(?<name>[^"]+)"\)/gu),
    ];
    for (const { groups } of loads) {
      const name = groups?.name ?? "";
      const typesOnly = groups?.types !== undefined;
      const own = name.startsWith(".") || name.startsWith("node:") || builtin.has(name);
      const parts = name.split("/").slice(0, name.startsWith("@") ? 2 : 1);
      if (!own) seen += 1;
      if (!own && !typesOnly && !Object.hasOwn(manifest.dependencies, parts.join("/"))) missing.add(`${file}: ${name}`);
    }
  }
  expect([...missing]).toEqual([]);
  expect(seen).toBeGreaterThan(50);
});

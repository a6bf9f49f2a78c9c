/** The rules of what may be used where (biome.jsonc, scripts/layout.ts) find a breach of each, and nothing else. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { layoutProblems } from "../../scripts/layout.ts";

const ROOT = join(import.meta.dirname, "../..");

/** One breach a file -> what finds it. */
const PLANTED: Readonly<Record<string, readonly [breach: string, rule: string]>> = {
  "src/github/circle.ts": ['import { two } from "./back.ts";\nexport const one = (): number => two;', "noImportCycles"],
  "src/github/back.ts": [
    'import type { one } from "./circle.ts";\nexport const two: number = 0 satisfies ReturnType<typeof one>;',
    "noImportCycles",
  ],
  "src/coordinator/app.ts": ['export { x } from "../../app/work/x.ts";', "noRestrictedImports"],
  "src/coordinator/app-later.ts": ['export const x = await import("../../app/work/x.ts");', "noRestrictedImports"],
  "src/coordinator/app-type.ts": ['export type X = import("../../app/work/x.ts").X;', "at the top of the file"],
  "src/plan/file.ts": ['export { readFileSync } from "node:fs";', "noRestrictedImports"],
  "src/run/stage/file.ts": ['export type { FileHandle } from "node:fs/promises";', "noRestrictedImports"],
  "src/report/sdk.ts": ['export { Octokit } from "probot";', "noRestrictedImports"],
  "src/lifecycle/facts/room.ts": ['export { x } from "../../agent/x.ts";', "noRestrictedImports"],
  "src/lifecycle/root.ts": ['export { unguessable } from "../random.ts";', "noRestrictedImports"],
  "src/lifecycle/facts/root.ts": ['export { unguessable } from "../../random.ts";', "noRestrictedImports"],
  "src/plan/random-bytes.ts": ['export { randomBytes } from "node:crypto";', "noRestrictedImports"],
  "src/run/now.ts": ["export const x = Date.now();", "noJsRestrictedProperties"],
  "src/run/new-date.ts": ["export const x = new Date();", "reads no clock"],
  "src/run/stage/timer.ts": ["export const x = setTimeout(() => undefined, 1);", "noRestrictedGlobals"],
  "src/report/random.ts": ["export const x = Math.random();", "noJsRestrictedProperties"],
  "src/report/process.ts": ["export const x = process.cwd();", "noRestrictedGlobals"],
  "src/report/through-global.ts": ["export const x = globalThis.Math.random();", "noRestrictedGlobals"],
  "app/work/sql.ts": ['export { sql } from "kysely";', "speaks SQL"],
  "app/work/sqlite.ts": ['export const x = await import("node:sqlite");', "speaks SQL"],
  "src/coordinator/sqlite.ts": ['export type { DatabaseSync } from "node:sqlite";', "speaks SQL"],
  "app/work/client.ts": ['export { Octokit } from "@octokit/rest";', "talks to GitHub"],
  "src/action/client.ts": ['export const x = await import("@actions/github");', "talks to GitHub"],
  "app/work/route.ts": ['export const x = "GET /repos/{owner}/{repo}";', "talks to GitHub"],
  "app/work/route-of.ts": [
    "export const x = (name: string): string => `POST /repos/${name}/labels`;",
    "talks to GitHub",
  ],
  "app/work/query.ts": ["export const x = `\n  query ($id: ID!) { node(id: $id) { id } }`;", "talks to GitHub"],
  "src/coordinator/spawn.ts": ['export { spawn } from "node:child_process";', "starts a plan's commands"],
  "app/work/variable.ts": ["export const x = process.env.HOME;", "noProcessEnv"],
  "src/agent/set-variable.ts": ['process.env.HOME = "/";', "noProcessEnv"],
  "src/cli/exit.ts": ["process.exit(1);", "noProcessExit"],
  "src/cli/exit-code.ts": ["process.exitCode = 1;", "sets the exit code"],
  "src/cli/exit-code-or.ts": ["process.exitCode ||= 1;", "sets the exit code"],
};

/** The same where it belongs, and what only looks like it. */
const ALLOWED: Readonly<Record<string, string>> = {
  "app/work/x.ts": 'import { y } from "../../src/agent/y.ts";\nexport const x: number = y;\nexport type X = number;',
  "app/store/sql.ts": 'export { sql } from "kysely";\nexport { DatabaseSync } from "node:sqlite";',
  "src/agent/y.ts": "export const y: number = Date.now() + Math.random();",
  "src/agent/process/spawn.ts": 'export { spawn } from "node:child_process";',
  "src/github/request.ts":
    'export { Octokit } from "@octokit/rest";\nexport const x = ["GET /user", `query { viewer { login } }`];',
  "src/plan/read.ts":
    'import { createHash } from "node:crypto";\nimport { parse } from "yaml";\nimport { z } from "zod";\nimport { date } from "./parsing/date.ts";\nexport const x = [createHash, parse, z, date];',
  "src/plan/parsing/date.ts":
    'export { limit } from "../limit.ts";\nexport const date = (at: number): Date => new Date(at);',
  "src/plan/limit.ts": 'export type { X } from "../run/x.ts";\nexport const limit = Math.max(1, 2);',
  "src/run/x.ts": "export type X = number;",
  "src/action.ts": "process.exitCode = Number(process.env.CODE);\nprocess.exit();",
  "app/main.ts": 'process.env.A ??= "1";\nprocess.exitCode = 1;',
};

const reported = z.object({
  diagnostics: z.array(
    z.object({
      category: z.string(),
      severity: z.string(),
      message: z.string(),
      location: z.object({ path: z.string() }),
    }),
  ),
});

describe("the linter", () => {
  let folder = "";
  const found = new Map<string, string>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "stagewright-rules-"));
    for (const part of ["biome.jsonc", "scripts/lint"])
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    const files = { ...Object.fromEntries(Object.entries(PLANTED).map(([file, [text]]) => [file, text])), ...ALLOWED };
    for (const [file, text] of Object.entries({ ...files, ".gitignore": "" })) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), `${text}\n`);
    }
    const args = ["lint", "--colors=off", "--max-diagnostics=none", "--reporter=json"];
    const ended = await promisify(execFile)(join(ROOT, "node_modules/.bin/biome"), args, { cwd: folder }).then(
      () => ({ code: 0, stdout: "" }),
      (error: unknown) => z.object({ code: z.number(), stdout: z.string() }).parse(error),
    );
    expect(ended.code).toBe(1);
    for (const each of reported.parse(JSON.parse(ended.stdout)).diagnostics) {
      const { path } = each.location;
      if (each.severity === "error") found.set(path, `${found.get(path) ?? ""}${each.category}: ${each.message}\n`);
    }
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(Object.entries(PLANTED))("refuses what stands in %s", (file, [, rule]) => {
    expect(found.get(file)).toContain(rule);
  });

  it("takes the same where it belongs", () => {
    expect(Object.keys(ALLOWED).filter((file) => found.has(file))).toEqual([]);
  });
});

describe("the layout", () => {
  const exceptions = { full: {}, long: {} };
  const folder = (name: string, count: number): [string, number][] =>
    Array.from({ length: count }, (_, index) => [`${name}/file-${index}.ts`, 1]);

  it.each([
    ["a file of more than 350 lines", [["src/run/long.ts", 351]], "src/run/long.ts: 351 of at most 350 lines"],
    ["a folder of more than 15 files", folder("src/agent", 16), "src/agent: 16 of at most 15 files"],
    ["a file more at the root of app/", [["app/helpers.ts", 1]], "app/helpers.ts: the root of app/"],
    ["a folder in a folder of a pure room", [["src/run/stage/more/a.ts", 1]], "src/run/stage/more/a.ts: a pure room"],
  ] as const)("refuses %s", (_, files, problem) => {
    expect(layoutProblems(new Map(files), exceptions)).toEqual([expect.stringContaining(problem)]);
  });

  it("takes what is within its bounds", () => {
    const files = new Map([...folder("src/run/stage", 15), ["app/main.ts", 350], ["src/run/machine.ts", 1]] as const);
    expect(layoutProblems(files, exceptions)).toEqual([]);
  });

  it("lets an exception neither grow nor outlive its reason", () => {
    const files = new Map([
      ["src/a/long.ts", 401],
      ["src/a/short.ts", 350],
    ]);
    expect(layoutProblems(files, { full: {}, long: { "src/a/long.ts": 400, "src/a/short.ts": 400 } })).toEqual([
      expect.stringContaining("src/a/long.ts: 401 of at most 400 lines"),
      expect.stringContaining("src/a/short.ts needs no exception"),
    ]);
  });
});

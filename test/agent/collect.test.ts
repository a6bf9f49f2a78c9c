import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { beyond, Collector, saidOf } from "../../src/agent/collect/collector.ts";
import { safeFileName } from "../../src/agent/collect/file-name.ts";
import { findFiles } from "../../src/agent/collect/find-files.ts";
import type { AgentEvent } from "../../src/agent/log.ts";
import { COLLECT_BOUNDS } from "../../src/plan/bounds.ts";
import { PLAIN_STAGE } from "../plan/builders.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "stagewright-collect-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, content = path): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

describe("a name as a file's name", () => {
  it.each([
    ["train-0", "train-0"],
    [".log", ".log"],
    ["a b.json", "a b.json"],
    ["größe 😀", "größe 😀"],
  ])("stays what it can: %s", (name, expected) => expect(safeFileName(name)).toBe(expected));

  it.each([
    ["..", /^-[0-9a-f]{8}$/],
    [".", /^-[0-9a-f]{8}$/],
    ["", /^-[0-9a-f]{8}$/],
    ["a/../../b", /^a_\.\._\.\._b-[0-9a-f]{8}$/],
    ["a:b\n?", /^a_b__-[0-9a-f]{8}$/],
    ["a. ", /^a-[0-9a-f]{8}$/],
    ["😀".repeat(60), /^😀{47}-[0-9a-f]{8}$/u],
  ])("is cut and changed where it cannot: %j", (name, expected) => expect(safeFileName(name)).toMatch(expected));

  it("differs where the names do", () => {
    const names = ["a/b", "a_b", "a:b", "..", ".", "x".repeat(300), "x".repeat(301)];
    expect(new Set(names.map(safeFileName)).size).toBe(names.length);
  });
});

describe("what may be kept", () => {
  const { files, bytes, runFiles, runBytes } = COLLECT_BOUNDS;
  const none = { files: 0, bytes: 0 };
  it.each([
    [none, none, bytes, null],
    [none, none, bytes + 1, "beyond 256 MiB of a stage"],
    [none, { files: files - 1, bytes: 0 }, 0, null],
    [none, { files, bytes: 0 }, 0, "beyond 1000 files of a stage"],
    [{ files: runFiles, bytes: 0 }, none, 0, "beyond 10000 files of a run"],
    [{ files: 0, bytes: runBytes - 1 }, none, 1, null],
    [{ files: 0, bytes: runBytes }, none, 1, "beyond 1024 MiB of a run"],
  ])("%j and %j and %d bytes: %s", (others, part, size, expected) =>
    expect(beyond([others, part], part, size)).toBe(expected),
  );

  it("is said of what may not be, ten of each kind by name", () => {
    const many = Array.from({ length: 12 }, (_, at) => ({ path: `f${at}\u001b[2J`, why: "too much" }));
    expect(saidOf([...many, { path: "x", why: "no file" }])).toEqual([
      'collect: 12 left out, too much: "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9" and 2 more',
      'collect: 1 left out, no file: "x"',
    ]);
  });
});

describe("looking for files", () => {
  const find = async (...patterns: string[]) => {
    const found = await findFiles(root, patterns, join(root, "kept"), new AbortController().signal);
    return { ...found, files: found.files.map(({ path }) => path) };
  };
  beforeEach(() => {
    for (const path of ["a.log", "out/b.log", "out/deep/c.json", "out/.secret", ".git/config", "kept/x.log"]) put(path);
    put("stagewright-collected/before/a.log");
    put("[1].log");
  });

  it.each([
    [["a.log"], ["a.log"]],
    [["./out/"], ["out/b.log", "out/deep/c.json"]],
    [["*.log"], ["[1].log", "a.log"]],
    [["**/*.log"], ["[1].log", "a.log", "out/b.log"]],
    [["out/*"], ["out/b.log", "out/deep/c.json"]],
    [["out/.secret"], ["out/.secret"]],
    [[".git"], [".git/config"]],
    [["{a.log,out/deep/*}"], ["a.log", "out/deep/c.json"]],
    [["\\[1\\].log"], ["[1].log"]],
    [
      ["a.log", "*.log"],
      ["[1].log", "a.log"],
    ],
    [["."], ["[1].log", "a.log", "out/b.log", "out/deep/c.json"]],
  ])("%j names %j", async (patterns, files) => {
    expect(await find(...patterns)).toEqual({ files, leftOut: [], unused: [], isCut: false });
  });

  it("says what is not there, and follows nothing out of the directory", async () => {
    symlinkSync("/etc", join(root, "out/etc"));
    symlinkSync("/etc/passwd", join(root, "passwd"));
    symlinkSync("../a.log", join(root, "out/link.log"));
    symlinkSync("deep", join(root, "out/folder"));
    symlinkSync("nothing", join(root, "out/gone"));
    symlinkSync(".", join(root, "out/self"));
    expect(await find("passwd", "out/**", "etc/*", "out/etc/passwd")).toEqual({
      files: ["out/b.log", "out/deep/c.json", "out/link.log"],
      leftOut: [
        { path: "out/etc", why: "a link out of the working directory" },
        { path: "out/folder", why: "a link to a folder" },
        { path: "out/gone", why: "a link that leads nowhere (ENOENT)" },
        { path: "out/self", why: "a link to a folder" },
        { path: "passwd", why: "a link out of the working directory" },
      ],
      unused: ["etc/*", "out/etc/passwd"],
      isCut: false,
    });
  });
});

describe("keeping files", () => {
  it("puts them by agent, stage and round, in place of those of the attempt before", async () => {
    const events: AgentEvent[] = [];
    const warnings: string[] = [];
    const kept = join(root, "kept");
    const collector = new Collector(kept, "a/b", (event) => events.push(event));
    const stage = { ...PLAIN_STAGE, name: "load", collect: ["*.txt"] };
    const collect = (attempt: string) => collector.collect(stage, attempt, root, (text) => warnings.push(text));
    put("one.txt");
    await collect("0.1.0.1");
    rmSync(join(root, "one.txt"));
    put("two.txt");
    put("a:b.txt");
    await collect("0.1.0.2");
    put("three.txt");
    await collect("0.2.0.1");
    const agent = safeFileName("a/b");
    const other = safeFileName("a:b.txt");
    expect(readdirSync(kept, { recursive: true }).sort()).toEqual(
      ["", `/load`, `/load/${other}`, "/load/round-2", `/load/round-2/${other}`]
        .concat(["/load/round-2/three.txt", "/load/round-2/two.txt", "/load/two.txt"])
        .map((path) => `${agent}${path}`)
        .sort(),
    );
    expect(warnings).toEqual([]);
    expect(events.map((event) => (event.kind === "collected" ? [event.kept.length, event.bytes] : null))).toEqual([
      [1, 7],
      [2, 14],
      [3, 23],
    ]);
    rmSync(join(root, "three.txt"));
    writeFileSync(join(root, "three.txt"), "");
    const another = new Collector(kept, "a/b", () => undefined);
    await another.collect(stage, "0.2.0.1", root, (text) => warnings.push(text));
    expect(warnings).toEqual([expect.stringContaining("collect: 3 left out, not copied (EEXIST): ")]);
  });
});

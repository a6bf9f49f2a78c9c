import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  annotationsOf,
  batches,
  checkAnnotation,
  commandLine,
  hiddenLine,
  limited,
  problemAnnotations,
  type ReportAnnotation,
  repositoryPath,
} from "../../src/report/annotations.ts";
import { agentPhase, failed, phase, report } from "./builders.ts";

const failure = {
  verdict: "failure",
  status: "failed",
  failedStage: "save",
  message: "save failed: exit code 3",
} as const;

function many(n: number, level: ReportAnnotation["level"] = "warning"): ReportAnnotation[] {
  return Array.from({ length: n }, (_, i) => ({
    path: "a.ts",
    line: i + 1,
    column: null,
    level,
    title: "t",
    message: "m",
    details: null,
  }));
}

describe("annotationsOf", () => {
  it("points at the failing stage's line in the plan, with the reason and the last lines of output", () => {
    const [annotation] = annotationsOf(
      report({}, { ...failure, phases: [phase(), failed("save", { line: 12, column: 7 })] }),
    );
    expect(annotation).toEqual({
      path: "plans/train.yml",
      line: 12,
      column: 7,
      level: "failure",
      title: "save: failed",
      message: "exit code 3",
      details: "saving…\ndisk full",
    });
  });

  it("names the failing agents of a group, not the others", () => {
    const agents = [
      agentPhase({ agent: "t-2", index: 2, status: "lost", reason: "silent for 30 s" }),
      agentPhase({ agent: "t-0", index: 0 }),
      agentPhase({ agent: "t-1", index: 1, status: "failure", reason: "exit code 3", attempts: 2, tail: "boom" }),
    ];
    const [annotation] = annotationsOf(
      report({}, { ...failure, phases: [failed("save", { agents, reason: "2 of 3 failed" })] }),
    );
    expect(annotation?.message).toBe("2 of 3 failed\nt-1: exit code 3 (2 attempts)\nt-2: silent for 30 s");
    expect(annotation?.details).toBe("boom");
  });

  it("counts the agents beyond the first twenty", () => {
    const agents = Array.from({ length: 30 }, (_, index) =>
      agentPhase({ agent: `t-${index}`, index, status: "failure" }),
    );
    const [annotation] = annotationsOf(report({}, { ...failure, phases: [failed("save", { agents })] }));
    expect(annotation?.message.split("\n").at(-1)).toBe("and 10 more");
  });

  it("warns of an optional stage that failed, after the failures", () => {
    const phases = [failed("wipe", { optional: true, status: "warning" }), failed("save")];
    const levels = annotationsOf(report({}, { ...failure, phases })).map(({ level, title }) => [level, title]);
    expect(levels).toEqual([
      ["failure", "save: failed"],
      ["warning", "wipe: failed (optional)"],
    ]);
  });

  it("points at the plan's first line when no stage is to blame", () => {
    const [annotation] = annotationsOf(
      report({}, { ...failure, failedStage: null, message: "agent-3 never came", phases: [] }),
    );
    expect(annotation).toMatchObject({
      path: "plans/train.yml",
      line: 1,
      level: "failure",
      message: "agent-3 never came",
    });
  });

  it("has nothing to say of a run in which all went well", () => {
    expect(annotationsOf(report())).toEqual([]);
  });

  it("carries the commands' own annotations, with paths relative to the checkout", () => {
    const own = { line: 4, level: "warning", title: null, message: "slow", agent: "train-0" } as const;
    const annotations = [
      { ...own, path: "/home/runner/work/repo/repo/src/a.ts" },
      { ...own, path: "./src/../src/b.ts" },
      { ...own, path: "/etc/passwd" },
    ];
    const shown = annotationsOf(report({}, { phases: [phase({ annotations, line: 9 })] }));
    expect(shown.map(({ path, line, title, message }) => [path, line, title, message])).toEqual([
      ["src/a.ts", 4, "preflight", "slow"],
      ["src/b.ts", 4, "preflight", "slow"],
      ["plans/train.yml", 9, "preflight", "/etc/passwd:4: slow"],
    ]);
  });

  it("keeps to GitHub's limits and has no control characters, whatever commands print", () => {
    const text = fc.string({ unit: "binary", maxLength: 3000 });
    fc.assert(
      fc.property(text, text, text, fc.integer(), (name, reason, tail, line) => {
        const own = { path: reason, line, level: "failure", title: name, message: tail, agent: "a" } as const;
        const big = { tail: tail.repeat(20), reason: reason.repeat(5), status: "failure" } as const;
        const record = failed(name, { reason: reason.repeat(9), agents: [agentPhase(big)], annotations: [own] });
        for (const annotation of annotationsOf(report({}, { ...failure, phases: [record] }))) {
          expect(annotation.title.length).toBeLessThanOrEqual(255);
          expect(annotation.message.length).toBeGreaterThan(0);
          expect(Buffer.byteLength(annotation.message)).toBeLessThanOrEqual(64 * 1024);
          expect(Buffer.byteLength(annotation.details ?? "")).toBeLessThanOrEqual(64 * 1024);
          expect(annotation.line).toBeGreaterThanOrEqual(1);
          expect(annotation.path).toMatch(/^[^/]/u);
          expect(`${annotation.title}${annotation.message}${annotation.details}`).not.toMatch(/(?![\n\t])\p{Cc}/u);
        }
      }),
    );
  });
});

describe("limits", () => {
  it.each([
    [0, []],
    [50, [50]],
    [51, [50, 1]],
    [160, [50, 50, 50, 10]],
  ])("%i annotations go out in batches of at most 50", (n, sizes) => {
    expect(batches(many(n)).map((batch) => batch.length)).toEqual(sizes);
    expect(batches(many(n)).flat()).toEqual(many(n));
  });

  it("shows ten of each level as workflow commands and counts the rest", () => {
    const { shown, hidden } = limited([...many(22, "failure"), ...many(3, "notice")], { perLevel: 10 });
    expect(shown).toHaveLength(13);
    expect(hiddenLine(hidden)).toBe("12 annotations not shown");
  });

  it("shows so many in all", () => {
    expect(limited(many(501), { total: 500 })).toMatchObject({ hidden: 1 });
    expect(hiddenLine(1)).toBe("1 annotation not shown");
    expect(hiddenLine(0)).toBeNull();
  });
});

describe("forms", () => {
  const annotation: ReportAnnotation = {
    path: "plans/a,b.yml",
    line: 3,
    column: 5,
    level: "failure",
    title: "save: failed",
    message: "exit code 3\nno space",
    details: "1\n2\n3\n4\n5\n6\n7",
  };

  it("is what the check-runs API takes", () => {
    expect(checkAnnotation(annotation)).toEqual({
      path: "plans/a,b.yml",
      start_line: 3,
      end_line: 3,
      start_column: 5,
      end_column: 5,
      annotation_level: "failure",
      title: "save: failed",
      message: "exit code 3\nno space",
      raw_details: "1\n2\n3\n4\n5\n6\n7",
    });
    expect(checkAnnotation({ ...annotation, column: null, details: null })).not.toHaveProperty("start_column");
  });

  it("is a workflow command with the last five lines of output", () => {
    expect(commandLine(annotation)).toBe(
      "::error title=save%3A failed,file=plans/a%2Cb.yml,line=3,col=5::exit code 3%0Ano space%0A3%0A4%0A5%0A6%0A7",
    );
  });

  it("stands at the place of each problem of a plan", () => {
    const problem = { severity: "error", file: "p.yml", line: 2, column: 3, message: "unknown key" } as const;
    expect(problemAnnotations([problem])).toMatchObject([{ path: "p.yml", line: 2, column: 3, level: "failure" }]);
  });
});

describe("repositoryPath", () => {
  it.each([
    ["src/a.ts", "/w", "src/a.ts"],
    ["/w/src/a.ts", "/w", "src/a.ts"],
    ["/w/src/a.ts", "/w/", "src/a.ts"],
    ["/wide/a.ts", "/w", null],
    ["../a.ts", "/w", null],
    ["a/../../b", "/w", null],
    ["", "/w", null],
    ["a//./b", null, "a/b"],
    ["D:\\repo\\src\\a.ts", "D:\\repo", "src/a.ts"],
    ["C:\\x.ts", "D:\\repo", null],
  ])("%j in %j is %j", (path, workspace, expected) => {
    expect(repositoryPath(path, workspace)).toBe(expected);
  });
});

import { describe, expect, it } from "vitest";
import {
  annotationsOf,
  commandLine,
  limited,
  problemAnnotations,
  repositoryPath,
} from "../../src/report/annotations.ts";
import type { PhaseRecord } from "../../src/run/result/record.ts";
import { agentPhase, failed, phase, report } from "./builders.ts";

describe("annotations", () => {
  const one = (record: PhaseRecord, overrides: Partial<Parameters<typeof report>[0]> = {}) =>
    annotationsOf(report(overrides, { verdict: "success", phases: [record] }));

  it.each<[Partial<PhaseRecord>, string, string | undefined]>([
    [{ status: "failure" }, "failure", "save: failed"],
    [{ status: "cancelled" }, "warning", "save: cancelled"],
    [{ status: "warning", optional: true }, "warning", "save: failed (optional)"],
    [{ status: "warning" }, "warning", "save: warning"],
    [{ status: "warning", optional: true, agents: [agentPhase()] }, "warning", "save: warning"],
  ])("%o", (overrides, level, title) => {
    expect(one(failed("save", overrides))).toMatchObject([{ level, title }]);
  });

  it.each<PhaseRecord["status"]>(["success", "skipped"])("none of a stage that is %s", (status) => {
    expect(one(phase({ status }))).toEqual([]);
  });

  it("a run that failed beside its stages has one of its own, one with a failed stage has not", () => {
    const run = { verdict: "failure", status: "failed", message: "too late" } as const;
    expect(annotationsOf(report({}, run))).toMatchObject([
      { title: "run failed", line: 1, column: null, details: null },
    ]);
    expect(annotationsOf(report({}, { ...run, phases: [failed("save")] })).map(({ title }) => title)).toEqual([
      "save: failed",
    ]);
    expect(annotationsOf(report({}, { ...run, verdict: "cancelled" }))).toEqual([]);
  });

  it("a stage without a reason says its status, one agent's line is left out", () => {
    expect(one(failed("save", { reason: null }))[0]?.message).toBe("failure");
  });

  it("twenty agents are named, and the last lines of three", () => {
    const agents = Array.from({ length: 20 }, (_, index) =>
      agentPhase({ agent: `a-${index}`, index, status: "failure", tail: `${index}\nout` }),
    );
    const [annotation] = one(failed("save", { agents, reason: "r" }));
    expect(annotation?.message.split("\n")).toHaveLength(21);
    expect(annotation?.message).not.toContain("more");
    const more = [...agents, agentPhase({ agent: "a-20", index: 20, status: "lost" })];
    expect(
      one(failed("save", { agents: more }))[0]
        ?.message.split("\n")
        .slice(-2),
    ).toEqual(["a-19: failure", "and 1 more"]);
    expect(annotation?.details).toBe("── a-0\n0\nout\n\n── a-1\n1\nout\n\n── a-2\n2\nout");
  });

  it("fifteen lines of output, whole ones", () => {
    const tail = (lines: number, length: number) =>
      Array.from({ length: lines }, (_, line) => `${line}`.padEnd(length, "x")).join("\n");
    const details = (text: string) =>
      one(failed("save", { agents: [agentPhase({ status: "failure", tail: text })] }))[0]?.details;
    expect(details(tail(20, 3))?.split("\n")).toHaveLength(15);
    expect(details(tail(20, 3))?.startsWith("5xx\n")).toBe(true);
    // 15 lines of 2,000 characters are more than 16,000: the first ones go.
    expect(
      details(tail(20, 2000))
        ?.split("\n")
        .map((line) => line.length),
    ).toEqual(Array.from({ length: 7 }, () => 2000));
    // As long as it may be, and one more.
    const seven = tail(7, 2000);
    expect(details(`${"y".repeat(1_993)}\n${seven}`)).toBe(`${"y".repeat(1_993)}\n${seven}`);
    expect(details(`${"y".repeat(1_994)}\n${seven}`)).toBe(seven);
    expect(details(" \n ")).toBeNull();
    const silent = Array.from({ length: 3 }, (_, index) => agentPhase({ index, status: "failure", tail: " \n" }));
    const loud = agentPhase({ agent: "a-3", index: 3, status: "failure", tail: "out" });
    expect(one(failed("save", { agents: [...silent, loud] }))[0]?.details).toBe("out");
  });

  it("a command's own: who said it, where, and what it called it", () => {
    const own = { path: "a.ts", line: 0.5, level: "notice", title: null, message: "m", agent: "x" } as const;
    const both = phase({ agents: [agentPhase(), agentPhase({ agent: "x", index: 1 })], annotations: [own] });
    expect(one(both)).toMatchObject([
      { path: "a.ts", line: 1, column: null, level: "notice", title: "preflight, x", message: "m", details: null },
    ]);
    expect(one({ ...both, annotations: [{ ...own, title: "t", line: 2.9 }] })).toMatchObject([{ title: "t", line: 2 }]);
    expect(one({ ...both, annotations: [{ ...own, path: "" }] })).toMatchObject([
      { path: "plans/train.yml", line: 3, column: 5, message: "m" },
    ]);
    expect(one({ ...both, annotations: [{ ...own, message: " \n" }] })).toMatchObject([{ message: "(no message)" }]);
  });

  it("worst first, the stages' own before their commands'", () => {
    const own = (level: "notice" | "warning" | "failure") =>
      ({ path: "a", line: 1, level, title: level, message: "m", agent: "x" }) as const;
    const phases = [
      phase({ status: "warning", name: "w", annotations: [own("notice"), own("failure"), own("warning")] }),
      failed("f"),
    ];
    expect(annotationsOf(report({}, { phases })).map(({ title }) => title)).toEqual([
      "f: failed",
      "failure",
      "w: warning",
      "warning",
      "notice",
    ]);
  });

  it("problems of a plan and of a policy", () => {
    const problem = { file: "p.yml", line: 2, column: 3, message: "unknown key" };
    expect(
      problemAnnotations(
        [
          { ...problem, severity: "error" },
          { ...problem, severity: "warning" },
        ],
        "policy",
      ),
    ).toEqual([
      {
        path: "p.yml",
        line: 2,
        column: 3,
        level: "failure",
        title: "invalid policy",
        message: "unknown key",
        details: null,
      },
      { path: "p.yml", line: 2, column: 3, level: "warning", title: "policy", message: "unknown key", details: null },
    ]);
    expect(problemAnnotations([{ ...problem, severity: "error" }])).toMatchObject([{ title: "invalid plan" }]);
  });

  it("as many as may be shown, of each level and in all", () => {
    const list = annotationsOf(
      report({}, { phases: [failed("a"), failed("b"), failed("c"), phase({ name: "w", status: "warning" })] }),
    );
    expect(limited(list, { perLevel: 2 }).shown.map(({ title }) => title)).toEqual([
      "a: failed",
      "b: failed",
      "w: warning",
    ]);
    expect(limited(list, { perLevel: 2 }).hidden).toBe(1);
    expect(limited(list, { total: 2 })).toEqual({ shown: list.slice(0, 2), hidden: 2 });
    expect(limited(list, {})).toEqual({ shown: list, hidden: 0 });
  });

  it("as workflow commands, with or without output", () => {
    const base = { path: "a", line: 3, column: null, title: "t", message: "m" };
    expect(commandLine({ ...base, level: "warning", details: null })).toBe("::warning title=t,file=a,line=3::m");
    expect(commandLine({ ...base, level: "notice", details: "1\n2" })).toBe(
      "::notice title=t,file=a,line=3::m%0A1%0A2",
    );
    expect(commandLine({ ...base, level: "failure", message: "m".repeat(5000), details: null })).toHaveLength(
      "::error title=t,file=a,line=3::".length + 4000,
    );
  });

  it.each<[string, string | null, string | null]>([
    ["/w/a/../b", "/w", "b"],
    ["a/..", null, null],
    ["./.", null, null],
    ["/w", "/w", null],
    ["//w/a", "//w", "a"],
    ["/w/a", "/w//", "a"],
    ["a\\b", "/w", "a\\b"],
    ["D:/x", null, null],
    ["a:b/c", null, "a:b/c"],
    [" a\nb ", null, "a b"],
  ])("the path %j in %j is %j", (path, workspace, expected) => {
    expect(repositoryPath(path, workspace)).toBe(expected);
  });
});

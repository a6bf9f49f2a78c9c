import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reportOfResult } from "../../src/report/record/from-result.ts";
import { resultJson } from "../../src/report/record/json.ts";
import { locateInJson } from "../../src/report/record/json-position.ts";
import { readResult } from "../../src/report/record/read-result.ts";
import { summaryOf } from "../../src/report/summary.ts";
import type { PhaseRound } from "../../src/run/result/record.ts";
import { positionAt } from "../../src/run/resume/json-error.ts";
import { agentPhase, failed, phase, report, T0 } from "./builders.ts";

const WHOLE = report(
  {},
  { verdict: "failure", failedStage: "save", message: "save failed", phases: [phase(), failed("save")] },
);
const TEXT = resultJson(WHOLE);
const read = (text: string | Uint8Array) => readResult(typeof text === "string" ? Buffer.from(text) : text, "r.json");

describe("a result that was written down", () => {
  it("is read as it was, and makes the same summary, but for output and lines that it does not have", () => {
    const { result, problems } = read(TEXT);
    expect(problems).toEqual([]);
    expect(result).toEqual(JSON.parse(TEXT));
    const summary = result === null ? "" : summaryOf(reportOfResult(result));
    expect(summary).toContain("❌ train: failed at save");
    expect(summary).toContain("| ✅ | preflight | 1.0 s |");
  });

  it("makes the record that it was made from, round by round", () => {
    const part = agentPhase({ end: null });
    const whole: PhaseRound = {
      ...{ status: "success", worked: true, reason: "r", startedAt: T0, completedAt: T0 + 1, retryCount: 2 },
      ...{ progress: null, metrics: [], tasks: null, agents: [part] },
      quorum: {
        ...{ decision: "RETRY", confidence: 0.5, weights: { pass: 0, retry: 1, fail: 0 }, leftOut: 3, exhausted: "e" },
        votes: [{ validator: "v", weight: 1, decision: "RETRY", confidence: 0.5, agent: "a", reason: null }],
        deficiencies: [{ validator: "v", deficiency: { a: 1 } }],
      },
    };
    const { quorum: _none, ...other } = whole;
    const told = { line: 1, column: 1, annotations: [], earlier: [] };
    const phases = [
      phase({ ...told, ...whole, earlier: [{ ...whole, reason: null, startedAt: null }, other] }),
      phase({
        ...{ ...told, ...other, stage: 1, name: "b", description: "d", optional: true, order: 9 },
        ...{ histograms: { h: "AAAA" }, outputs: { a: [1] }, tasks: { done: 1, failed: 2, skipped: 3, total: 6 } },
        progress: { done: 1, total: null, errors: 2 },
      }),
    ];
    const { result } = read(resultJson(report({ stoppedAfter: "b" }, { phases, message: "m" })));
    if (result === null) throw new Error("no result");
    const { summary, workspace, ...rest } = reportOfResult(result);
    expect(summary.phases).toEqual(phases);
    expect(workspace).toBeNull();
    expect(rest).toEqual({
      ...{ planName: "train", planFile: "plans/train.yml", startedAt: T0, completedAt: T0 + 65_000, stoppedAfter: "b" },
    });
  });

  it.each<[string, string | Uint8Array, string]>([
    ["nothing", "", "1:1: not valid JSON"],
    ["a slip", '{"a": 1,\n x}', "2:2: not valid JSON"],
    ["half of it", TEXT.slice(0, 500), "not valid JSON"],
    ["bytes", new Uint8Array([0xc3, 0x28]), "1:1: the file is not text in UTF-8"],
    ["another JSON", "[1, 2]", "1:1: no result"],
    ["an older one", "{}", "1:1: no result"],
    [
      "a wrong value below an odd name",
      TEXT.replace('"params": {}', '"params": {"a\\nb": []}'),
      ": params.a\\nb: Invalid input",
    ],
    ["one word", '"schema_version"', "1:1: no result"],
    ["null", "null", "1:1: no result"],
    ["no version", '{"schema_version": null}', "1:1: no result"],
    [
      "more stages than any plan has",
      JSON.stringify({ ...JSON.parse(TEXT), phase_results: Array(1_001).fill(JSON.parse(TEXT).phase_results[0]) }),
      ": phase_results: Too big: expected array to have <=1000 items",
    ],
    ["a newer one", '{\n  "a": "schema_version",\n  "schema_version": 2\n}', "3:21: a result of version 2"],
    ["a wrong word", TEXT.replace('"status": "failure"', '"status": "sad"'), "phase_results.1.status: "],
    [
      "too deep",
      TEXT.replace('"output_data": {}', `"output_data": {"a": ${"[".repeat(5_000)}${"]".repeat(5_000)}}`),
      "phase_results.0.output_data.a: lists and mappings stand more than 100 deep",
    ],
    [
      "more values than any result has",
      `{"schema_version": 1, "a": [${`[${"1,".repeat(99_999)}1],`.repeat(20)}1]}`,
      "1:4000065: more than 2,000,000 values",
    ],
    [
      "more names in one mapping than any result has",
      `{"schema_version": 1, "a": {${'"b":1,'.repeat(200_000)}"b":1}}`,
      "1:1200028: more than 200,000 values in one list or mapping",
    ],
    ["lists in lists", "[".repeat(20_000), "1:10001: lists and mappings stand more than 10,000 deep"],
    [
      "a wrong value far into a large list",
      `{"schema_version": 1, "success": true, "plan": "p", "metrics": [${"{},".repeat(30_000)}{}]}`,
      "1:1: ",
    ],
    [
      "a long list of nothing",
      `{"schema_version": 1, "phase_results": [${"{},".repeat(199_000)}{}]}`,
      "1:1: success: ",
    ],
  ])("%s is told at its place", (_, text, message) => {
    const { result, problems } = read(text);
    expect(result).toBeNull();
    const [first] = problems;
    expect(`${first?.line}:${first?.column}: ${first?.message}`).toContain(message);
  });

  it("a wrong value is told at its own line and column", () => {
    const wrong = TEXT.replace('"status": "failure"', '"status": "sad"');
    const lines = wrong.split("\n");
    const line = lines.findIndex((each) => each.includes('"sad"')) + 1;
    expect(read(wrong).problems[0]).toMatchObject({ line, column: (lines[line - 1] ?? "").indexOf('"sad"') + 1 });
  });

  it("whatever the bytes are: a result, or a place", () => {
    const cut = fc.tuple(fc.nat(TEXT.length), fc.nat(TEXT.length), fc.string({ maxLength: 5 }));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.json().map((text) => Buffer.from(text)),
      cut.map(([from, to, put]) => Buffer.from(TEXT.slice(0, from) + put + TEXT.slice(to))),
    );
    fc.assert(
      fc.property(bytes, (content) => {
        const { result, problems } = readResult(content, "r.json");
        expect((result === null) === problems.length > 0).toBe(true);
        for (const { line, column, message } of problems) {
          expect([line > 0, column > 0, message.includes("\n")]).toEqual([true, true, false]);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("a place in a JSON text", () => {
  it("is that of the value at the path, however the text is laid out", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const visit = (at: unknown, path: readonly (string | number)[]): void => {
          const offset = locateInJson(text, path);
          expect(text.slice(offset).startsWith(JSON.stringify(at)?.slice(0, 1) ?? "")).toBe(true);
          if (typeof at !== "object") expect(text.startsWith(JSON.stringify(at), offset)).toBe(true);
          if (Array.isArray(at)) for (const [index, each] of at.entries()) visit(each, [...path, index]);
          else if (typeof at === "object" && at !== null) {
            for (const [key, each] of Object.entries(at)) visit(each, [...path, key]);
          }
        };
        visit(value, []);
      }),
      { numRuns: 200 },
    );
  });

  it("is counted from one", () => {
    expect([positionAt("a\nbc", 0), positionAt("a\nbc", 3), positionAt("\na\n", 0), positionAt("\na\n", 1)]).toEqual([
      { line: 1, column: 1 },
      { line: 2, column: 2 },
      { line: 1, column: 1 },
      { line: 2, column: 1 },
    ]);
  });
});

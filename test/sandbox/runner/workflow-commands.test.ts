import { describe, expect, test } from "vitest";
import { createMasks } from "../../../src/sandbox/runner/masks.ts";
import { type LineMeaning, workflowCommandReader } from "../../../src/sandbox/runner/workflow-commands.ts";

const read = (...lines: string[]): LineMeaning[] => {
  const reader = workflowCommandReader();
  return lines.map(reader);
};

test("an error carries file, place and title, unescaped", () => {
  expect(read("::error file=a%2Cb.ts,line=3,endLine=4,col=5,title=Too%3A big::one%0Atwo%25")).toEqual([
    {
      kind: "annotation",
      annotation: {
        level: "failure",
        path: "a,b.ts",
        startLine: 3,
        endLine: 4,
        startColumn: 5,
        endColumn: 5,
        title: "Too: big",
        message: "one\ntwo%",
      },
    },
  ]);
});

test("between stop-commands and its token nothing is a command", () => {
  const kinds = read("::stop-commands::t0k", "::error::no", "::other::", "::t0k::", "::error::yes").map(
    (one) => one.kind,
  );
  expect(kinds).toEqual(["stopped", "text", "text", "resumed", "annotation"]);
});

describe("what is a command", () => {
  test.each([
    ["  ::warning::x", "annotation"],
    ["x ::warning::x", "text"],
    ["::unknown::x", "text"],
    ["::error", "text"],
    ["::add-mask::s3cret", "mask"],
    ["::add-mask::", "ignored"],
    ["::debug::x", "ignored"],
    ["::set-env name=A::b", "refused"],
    ["::set-output name=a::b", "output"],
    ["::set-output::b", "refused"],
    ["::stop-commands::error", "refused"],
    ["::group::Title", "text"],
  ])("%j is %s", (line, kind) => {
    expect(read(line)[0]?.kind).toBe(kind);
  });
});

test("a message is cut at 4,096 characters", () => {
  const [meaning] = read(`::notice::${"x".repeat(5_000)}`);
  expect(meaning?.kind === "annotation" && meaning.annotation.message.length).toBe(4_096);
});

test("a secret is hidden in every spelling, and each of its lines", () => {
  const masks = createMasks(['pa"ss/word', "line one\nline two"]);
  const text = `pa"ss/word pa\\"ss/word ${encodeURIComponent('pa"ss/word')} ${btoa('pa"ss/word')} [line two]`;
  expect(masks.hide(text)).toBe("*** *** *** *** [***]");
});

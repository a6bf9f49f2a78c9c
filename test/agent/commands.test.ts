import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Masks, MOST_MASKS } from "../../src/agent/masking/masks.ts";
import { LineSplitter, printableLine, shortened, Tail } from "../../src/agent/output/lines.ts";
import { CommandReader } from "../../src/agent/output/workflow-commands.ts";

describe("workflow commands in output", () => {
  it.each([
    [
      "::error file=src/a.ts,line=3,title=Oh%3A no::first%0Asecond 100%25",
      {
        kind: "annotation",
        level: "failure",
        path: "src/a.ts",
        line: 3,
        title: "Oh: no",
        message: "first\nsecond 100%",
      },
    ],
    [
      "  ::warning::indented",
      { kind: "annotation", level: "warning", path: null, line: null, title: null, message: "indented" },
    ],
    [
      "::notice file=a%2Cb.ts,line=zero::a comma in the name",
      { kind: "annotation", level: "notice", path: "a,b.ts", line: null, title: null, message: "a comma in the name" },
    ],
    [
      "::error::http://x::y",
      { kind: "annotation", level: "failure", path: null, line: null, title: null, message: "http://x::y" },
    ],
    ["::add-mask::s3cret", { kind: "mask", value: "s3cret" }],
    ["::group::Install", { kind: "group", title: "Install" }],
    ["::endgroup::", { kind: "endgroup" }],
    ["::set-output name=a::b", null],
    ["::save-state name=a::b", null],
    ["error: not a command", null],
    ["text ::error::inside", null],
    ["::", null],
    ["::::", null],
    ["::error", null],
  ])("%s", (line, expected) => {
    expect(new CommandReader().read(line)).toEqual(expected);
  });

  it("stops at ::stop-commands:: until its token comes", () => {
    const reader = new CommandReader();
    const read = ["::stop-commands::let me", "::add-mask::a", "::other::", "::let me::", "::add-mask::b"].map((line) =>
      reader.read(line),
    );
    expect(read).toEqual([null, null, null, null, { kind: "mask", value: "b" }]);
  });
});

describe("masks", () => {
  it("hides values, the longer of two that begin alike whole, each line of several", () => {
    const masks = new Masks();
    masks.add("abc");
    masks.add("abc.def*");
    masks.add("first\nsecond line");
    expect(masks.text("x abc.def* abc first and second line abcdef")).toBe("x *** *** *** and *** ***def");
  });

  it("hides values in outputs: texts, numbers, keys, nested", () => {
    const masks = new Masks();
    masks.add("4711");
    expect(masks.json({ a: ["x4711y", 4711, 12, null, true], "4711": { b: "ok" } })).toEqual({
      a: ["x***y", "***", 12, null, true],
      "***": { b: "ok" },
    });
  });

  it("never shows what it was given (any text)", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(secret.trim() !== "" && !"***".includes(secret) && !/[\r\n]/.test(secret));
        const masks = new Masks();
        masks.add(secret);
        const shown = masks.text(`${before}${secret}${after}`);
        expect(shown.split("***").join("\u0000").includes(secret)).toBe(false);
      }),
    );
  });

  it.each(["x secret", "x secret \t ", "secret", " ", ""])("hides as much of a line with its end as of %j", (line) => {
    const masks = new Masks();
    masks.add("secret");
    masks.add("se cret");
    expect(masks.text(`${line}\n`)).toBe(`${masks.text(line)}\n`);
  });

  it("shows nothing any more when there is no room for a mask, and says so once", () => {
    const masks = new Masks();
    expect(masks.add("secret")).toBe("masked");
    expect(masks.add("x".repeat(MOST_MASKS.characters))).toBe("just full");
    expect(masks.add("y")).toBe("full");
    expect(masks.text("anything")).toBe("***");
    expect(masks.json({ key: ["text", 1, null] })).toEqual({ "***": ["***", "***", null] });
  });

  it("ignores empty values", () => {
    const masks = new Masks();
    masks.add("");
    masks.add(" \n ");
    expect(masks.text("a b")).toBe("a b");
  });
});

describe("lines", () => {
  it("are the same however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[^\r\n]*$/u)), fc.array(fc.nat(40)), (lines, cuts) => {
        const text = lines.map((line) => `${line}\n`).join("");
        const bytes = Buffer.from(text);
        const found: string[] = [];
        const splitter = new LineSplitter((line) => found.push(line));
        let at = 0;
        for (const cut of cuts) {
          splitter.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        splitter.push(bytes.subarray(at));
        splitter.end();
        expect(found).toEqual(text === "" ? [] : Buffer.from(text).toString().slice(0, -1).split("\n"));
      }),
    );
  });

  it("loses what would steer a terminal and keeps colours", () => {
    expect(printableLine("\u001b[31mred\u001b[0m\u001b[2J\u001b[1A\u0007bell\tok\u009b")).toBe(
      "\u001b[31mred\u001b[0m\ufffdbell\tok\ufffd",
    );
    expect(printableLine("10 %\r20 %")).toBe("10 % 20 %");
  });

  it("say where they were cut", () => {
    expect(shortened("x".repeat(20_000)).length).toBeLessThan(16_400);
    expect(shortened("x".repeat(20_000))).toContain("characters cut");
  });

  it("are kept as a bounded tail", () => {
    const tail = new Tail(3, 100);
    for (let n = 0; n < 1_000; n += 1) tail.push(`line ${n}`);
    expect(tail.toString()).toBe("line 997\nline 998\nline 999");
    tail.push("z".repeat(99));
    expect(tail.toString()).toBe("z".repeat(99));
  });
});

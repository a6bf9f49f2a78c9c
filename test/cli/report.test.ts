import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resultJson } from "../../src/report/record/json.ts";
import { failed, phase, report } from "../report/builders.ts";
import { Bench } from "./cli.ts";

let bench: Bench;
beforeAll(() => {
  bench = new Bench();
  const phases = [phase(), failed("save")];
  bench.file("a.json", resultJson(report({}, { verdict: "failure", failedStage: "save", message: "no", phases })));
  bench.file("bytes", Buffer.from([0, 255, 128]));
  bench.file("other.json", '{"a": 1}');
});
afterAll(() => bench.dispose());

describe("report", () => {
  it("shows results as a summary, and as a page of several in a file", async () => {
    const summary = await bench.run(["report", "a.json"]);
    expect([summary.code, summary.stdout]).toEqual([0, expect.stringContaining("❌ train: failed at save")]);
    const page = await bench.run(["report", "a.json", "a.json", "--format", "html", "-o", "page.html"]);
    expect(page).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(bench.read("page.html")).toMatch(/^<!doctype html>/);
  });

  it("says of every file what is wrong with it, and where, without a stack", async () => {
    const { code, stdout, stderr } = await bench.run(["report", "bytes", "other.json", "a.json"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      expect.stringContaining("bytes:1:1: error: the file is not text in UTF-8"),
      expect.stringContaining("other.json:1:1: error: no result"),
      "",
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { Listing } from "../../src/agent/output/task-list.ts";

/** All of an output's lines. */
function listed(lines: readonly string[], masked = (text: string) => text) {
  const listing = new Listing(masked);
  return { tasks: lines.flatMap((line) => listing.take(line)), trouble: listing.trouble };
}

describe("the output of a task generator", () => {
  it("is one JSON value a line, blank lines aside", () => {
    expect(listed(["1", "", '"a b"', "  ", '{"id":"x"}', "null"])).toEqual({
      tasks: [1, "a b", { id: "x" }, null],
      trouble: null,
    });
  });

  it("is no list when a line is not JSON: the first is quoted, with its number and what to do", () => {
    const { tasks, trouble } = listed(["1", "", "nope.dat", "{bad", "2"]);
    expect(tasks).toEqual([1, 2]);
    expect(trouble).toBe('line 3 is not JSON: "nope.dat"; print one JSON value a line, for example through jq -R .');
  });

  it.each([
    ["the same value", ["1", "", "1"], "1", [1, 3]],
    ["values that read alike", ["1", '"1"'], "1", [1, 2]],
    ["a value and an id", ['"a"', "2", '{"id":"a"}'], "a", [1, 3]],
    ["a value and the index of one without a key", ['{"n":1}', "0"], "0", [1, 2]],
  ])("is no list when two tasks have one key: %s", (_, lines, key, [first, second]) => {
    expect(listed([...lines, "nope"]).trouble).toBe(
      `lines ${first} and ${second}: two tasks have the key "${key}", expected distinct values or ids`,
    );
  });

  it("is looked at by itself: what an earlier one listed may come again", () => {
    const lines = ['"a"', '{"n":1}', '{"id":"x"}'];
    expect([listed(lines), listed(lines)].map(({ trouble }) => trouble)).toEqual([null, null]);
  });

  it("refuses a task that is larger than a command can be given, and says the bound", () => {
    expect(listed([JSON.stringify("x".repeat(65_536))]).trouble).toBe(
      "line 1 has more than the 65535 bytes that a task may have",
    );
    expect(listed([JSON.stringify("x".repeat(65_000))]).trouble).toBeNull();
  });

  it.each([
    [
      "numbers that grow when they are written out",
      `[${"1e20,".repeat(12_000)}1]`,
      /^line 1 has more than the 65535 bytes/,
    ],
    ["a key that would be left out", '{"__proto__":{"a":1}}', /^line 1 has the key "__proto__"/],
    ["a number that would be told as null", "[1e400]", /^line 1 has a number that is too large to be held/],
    ["lists nested thousands deep", `${"[".repeat(9_000)}${"]".repeat(9_000)}`, /^line 1 has lists and mappings that/],
  ])("refuses %s", (_, line, trouble) => {
    expect(listed([line])).toEqual({ tasks: [], trouble: expect.stringMatching(trouble) });
  });

  it.each([
    ["long lines clipped", "x".repeat(7_000), `"${"x".repeat(79)}…"`],
    ["control characters escaped", "a\u001b[2J", '"a\\u001b[2J"'],
    ["marks that reorder text escaped", "a\u202eb", '"a\\u202eb"'],
  ])("quotes %s", (_, line, quoted) => {
    expect(listed([line]).trouble).toContain(`: ${quoted};`);
  });

  it("masks what it quotes before it is clipped or escaped", () => {
    const secret = 'pa"ss';
    const text = `${"x".repeat(76)}${secret}`;
    const { trouble } = listed([text], (all) => all.replaceAll(secret, "***"));
    expect(trouble).toContain('xxx***"');
  });
});

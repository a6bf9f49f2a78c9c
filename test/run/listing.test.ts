import { describe, expect, it } from "vitest";
import { Listing } from "../../src/run/listing.ts";

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
    ["long lines clipped", "x".repeat(70_000), `"${"x".repeat(79)}…"`],
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

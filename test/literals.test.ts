import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Literals } from "../src/literals.ts";

const ROOM = { count: 1_000, characters: 10_000 };

function literalsOf(values: readonly string[]): Literals {
  const literals = new Literals(ROOM);
  for (const value of values) literals.add(value);
  return literals;
}

/** The same by looking for each literal at each place. */
function byHand(values: readonly string[], text: string): string {
  const cover = Array.from({ length: text.length }, () => false);
  const joined = Array.from({ length: text.length }, () => false);
  for (const value of values.filter((each) => each !== "")) {
    for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1)) {
      cover.fill(true, at, at + value.length);
      joined.fill(true, at, at + value.length - 1);
    }
  }
  let shown = "";
  for (let at = 0; at < text.length; at += 1) {
    if (!cover[at]) shown += text[at];
    else if (at === 0 || !joined[at - 1]) shown += "*";
  }
  return shown;
}

const letters = fc.string({ unit: fc.constantFrom("a", "b", "ü", "\u{1f600}"), maxLength: 6 });
const long = fc.string({ unit: fc.constantFrom("a", "b", "ü", "\u{1f600}"), maxLength: 60 });

describe("literals", () => {
  it("are replaced wherever they stand, those that overlap as one", () => {
    const literals = literalsOf(["abc", "cde", "abcdefg", "x"]);
    expect(literals.replaceIn("abcde abcdefgh xx", "*")).toBe("* *h **");
    expect(literals.replaceIn("ab cd", "*")).toBe("ab cd");
  });

  it("are found as by looking for each at each place, whenever they came", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(letters, fc.option(long))), long, (steps, last) => {
        const literals = new Literals(ROOM);
        const known: string[] = [];
        for (const [literal, text] of steps) {
          literals.add(literal);
          known.push(literal);
          if (text !== null) expect(literals.replaceIn(text, "*")).toBe(byHand(known, text));
        }
        expect(literals.replaceIn(last, "*")).toBe(byHand(known, last));
      }),
    );
  });

  it("tell how much of the text's end one of them begins with", () => {
    fc.assert(
      fc.property(fc.array(long, { maxLength: 8 }), long, (values, text) => {
        const most = Math.max(
          0,
          ...values.map((value) => {
            let length = Math.min(value.length, text.length);
            while (!text.endsWith(value.slice(0, length))) length -= 1;
            return length;
          }),
        );
        expect(literalsOf(values).find(text, [])).toBe(most);
      }),
    );
  });

  it("take no more than there is room for, and say so", () => {
    const literals = new Literals({ count: 2, characters: 10 });
    expect([literals.add("12345678901"), literals.add("abc"), literals.add("abc"), literals.add("de")]).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(literals.add("f")).toBe(false);
    expect(literals.replaceIn("abcdef", "*")).toBe("**f");
  });
});

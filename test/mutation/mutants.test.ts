import { describe, expect, it } from "vitest";
import { staleEntries, whyEquivalent } from "./equivalent.ts";
import { instrument, siteAt } from "./instrument.ts";
import { mutate, mutationsOf, placeOf } from "./mutants.ts";

const changesOf = (text: string): string[] =>
  mutationsOf("a.ts", text)
    .map((each) => mutate(text, each))
    .sort();

describe("the changes of a text", () => {
  it.each<[string, string, string[]]>([
    ["comparisons", "f = a < b", ["f = a <= b", "f = a >= b"]],
    [
      "equality, and what is compared with",
      'f = a === "x y" || b',
      ['f = (a === "x y" && b)', 'f = a !== "x y" || b', 'f = a === "x y"', "f = b"],
    ],
    ["words that programs compare", 'f = a === "open"', ['f = a !== "open"', 'f = a === ""']],
    ["arithmetic, but not on text", 'f = a + 1 + `${b}` + "x"', ['f = a - 1 + `${b}` + "x"']],
    ["conditions", "if (a) b();", ["if (a) ;", "if (false) b();", "if (true) b();"]],
    ["defaults", "f = a ?? b", ["f = a", "f = b"]],
    ["calls that give back part of it", "f = a.filter(b)", ["f = a"]],
    ["optional chains", "f = a?.b", ["f = a.b"]],
    [
      "what is returned",
      "function f() { return [a]; }",
      ["function f() { return []; }", "function f() { return undefined; }"],
    ],
    [
      "literals and negations",
      "f = !a ? -1 : true",
      [
        "f = !a ? -1 : false",
        "f = !a ? 1 : true",
        "f = a ? -1 : true",
        "f = false ? -1 : true",
        "f = true ? -1 : true",
      ],
    ],
    ["no types", 'type A = "open" | true; let a: A', []],
  ])("%s", (_name, text, changed) => {
    // The assignments themselves can go, too.
    expect(changesOf(text).filter((each) => each !== ";")).toEqual([...changed].sort());
  });

  it("are told by their lines", () => {
    const text = "one();\nif (\n  a &&\n  b\n) two();\n";
    const places = mutationsOf("a.ts", text).map((each) => placeOf(text, each));
    expect(places).toContainEqual({ line: 3, before: "a && b", after: "b" });
  });

  it("that are listed are stale once the line is another", () => {
    const source = { file: "src/plan/a.ts", text: "f = a < b;", sites: [], firstSite: 0 };
    const [mutation] = mutationsOf(source.file, source.text);
    const entry = { file: source.file, before: "f = a < b;", after: ["f = a <= b;"], why: "they are never the same" };
    if (mutation === undefined) throw new Error("There is no change.");
    expect(staleEntries("plan", [source], [entry])).toEqual([]);
    expect(staleEntries("plan", [{ ...source, text: "f = a < c;" }], [entry])).toHaveLength(1);
    expect(staleEntries("run", [], [entry])).toEqual([]);
    expect(
      mutationsOf(source.file, source.text).map((each) => whyEquivalent({ source, mutation: each }, [entry])),
    ).toContain(entry.why);
    expect(whyEquivalent({ source, mutation }, [{ ...entry, after: "f = b;" }])).toBeNull();
  });
});

describe("counting", () => {
  it("changes nothing else, and knows the innermost function", () => {
    const text = "const f = (n) => { let sum = 0; for (const each of n) sum += ((a) => a * 2)(each); return sum; };";
    const { text: counted, sites } = instrument("a.ts", text, 10);
    const ticks: number[] = [];
    const run = new Function("__tick", `${counted} return f([1, 2]);`);
    expect(run((site: number) => ticks.push(site))).toBe(6);
    expect(ticks).toEqual([10, 11, 10, 12, 10, 12]);
    expect(sites.length).toBe(3);
    expect(siteAt(sites, text.indexOf("a * 2"))).toBe(2);
    expect(siteAt(sites, text.indexOf("sum = 0"))).toBe(1);
    expect(siteAt(sites, 0)).toBe(0);
  });
});

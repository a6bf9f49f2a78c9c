/** Work on text of others grows as the text does. See `foreign-text.ts` for what that is, and for how to add to it. */
import { describe, expect, it } from "vitest";
import { EXEMPT, EXEMPT_ROOMS, READERS, TEXTS } from "./foreign-text.ts";
import { growth } from "./growth.ts";
import { READS_TEXT, type SourceModule, sourceModules } from "./source.ts";

const MODULES = sourceModules();

describe("the work of", () => {
  it.each(READERS.map((reader) => [reader.of, reader] as const))("%s grows as its text does", (_, reader) => {
    const bad: string[] = [];
    for (const [name, text] of Object.entries({ ...TEXTS, ...reader.texts })) {
      const { grows, measured } = growth(reader.largest, (size) => {
        const made = text(size);
        return () => reader.read(made);
      });
      if (grows) bad.push(`${name}: ${JSON.stringify(measured)} ms`);
    }
    expect(bad).toEqual([]);
  });
});

describe("each pattern of the program", () => {
  const patterns = new Map(
    MODULES.flatMap(({ patterns: all, path }) => all.map((one) => [String(one), { one, path }])),
  );

  it("is found", () => {
    expect(patterns.size).toBeGreaterThan(100);
  });

  it("looks at each character of a text a bounded number of times", () => {
    const bad: string[] = [];
    for (const { one, path } of patterns.values()) {
      const pattern = new RegExp(one.source, [...new Set(`${one.flags}g`)].join("").replace("y", ""));
      for (const [before, part] of pumpsFor(one.source)) {
        const { grows, measured } = growth(8_192, (size) => {
          const text = `${before}${part.repeat(size / part.length)}\u0001`;
          return () => text.replace(pattern, "");
        });
        if (grows)
          bad.push(
            `${path}: ${one} of ${JSON.stringify(before)}, ${JSON.stringify(part)} again and again: ${JSON.stringify(measured)} ms`,
          );
      }
    }
    expect(bad).toEqual([]);
  });

  it("would be told from one that does not", () => {
    const quadratic = /\{\{\s*([^{}]{0,64}?)\s*\}\}/g;
    expect(pumpsFor(quadratic.source)).toContainEqual(["{{", " "]);
    const isTold = (): boolean =>
      growth(1_024, (size) => () => `{{${" ".repeat(size)}`.replace(quadratic, ""), { rounds: 2 }).grows;
    // What goes on beside it may hide it now and then, not again and again.
    expect(Array.from({ length: 20 }).some(isTold)).toBe(true);
  });
});

describe("the measure", () => {
  const counted = (cost: (size: number, run: number) => number): boolean => {
    let run = 0;
    const took = new Map<() => unknown, number>();
    const prepare = (size: number): (() => unknown) => {
      const work = (): void => undefined;
      took.set(work, size);
      return work;
    };
    return growth(8_192, prepare, { measure: (work) => cost(took.get(work) ?? 0, run++) }).grows;
  };

  it("tells what grows as the square from what grows as the size", () => {
    expect(counted((size) => size ** 2 / 1e5)).toBe(true);
    expect(counted((size) => (size * Math.log(size)) / 1e3)).toBe(false);
    expect(counted((size) => size ** 2 / 1e8)).toBe(false);
  });

  it("is not misled by times that are now and then far too long", () => {
    const late = (run: number): number => (run % 3 === 0 ? 200 : 0);
    expect(counted((size, run) => size ** 2 / 1e5 + late(run))).toBe(true);
    expect(counted((size, run) => size / 1e2 + late(run))).toBe(false);
  });
});

/** What a pattern may begin with, and what may then be repeated: characters that stand in it, and the usual ones. */
function pumpsFor(source: string): readonly (readonly [before: string, part: string])[] {
  const literal = [...new Set(source.replace(/\\[dDwWsSbBpPkxu]/g, "").match(/[^\\()|?+^$.,]/g) ?? [])].slice(0, 8);
  const parts = [...new Set([...literal, " ", "0", "a", "-"])];
  const befores = ["", ...literal.slice(0, 4).flatMap((each) => [each, each + each])];
  return [
    ...befores.flatMap((before) => parts.map((part) => [before, part] as const)),
    ...parts.flatMap((one) => parts.map((other) => ["", one + other] as const)),
  ];
}

describe("each module that reads text of others", () => {
  const readsText = ({ patterns, makesPatterns, exportedFunctions }: SourceModule): boolean =>
    patterns.length > 0 || makesPatterns || exportedFunctions.some((name) => READS_TEXT.test(name));
  const reading = MODULES.filter(readsText).map(({ path }) => path);
  const measured = new Set(READERS.map(({ module }) => module));

  it("is measured, or exempt with a reason: test/security/foreign-text.ts", () => {
    const inExemptRoom = (path: string): boolean => Object.keys(EXEMPT_ROOMS).some((room) => path.startsWith(room));
    const missing = reading.filter(
      (path) => !measured.has(path) && !Object.hasOwn(EXEMPT, path) && !inExemptRoom(path),
    );
    expect(missing).toEqual([]);
  });

  it("is named there only while it is there, and in one way", () => {
    const paths = new Set(MODULES.map(({ path }) => path));
    expect([...measured, ...Object.keys(EXEMPT)].filter((path) => !paths.has(path))).toEqual([]);
    expect(Object.keys(EXEMPT).filter((path) => measured.has(path) || !reading.includes(path))).toEqual([]);
  });
});

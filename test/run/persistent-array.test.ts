import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ArrayDraft,
  directoryOf,
  entered,
  itemAt,
  itemCount,
  itemsOf,
  lookUp,
  persistentArray,
} from "../../src/run/persistent-array.ts";

describe("rows in chunks", () => {
  it("behave as a list, and leave what they came from as it was", () => {
    const change = fc.oneof(fc.record({ at: fc.nat(300), to: fc.nat() }), fc.record({ push: fc.nat() }));
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 200 }), fc.array(change), (start, changes) => {
        const base = persistentArray(start);
        const copy = structuredClone(base);
        const rows = new ArrayDraft(base);
        const list = [...start];
        for (const one of changes) {
          if ("push" in one) {
            expect(rows.push(one.push)).toBe(list.length);
            list.push(one.push);
          } else if (one.at < list.length) {
            rows.set(one.at, one.to);
            list[one.at] = one.to;
          } else expect(() => rows.set(one.at, one.to)).toThrow(RangeError);
        }
        const done = rows.done();
        expect([...itemsOf(done)]).toEqual(list);
        expect([...rows]).toEqual(list);
        expect(itemCount(done)).toBe(list.length);
        for (const index of [0, 63, 64, 127, 199]) expect(itemAt(done, index)).toBe(list[index]);
        expect(base).toEqual(copy);
      }),
    );
  });
});

describe("a directory of names", () => {
  it("finds what was entered last, and nothing else", () => {
    const names = fc.array(fc.tuple(fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "")), fc.nat()));
    fc.assert(
      fc.property(fc.uniqueArray(fc.string()), names, (start, more) => {
        let directory = directoryOf(start);
        const map = new Map(start.map((name, index) => [name, index]));
        for (const [name, number] of more) {
          const before = directory;
          const found = lookUp(before, name);
          directory = entered(before, name, number);
          map.set(name, number);
          expect(lookUp(before, name)).toBe(found);
        }
        expect(directory.size).toBe(map.size);
        for (const [name, number] of map) expect(lookUp(directory, name)).toBe(number);
        expect(lookUp(directory, "not in it ✗")).toBe(map.get("not in it ✗"));
        expect(JSON.parse(JSON.stringify(directory))).toEqual(directory);
      }),
    );
  });
});

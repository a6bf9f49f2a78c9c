import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ArrayDraft,
  chunkNumber,
  chunkRange,
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

describe("chunks", () => {
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

  it.each([
    [0, []],
    [1, [[0]]],
    [63, [numbers(0, 63)]],
    [64, [numbers(0, 64)]],
    [65, [numbers(0, 64), [64]]],
    [128, [numbers(0, 64), numbers(64, 128)]],
  ])("of %i items are full but for the last", (count, chunks) => {
    expect(persistentArray(numbers(0, count))).toEqual(chunks);
    const pushed = new ArrayDraft<number>([]);
    for (const number of numbers(0, count)) pushed.push(number);
    expect(pushed.done()).toEqual(chunks);
    expect(itemCount(chunks)).toBe(count);
    expect(() => pushed.set(count, 0)).toThrow(`there is no item ${count}`);
    expect(() => pushed.set(-1, 0)).toThrow("there is no item -1");
  });

  it("that nothing was changed in are the same ones", () => {
    const base = persistentArray(numbers(0, 130));
    expect(new ArrayDraft(base).done()).toBe(base);
    const draft = new ArrayDraft(base);
    draft.set(70, -1);
    draft.set(71, -2);
    const done = draft.done();
    expect(done.map((chunk, number) => chunk === base[number])).toEqual([true, false, true]);
    expect([itemAt(done, 70), itemAt(done, 71), itemAt(base, 70), itemAt(base, 71)]).toEqual([-1, -2, 70, 71]);
  });

  it("have a number, and a range of indexes", () => {
    expect([0, 63, 64, 127, 128].map(chunkNumber)).toEqual([0, 0, 1, 1, 2]);
    expect([0, 2].map(chunkRange)).toEqual([
      { from: 0, to: 64 },
      { from: 128, to: 192 },
    ]);
  });
});

describe("a directory of names", () => {
  it("is laid out as stored runs have it, and grows when it is full", () => {
    const names = ["alpha", "beta", "gamma", "delta", "épsilon", "zeta", "eta", "theta", "iota", "kappa"];
    const { size, buckets } = directoryOf(names);
    expect(size).toBe(names.length);
    expect(buckets.flat().map((bucket) => bucket.map(([name, number]) => `${name} ${number}`))).toEqual([
      ["gamma 2"],
      ["delta 3", "zeta 5", "eta 6", "theta 7", "iota 8"],
      ["alpha 0", "beta 1", "épsilon 4", "kappa 9"],
    ]);
    const counts: number[] = [];
    let directory = directoryOf([]);
    for (let at = 0; at < 60; at++) {
      counts.push(itemCount(directory.buckets));
      directory = entered(directory, `name-${at}`, at);
      directory = entered(directory, `name-${at}`, at + 1);
      expect(directory.size).toBe(at + 1);
    }
    expect([0, 8, 9, 40, 41, 59].map((at) => counts[at])).toEqual([1, 1, 5, 5, 21, 21]);
  });

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

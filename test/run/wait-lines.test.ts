import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ToldWait, type WaitAbout, waitLine } from "../../src/run/wait-lines.ts";

const START = 1_000_000;
const MINUTE = 60;

/** The seconds at which lines are written, when it is asked as often as it says and every `everyS` besides. */
function lines(waitAt: (seconds: number) => WaitAbout | null, seconds: number, everyS = 1): number[] {
  const said: number[] = [];
  let told: ToldWait | null = null;
  let next: number | null = null;
  for (let s = 0; s <= seconds; s += 1) {
    const now = START + s * 1_000;
    if (s % everyS !== 0 && (next === null || now < next)) continue;
    const line = waitLine(told, waitAt(s), now);
    if (line.isDue) said.push(s);
    ({ told, next } = line);
  }
  return said;
}

describe("a wait", () => {
  it("is told of at 10 s, 1 min, 5 min, and then every 15 min", () => {
    const always = (): WaitAbout => ({ key: "barrier 1", since: START });
    expect(lines(always, 60 * MINUTE)).toEqual([10, 60, 300, 20 * MINUTE, 35 * MINUTE, 50 * MINUTE]);
    // Whoever asks only when told to comes to the same.
    expect(lines(always, 60 * MINUTE, 100_000)).toEqual([10, 60, 300, 20 * MINUTE, 35 * MINUTE, 50 * MINUTE]);
  });

  it("is told of by its own age, whenever it was asked after", () => {
    const wait: WaitAbout = { key: "barrier 1", since: START };
    const next = (told: number, now: number) =>
      waitLine({ key: "barrier 1", at: START + told * 1_000 }, wait, START + now * 1_000).next;
    expect(next(1_700, 1_750)).toBe(START + 2_100_000);
    expect(next(299, 299)).toBe(START + 300_000);
    expect(next(300, 301)).toBe(START + 1_200_000);
  });

  it("that has become another is told of at once, and then by its own age", () => {
    const changing = (s: number): WaitAbout =>
      s < 30 ? { key: "barrier 1", since: START } : { key: "checkpoint 2", since: START + 30_000 };
    expect(lines(changing, 100)).toEqual([10, 30, 40, 90]);
    const twice = (s: number): WaitAbout => (s < 35 ? changing(s) : { key: "barrier 2", since: START + 35_000 });
    expect(lines(twice, 100)).toEqual([10, 30, 35, 45, 95]);
  });

  it("that is over in less than 10 s is never told of, however many there are", () => {
    const short = (s: number): WaitAbout | null =>
      s % 10 === 9 ? null : { key: `retry ${Math.floor(s / 10)}`, since: START + Math.floor(s / 10) * 10_000 };
    expect(lines(short, 500)).toEqual([]);
  });

  it("that began anew is a new one", () => {
    const twice = (s: number): WaitAbout => ({ key: "barrier 1", since: s < 20 ? START : START + 20_000 });
    expect(lines(twice, 60)).toEqual([10, 30]);
  });

  it("has a next time that is later than now, whenever it is asked", () => {
    fc.assert(
      fc.property(
        fc.option(fc.record({ key: fc.constantFrom("a", "b"), at: fc.nat(10_000_000) }), { nil: null }),
        fc.nat(10_000_000),
        fc.nat(10_000_000),
        (told, since, now) => {
          const { isDue, next, told: after } = waitLine(told, { key: "a", since }, Math.max(since, now));
          expect(next).toBeGreaterThan(Math.max(since, now));
          // Asked again at the same time it has nothing more to say.
          if (isDue) expect(waitLine(after, { key: "a", since }, Math.max(since, now)).isDue).toBe(false);
        },
      ),
    );
  });
});

/** What of a wait was GitHub's, and what was ours. */
import { describe, expect, it } from "vitest";
import { ClosedTimes, lengthOf } from "../../../app/work/writer/closed-times.ts";
import { InstallationWriter } from "../../../app/work/writer/installation-writer.ts";

describe("times that were closed", () => {
  it("count once where they overlap, and only as far as they reach into what is asked about", () => {
    const times = new ClosedTimes();
    times.add(100, 200);
    times.add(300, 400);
    expect(times.within(150, 350)).toEqual([
      { from: 150, until: 200 },
      { from: 300, until: 350 },
    ]);
    expect(times.within(200, 300)).toEqual([]);
    expect(lengthOf([...times.within(0, 1_000), { from: 150, until: 320 }])).toBe(300);
    expect(lengthOf([])).toBe(0);
  });

  it("are one where nobody could have come between, and the oldest are forgotten", () => {
    const times = new ClosedTimes();
    for (let begin = 0; begin < 1_000 * 100; begin += 100) times.add(begin, begin + 90);
    expect(times.within(0, 1_000_000)).toEqual([{ from: 0, until: 99_990 }]);
    for (let begin = 200_000; begin < 200_000 + 64 * 100; begin += 100) times.add(begin, begin + 50);
    expect(times.within(0, 199_000)).toEqual([]);
    times.add(5, 5);
    expect(times.within(0, 100)).toEqual([]);
  });
});

describe("a write's wait", () => {
  it("was GitHub's while others were written, while the pause lasted and while it was held, and else ours", async () => {
    let now = 10_000;
    const writer = new InstallationWriter(1, { now: () => now, timings: { writeInterval: 1_000 } });
    await writer.write(async () => {
      now += 500;
    });
    // On its way from 10,000 to 10,500; the pause ends at 11,500.
    const about = { heardAt: 9_000, readyAt: 10_200, writtenAt: 12_000 };
    expect(writer.pacedFor(about)).toBe(1_300);
    // What was not ready was not kept by it.
    expect(writer.pacedFor({ ...about, readyAt: 11_900 })).toBe(0);
    now = 11_000;
    writer.holdUntil(11_800);
    // A hold keeps even from deciding: it counts from when it was heard.
    expect(writer.pacedFor({ ...about, readyAt: 11_900 })).toBe(800);
    expect(writer.pacedFor(about)).toBe(1_600);
    // It is its own request that is on its way then.
    expect(writer.pacedFor({ heardAt: 9_000, readyAt: 9_000, writtenAt: 10_000 })).toBe(0);
  });

  it("is no longer than the pause between two, though the clock is set back by an hour meanwhile", async () => {
    let set = 0;
    const writer = new InstallationWriter(1, { now: () => Date.now() + set, timings: { writeInterval: 20 } });
    await writer.write(async () => undefined);
    set = -3_600_000;
    await expect(writer.write(async () => "written")).resolves.toBe("written");
  });
});

import { pino } from "pino";
import { expect, it } from "vitest";
import { InProgress } from "../../../app/work/in-progress/in-progress.ts";

it("writes down what is in progress again once the store can be written again", async () => {
  const written: string[] = [];
  let away = true;
  const store = {
    meta: async () => null,
    setMeta: async (_: string, value: string) => {
      if (away) throw new Error("the database is away");
      written.push(value);
    },
  };
  const inProgress = new InProgress({ store, log: pino({ level: "silent" }) });
  const marks = [inProgress.mark("delivery", ["1"], 1), inProgress.mark("effect", ["2"], 1)];
  for (const mark of marks) await expect(mark).rejects.toThrow("away");
  away = false;
  await inProgress.mark("delivery", ["3"], 1);
  expect(written.map((text) => JSON.parse(text).items.map(({ id }: { id: string }) => id))).toEqual([["3", "2"]]);
});

import { pino } from "pino";
import { expect, it } from "vitest";
import { ClaimLost } from "../../../app/store/model.ts";
import { type Alone, InProgress, KINDS, type Kind } from "../../../app/work/in-progress/in-progress.ts";

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

it("does not tell of what was lost to another process as failed, and tries no more of it", async () => {
  const lost = new ClaimLost({ key: "installation:5", owner: "frozen", fence: 1 });
  const items = ["1", "2"].map((id) => ({ kind: "delivery", id, times: 0 }));
  const said: string[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void said.push(JSON.parse(line).msg) });
  let standing = true;
  const store = {
    meta: async () => JSON.stringify({ items, alone: null }),
    setMeta: async () => {
      if (!standing) throw lost;
    },
  };
  const tried: string[] = [];
  const alone: Alone = {
    attempt: async (id) => {
      tried.push(id);
      standing = false;
      throw lost;
    },
    setAside: async () => Promise.reject(new Error("nothing died")),
  };
  const inProgress = new InProgress({ store, log });
  await inProgress.start(Object.fromEntries(KINDS.map((kind) => [kind, alone])) as Record<Kind, Alone>);
  await inProgress.ready();
  expect(tried).toEqual(["1"]);
  expect(said.slice(1)).toEqual(["what was in progress is somebody else's to try by now"]);
});

it("sets aside what three processes died of alone, and not what they tried when the database went away", async () => {
  const left = { items: [], alone: { kind: "delivery", id: "1", times: 3, by: ["a", "b", "x"] } };
  const take = async (live: readonly string[]) => {
    const written: unknown[] = [];
    const store = {
      meta: async () => JSON.stringify(left),
      setMeta: async (_: string, value: string) => void written.push(JSON.parse(value)),
    };
    const processes = { id: "c", isLive: (id: string) => live.includes(id) };
    const inProgress = new InProgress({ store, log: pino({ level: "silent" }), processes });
    const done: string[] = [];
    const alone = {
      attempt: async (id: string) => void done.push(`tried ${id}`),
      setAside: async (id: string, reason: string) => void done.push(`set aside ${id}: ${reason}`),
    };
    const handlers = Object.fromEntries(KINDS.map((kind) => [kind, alone])) as Record<Kind, Alone>;
    await inProgress.start(handlers);
    await inProgress.ready();
    return { done, written };
  };
  expect((await take([])).done).toEqual([expect.stringMatching(/^set aside 1: .+ ended 4 times/u)]);
  const { done, written } = await take(["a"]);
  expect(done).toEqual(["tried 1"]);
  expect(written[0]).toEqual({ items: [], alone: { kind: "delivery", id: "1", times: 3, by: ["b", "x", "c"] } });
  expect(written.at(-1)).toEqual({ items: [], alone: null });
});

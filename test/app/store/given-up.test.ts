/** Effects that were given up and tried again, and what is kept of pull requests that are open for very long. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noteLine } from "../../../app/store/history.ts";
import type { Store } from "../../../app/store/model.ts";
import { openStore } from "../../../app/store/open.ts";
import { act } from "../../../src/lifecycle/facts/change.ts";
import { record } from "../../../src/lifecycle/facts/record.ts";
import { pullState } from "../builders.ts";
import { DATABASES, type EmptyDatabase } from "./databases.ts";

const PULL = { repositoryId: 1, number: 7 };
const KEPT = 200;

describe.each(DATABASES)("the store on $name", ({ empty }) => {
  let database: EmptyDatabase;
  let store: Store;
  beforeEach(async () => {
    database = await empty();
    store = await openStore(database.url);
  });
  afterEach(async () => {
    await store.close();
    database.remove();
  });

  async function open(): Promise<void> {
    const facts = record(null, {
      pull: { installationId: 5, repository: pullState().repository, number: 7 },
      kind: "observed",
      state: pullState(),
      acts: [act({ kind: "opened", at: 1, by: pullState().author })],
    });
    const nothing = { confirmed: null, evaluation: null, reevaluateAt: null, reevaluationTries: 0 };
    const pull = {
      ...PULL,
      installationId: 5,
      version: 0,
      facts,
      ...nothing,
      intent: null,
      intentAt: null,
      blocked: null,
    };
    await store.commit({ pulls: [pull], now: 1 });
  }

  /** Effects that ended at that time, one after the other. */
  async function ended(count: number, status: "done" | "dead", at: number): Promise<void> {
    const effects = Array.from({ length: count }, (_, index) => ({
      ...PULL,
      key: `${status}-${at}-${index}`,
      installationId: 5,
      kind: "comment",
      payload: {},
      nextAt: 1,
    }));
    await store.commit({ effects, now: at });
    const due = (await store.effectsOf(PULL)).filter((each) => each.status === "pending");
    const error = status === "dead" ? "GitHub refused it" : null;
    const settled = due.map((each) => ({ ...each, status, error, errorCode: null, result: null }));
    await store.commit({ settled, now: at });
  }

  it("lists what was given up, the newest first and in pages, and takes one of it up again", async () => {
    await open();
    await ended(3, "dead", 10);
    await ended(1, "done", 11);
    const first = await store.deadEffects(2);
    expect(first.items.map(({ key }) => key)).toEqual(["dead-10-2", "dead-10-1"]);
    const second = await store.deadEffects(2, first.next ?? 0);
    expect(second).toMatchObject({ items: [{ key: "dead-10-0", error: "GitHub refused it" }], next: null });
    const [one] = second.items;
    expect(await store.reviveEffect(one?.id ?? 0, 50)).toBe(true);
    expect(await store.reviveEffect(one?.id ?? 0, 50)).toBe(false);
    expect(await store.effectsDue(5, 50, 10)).toMatchObject([{ key: "dead-10-0", tries: 0, nextAt: 50 }]);
    expect((await store.deadEffects(9)).items).toHaveLength(2);
  });

  it("forgets effects of an open pull request that are old, but for the newest of it", async () => {
    await open();
    await ended(30, "done", 10);
    await ended(KEPT, "done", 20);
    expect(await store.forget.openEffects(5)).toBe(0);
    expect(await store.forget.openEffects(30, 20)).toBe(20);
    expect(await store.forget.openEffects(30, 20)).toBe(10);
    expect(await store.forget.openEffects(30, 20)).toBe(0);
    const left = await store.effectsOf(PULL);
    expect(left).toHaveLength(KEPT);
    expect(left.every(({ key }) => key.startsWith("done-20-"))).toBe(true);
  });

  it("forgets lines of the history by their age, also of an open pull request", async () => {
    await open();
    for (const at of [10, 20, 30]) {
      await store.commit({ history: [noteLine(PULL, "effect", `at ${at}`, at)], now: at });
    }
    expect(await store.forget.history(10)).toBe(0);
    expect(await store.forget.history(30, 1)).toBe(1);
    expect(await store.forget.history(30)).toBe(1);
    expect(await store.forget.history(30)).toBe(0);
    expect((await store.history(PULL, 9)).items.map(({ reason }) => reason)).toEqual(["at 30"]);
  });
});

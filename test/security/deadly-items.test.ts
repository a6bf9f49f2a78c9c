/** A stored item that the process dies of is tried alone, then set aside: a restart always leads somewhere. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { pino } from "pino";
import { afterAll, describe, expect, it } from "vitest";
import { away } from "../../app/work/in-progress/away.ts";
import { type Alone, InProgress, KINDS, type Kind } from "../../app/work/in-progress/in-progress.ts";
import { COMPILE_CACHE } from "../compile-cache.ts";

const directory = mkdtempSync(join(tmpdir(), "stagewright-test-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function deliveryOf(number: number, title: string) {
  const examples: { name: string; examples: { action?: string }[] }[] = createRequire(import.meta.url)(
    "@octokit/webhooks-examples",
  );
  const found = examples
    .find(({ name }) => name === "pull_request")
    ?.examples.find(({ action }) => action === "opened");
  const payload = JSON.parse(JSON.stringify(found));
  Object.assign(payload, { number, installation: { id: 1, node_id: "I" } });
  Object.assign(payload.pull_request, { number, title, id: number, node_id: `PR${number}` });
  return payload;
}

/** One life of the app; null: it was killed. */
function live(url: string, deliveries: string) {
  const script = join(import.meta.dirname, "dying-app.ts");
  const env = { ...process.env, ...COMPILE_CACHE };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, url, deliveries], { encoding: "utf8", env });
  expect(status === 0 || status === 9, stderr).toBe(true);
  return status === 0 ? JSON.parse(stdout) : null;
}

describe("an app that is started again whenever it dies", () => {
  it("sets aside the webhook and the pull request that it dies of, and handles everything else", () => {
    const url = `sqlite:${join(directory, "app.db")}`;
    const file = join(directory, "deliveries.json");
    const deliveries = {
      one: deliveryOf(1, "harmless"),
      deadly: deliveryOf(2, "kills when it is handled"),
      three: deliveryOf(3, "harmless, too"),
      thirteen: deliveryOf(13, "kills when it is looked at"),
    };
    writeFileSync(file, JSON.stringify(deliveries));
    let deaths = 0;
    let seen = live(url, file);
    while (seen === null && deaths < 10) {
      deaths += 1;
      seen = live(url, file);
    }
    // Each once among others, and three times alone.
    expect(deaths).toBe(8);
    const reason = expect.stringContaining("ended 4 times while this was being handled, 3 times with nothing else");
    expect(seen.dead).toEqual([{ id: "deadly", error: reason }]);
    expect(seen.aside).toEqual([{ number: 13, reason }]);
    expect(seen.counts).toMatchObject({ pending: 0, done: 3, dead: 1 });
    expect(seen.pulls.map(({ number }: { number: number }) => number)).toEqual([1, 3, 13]);
    expect(seen.pulls.at(-1)).toMatchObject({ number: 13, reevaluateAt: null });
    // What is heard of it later changes nothing.
    writeFileSync(file, JSON.stringify({ again: deliveryOf(13, "another title") }));
    expect(live(url, file)).toMatchObject({ counts: { done: 4 }, aside: [{ number: 13 }] });
  });
});

/** Lives of which each is ended while one item is tried alone: before it asks GitHub, while it waits, or with the answer. */
async function blamed(when: "before" | "waiting" | "answered", most: number): Promise<boolean> {
  const meta = new Map([["in-progress", JSON.stringify({ items: [{ kind: "effect", id: "1" }], alone: null })]]);
  let aside = false;
  for (let life = 0; life < most && !aside; life += 1) {
    let dead = false;
    const die = (at: typeof when): Promise<void> => {
      dead ||= when === at;
      return dead ? new Promise<never>(() => undefined) : Promise.resolve();
    };
    const store = {
      meta: async (key: string) => meta.get(key) ?? null,
      setMeta: async (key: string, value: string) => {
        if (!dead) meta.set(key, value);
      },
    };
    const inProgress = new InProgress({ store, log: pino({ level: "silent" }), aloneMs: 20 });
    const alone: Alone = {
      attempt: async () => {
        await die("before");
        await away(() => die("waiting"));
        await die("answered");
      },
      setAside: async () => {
        aside = true;
      },
    };
    await inProgress.start(Object.fromEntries(KINDS.map((kind) => [kind, alone])) as Record<Kind, Alone>);
    await inProgress.ready();
  }
  return aside;
}

describe("an app that others kill", () => {
  it.each([
    ["before", true],
    ["waiting", false],
    ["answered", true],
  ] as const)("while an item is tried alone, %s: the item is blamed: %s", async (when, expected) => {
    expect(await blamed(when, 5)).toBe(expected);
  });
});

class Died extends Error {}

/** A world of items of which some kill; each life handles pages of them until it dies or nothing is left. */
async function lives(items: readonly string[], deadly: ReadonlySet<string>, page: number) {
  const meta = new Map<string, string>();
  const waiting = new Set(items);
  const aside = new Map<string, string>();
  let deaths = 0;
  for (;;) {
    let dead = false;
    const alive = <T>(value: T): T => {
      if (dead) throw new Died();
      return value;
    };
    const handle = (id: string): void => {
      alive(null);
      if (!waiting.has(id)) return;
      if (deadly.has(id)) {
        dead = true;
        deaths += 1;
        throw new Died();
      }
      waiting.delete(id);
    };
    const store = {
      meta: async (key: string) => meta.get(key) ?? null,
      setMeta: async (key: string, value: string) => void meta.set(key, alive(value)),
    };
    const inProgress = new InProgress({ store, log: pino({ level: "silent" }) });
    const alone: Alone = {
      attempt: async (id) => handle(id),
      setAside: async (id, reason) => {
        alive(null);
        waiting.delete(id);
        aside.set(id, reason);
      },
    };
    const kinds: Kind[] = [...KINDS];
    await inProgress.start(Object.fromEntries(kinds.map((kind) => [kind, alone])) as Record<Kind, Alone>);
    await inProgress.ready();
    try {
      for (let due = [...waiting].slice(0, page); due.length > 0; due = [...waiting].slice(0, page)) {
        await inProgress.mark("effect", due, 1);
        for (const id of due) handle(id);
      }
      await inProgress.stop();
      return { deaths, aside, meta, handled: items.filter((id) => !waiting.has(id) && !aside.has(id)) };
    } catch (error) {
      if (!(error instanceof Died)) throw error;
    }
  }
}

it("dies at most four times of each item, sets aside no other, and leaves nothing in hand", async () => {
  const ids = fc.uniqueArray(fc.nat({ max: 40 }).map(String), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      ids,
      fc.array(fc.nat({ max: 40 }).map(String)),
      fc.integer({ min: 1, max: 5 }),
      async (items, bad, page) => {
        const deadly = new Set(bad.filter((id) => items.includes(id)));
        const { deaths, aside, handled, meta } = await lives(items, deadly, page);
        expect(new Set(aside.keys())).toEqual(deadly);
        expect(handled).toEqual(items.filter((id) => !deadly.has(id)));
        expect(deaths).toBeLessThanOrEqual(4 * deadly.size);
        expect(JSON.parse(meta.get("in-progress") ?? "")).toEqual({ items: [], alone: null });
      },
    ),
  );
});

it("sets aside one that takes longer than it is waited for before it kills, and none of those that were tried beside it", async () => {
  const meta = new Map<string, string>();
  const waiting = new Set(["slow", "innocent", "quick"]);
  const aside: string[] = [];
  let deaths = 0;
  const life = async (): Promise<"died" | "lived"> => {
    const death = Promise.withResolvers<never>();
    death.promise.catch(() => undefined);
    let alive = true;
    const die = (): void => {
      alive = false;
      deaths += 1;
      death.reject(new Died());
    };
    const store = {
      meta: async (key: string) => meta.get(key) ?? null,
      setMeta: async (key: string, value: string) => void (alive && meta.set(key, value)),
    };
    const inProgress = new InProgress({ store, log: pino({ level: "silent" }), aloneMs: 1 });
    const slow = Promise.withResolvers<void>();
    const alone: Alone = {
      attempt: async (id) => {
        if (!alive) return await death.promise;
        if (id !== "slow") {
          waiting.delete(id);
          // It is now that the slow one, which goes on, has what it waited for.
          if (started) die();
          return;
        }
        started = true;
        await slow.promise;
        if (alive) die();
      },
      setAside: async (id) => {
        if (!alive) return;
        waiting.delete(id);
        aside.push(id);
      },
    };
    let started = false;
    await inProgress.start({
      delivery: alone,
      reevaluation: alone,
      transition: alone,
      effect: alone,
      "workflow-run": alone,
      "deployment-gate": alone,
    });
    await inProgress.ready();
    if (!alive) return "died";
    if (started) {
      // Nothing but the slow one is left, and what is written is what the next life knows.
      await inProgress.mark("reevaluation", ["unrelated"], 1);
      slow.resolve();
      await expect(death.promise).rejects.toThrow(Died);
      return "died";
    }
    if (waiting.has("slow")) {
      await inProgress.mark("effect", [...waiting], 1);
      die();
      return "died";
    }
    await inProgress.stop();
    return "lived";
  };
  while ((await life()) === "died") expect(deaths).toBeLessThan(10);
  expect(aside).toEqual(["slow"]);
  expect(JSON.parse(meta.get("in-progress") ?? "")).toEqual({ items: [], alone: null });
});

/** What goes wrong: processes are killed and frozen, the database goes away, GitHub answers badly, webhooks go astray. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Faults } from "../../src/sandbox/admin/faults.ts";
import { UNREAD_FIELDS } from "../convergence/github.ts";
import type { Random } from "../simulation/random.ts";
import type { SoakDatabase } from "./database.ts";
import type { Replica } from "./replica.ts";

export interface ChaosOptions {
  readonly replicas: readonly Replica[];
  readonly database: SoakDatabase;
  readonly random: Random;
  /** Milliseconds. */
  readonly within: number;
  readonly kills: number;
  readonly freezes: number;
  /** Longer than a lease. Milliseconds. */
  readonly freezeMs: number;
  readonly restarts: number;
  /** Whoever is killed had come to answer, however long that took; else it may be at its start. */
  readonly readyFirst: boolean;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Until it is started again. */
const DOWN_MS = 400;
/** Longer than anybody is frozen. */
const RUNNING_MS = 60_000;
const RUNNING_PAUSE_MS = 20;

export interface ChaosCounts {
  kills: number;
  freezes: number;
  restarts: number;
}

/** Resolves when all of it has happened and everybody is there again. */
export async function play(options: ChaosOptions): Promise<ChaosCounts> {
  const { random, within, kills, freezes, restarts, signal } = options;
  const counts: ChaosCounts = { kills: 0, freezes: 0, restarts: 0 };
  const anywhere = (): number => random.next() * within;
  /** Not in the first or last fifth: there has to be something before it and after it. */
  const inside = (nth: number, count: number): number => within * (0.2 + (0.6 * (nth + 0.5)) / count);
  const plan = [
    ...Array.from({ length: kills }, () => ({ at: anywhere(), act: () => kill(options, counts) })),
    ...Array.from({ length: freezes }, (_, nth) => ({ at: inside(nth, freezes), act: () => freeze(options, counts) })),
    ...Array.from({ length: restarts }, (_, nth) => ({
      at: inside(nth, restarts) + within / 20,
      act: () => restart(options, counts),
    })),
  ].toSorted((a, b) => a.at - b.at);
  const began = Date.now();
  const lasting: Promise<void>[] = [];
  for (const { at, act } of plan) {
    await sleep(Math.max(0, began + at - Date.now()), undefined, { signal });
    const acting = act();
    // Told below.
    acting.catch(() => undefined);
    lasting.push(acting);
  }
  await Promise.all(lasting);
  return counts;
}

async function kill({ replicas, random, signal, readyFirst, say }: ChaosOptions, counts: ChaosCounts): Promise<void> {
  let replica = await someRunning(replicas, random, signal);
  for (; readyFirst; replica = await someRunning(replicas, random, signal)) {
    await replica.ready();
    // Another kill may have waited for the same.
    if (replica.running && !replica.frozen) break;
  }
  counts.kills += 1;
  await replica.kill();
  say(`killed ${replica.port}`);
  await sleep(random.next() * DOWN_MS);
  replica.start();
}

async function freeze(options: ChaosOptions, counts: ChaosCounts): Promise<void> {
  const { replicas, random, freezeMs, signal, say } = options;
  const replica = await someRunning(replicas, random, signal);
  counts.freezes += 1;
  replica.freeze();
  say(`froze ${replica.port} for ${freezeMs / 1_000} s`);
  await sleep(freezeMs);
  replica.thaw();
}

/** Whoever was killed or frozen is there again soon. @throws when nobody comes to be, or the signal aborts */
async function someRunning(replicas: readonly Replica[], random: Random, signal: AbortSignal): Promise<Replica> {
  const deadline = Date.now() + RUNNING_MS;
  for (;;) {
    const [first, ...others] = replicas.filter((each) => each.running && !each.frozen);
    if (first !== undefined) return random.pick([first, ...others]);
    if (Date.now() > deadline) throw new Error("No replica came to run again.");
    await sleep(RUNNING_PAUSE_MS, undefined, { signal });
  }
}

async function restart({ database, say }: ChaosOptions, counts: ChaosCounts): Promise<void> {
  counts.restarts += 1;
  say(database.restartSaid);
  await database.restart();
}

const FAULT_EVERY_MS = 700;
/** Kinds that wait for their request at once: where more are placed than are met, nothing would be answered well. */
const MOST_WAITING = 2;

/** Until the signal: requests fail, some after they were applied, or are answered late. */
export async function trouble(faults: Faults, random: Random, signal: AbortSignal): Promise<number> {
  let placed = 0;
  while (!signal.aborted) {
    await sleep(FAULT_EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (faults.list().length >= MOST_WAITING) continue;
    const times = random.between(1, 3);
    faults.place(
      random.pick([
        { kind: "status", status: 502, times },
        { kind: "status", status: 500, times },
        { kind: "dropAnswer", how: "cut", times },
        { kind: "dropAnswer", how: "502", times },
        { kind: "rateLimited", retryAfter: 1, times: 1 },
        { kind: "delay", ms: 3_000, times },
        { kind: "unread", times },
        { kind: "unread", field: random.pick(UNREAD_FIELDS), times },
      ]),
    );
    placed += 1;
  }
  faults.clear();
  return placed;
}

/**
 * What is being handled, written down before it is. A process that dies (or is ended because it answers nothing any
 * more) leaves behind what it had in hand: after the restart each of that is tried alone, with nothing else going on,
 * and what the process dies of again is set aside with that as its reason. So no stored item can keep the app from
 * starting for good.
 *
 * One row holds all marks, and one write covers all that asked for one meanwhile: a page of items costs one write.
 */
import type { Logger } from "pino";
import { z } from "zod";
import { stored } from "./store/json.ts";
import type { Store } from "./store/store.ts";

/** Closed list: what is handled from the store. */
export const KINDS = ["delivery", "look", "move", "effect", "start", "gate"] as const;
export type Kind = (typeof KINDS)[number];

/** How one kind is handled while nothing else is. */
export interface Alone {
  /** Handles it now, if it is still to be handled. */
  attempt(id: string): Promise<void>;
  /** It is not to be handled again by itself. */
  setAside(id: string, reason: string): Promise<void>;
}

export interface InHandOptions {
  readonly store: Pick<Store, "meta" | "setMeta">;
  readonly log: Logger;
  /** So long one item alone keeps the others waiting; what takes longer waits for somebody, and is no danger. */
  readonly aloneMs?: number;
}

const KEY = "in-hand";
/** So many times alone; one death may have had another cause. */
const MOST_ALONE = 2;
const ALONE_MS = 30_000;

interface Item {
  readonly kind: Kind;
  readonly id: string;
}

const item = z.object({ kind: z.enum(KINDS), id: z.string() });
const leftBehind = z.object({
  items: z.array(item),
  /** What is tried alone, and for which time. */
  alone: item.extend({ times: z.number() }).nullable(),
});
type LeftBehind = z.infer<typeof leftBehind>;
const NOTHING: LeftBehind = { items: [], alone: null };

export class InHand {
  readonly #options: InHandOptions;
  /** By kind and by who of that kind handles them. */
  readonly #marks = new Map<string, readonly Item[]>();
  readonly #ready = Promise.withResolvers<void>();
  /** The write that is going on, and the one after it. */
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  #recovering: Promise<void> = Promise.resolve();
  #idle = true;
  #stopping = false;

  constructor(options: InHandOptions) {
    this.#options = options;
  }

  /** Begins with what the last process had in hand; everybody else waits for that in `ready`. */
  async start(handlers: Readonly<Record<Kind, Alone>>): Promise<void> {
    const text = await this.#options.store.meta(KEY);
    const left = text === null ? NOTHING : leftBehind.parse(stored(text));
    if (left.items.length === 0 && left.alone === null) {
      this.#ready.resolve();
      return;
    }
    this.#idle = false;
    // Webhooks are taken meanwhile, and wait.
    this.#recovering = this.#recover(left, handlers).finally(() => {
      this.#idle = true;
      this.#ready.resolve();
    });
  }

  /** Resolves when what the last process had in hand has been tried. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Nothing of the last process is being tried. */
  get idle(): boolean {
    return this.#idle;
  }

  /** Resolves when these are written down, in place of what `who` of this kind had in hand before. */
  async mark(kind: Kind, ids: readonly string[], who: number | string = ""): Promise<void> {
    this.#marks.set(
      `${kind} ${who}`,
      ids.map((id) => ({ kind, id })),
    );
    this.#next ??= this.#writing.then(() => {
      this.#writing = this.#write({ items: [...this.#marks.values()].flat(), alone: null });
      this.#next = null;
      return this.#writing;
    });
    await this.#next;
  }

  /** They have been handled: the next mark leaves them out. */
  done(kind: Kind, who: number | string = ""): void {
    this.#marks.delete(`${kind} ${who}`);
  }

  /** No further item is tried alone; resolves when nobody has to wait for that any more. */
  async endRecovery(): Promise<void> {
    this.#stopping = true;
    await this.#recovering;
  }

  /** The process ends in order, and everybody has stopped: nothing is in hand any more. */
  async stop(): Promise<void> {
    await this.#next;
    await this.#writing;
    await this.#write(NOTHING);
  }

  /** Never throws: what fails in another way is left to whoever handles it next. */
  async #recover(left: LeftBehind, handlers: Readonly<Record<Kind, Alone>>): Promise<void> {
    const { log, aloneMs = ALONE_MS } = this.#options;
    const { alone } = left;
    let suspects = left.items.filter((each) => alone === null || !same(each, alone));
    const times = new Map<Item, number>();
    if (alone !== null && alone.times < MOST_ALONE) {
      suspects = [alone, ...suspects];
      times.set(alone, alone.times);
    }
    log.warn({ items: suspects.length, alone }, "the last process ended with these in hand: each is tried alone first");
    try {
      if (alone !== null && alone.times >= MOST_ALONE) {
        const reason = `the app's process ended ${alone.times + 1} times while this was being handled, ${alone.times} times with nothing else going on`;
        await handlers[alone.kind].setAside(alone.id, reason);
        log.error({ kind: alone.kind, id: alone.id, reason }, "set aside");
      }
      for (const [index, suspect] of suspects.entries()) {
        if (this.#stopping) {
          return;
        }
        const { kind, id } = suspect;
        await this.#write({
          items: suspects.slice(index + 1).map((each) => ({ kind: each.kind, id: each.id })),
          alone: { kind, id, times: (times.get(suspect) ?? 0) + 1 },
        });
        await within(
          aloneMs,
          handlers[kind].attempt(id).catch((error: unknown) => log.warn({ kind, id, err: error }, "failed alone, too")),
        );
      }
      await this.#write(NOTHING);
    } catch (error) {
      log.error({ err: error }, "what the last process had in hand could not be tried alone");
    }
  }

  async #write(state: LeftBehind): Promise<void> {
    await this.#options.store.setMeta(KEY, JSON.stringify(state));
  }
}

function same(a: Item, b: Item): boolean {
  return a.kind === b.kind && a.id === b.id;
}

/** Resolves when it is done, or after this time. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

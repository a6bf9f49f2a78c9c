/**
 * What is being handled, written down before it is. A process that dies (or is ended because it answers nothing any
 * more) leaves behind what was in progress: after the restart each of that is tried alone, with nothing else going on,
 * and what the process dies of again is set aside with that as its reason. So no stored item can keep the app from
 * starting for good.
 *
 * One row holds all marks, and one write covers all that asked for one meanwhile: a page of items costs one write.
 */
import type { Logger } from "pino";
import { z } from "zod";
import { parsed } from "../../store/documents.ts";
import { ClaimLost, type InstallationId, type Store } from "../../store/model.ts";
import type { Scope } from "../replicas/ownership.ts";
import { type AwayWatch, watched } from "./away.ts";

/** Closed list: what is handled from the store. */
export const KINDS = ["delivery", "reevaluation", "transition", "effect", "workflow-run", "deployment-gate"] as const;
export type Kind = (typeof KINDS)[number];

/** How one kind is handled while nothing else is. */
export interface Alone {
  /** Handles it now, if it is still to be handled. */
  attempt(id: string): Promise<void>;
  /** It is not to be handled again by itself. */
  setAside(id: string, reason: string): Promise<void>;
}

/** Where it is written down. */
export interface ProgressMarks {
  /** Resolves when what was left behind has been tried. */
  ready(): Promise<void>;
  /** Resolves when these are written down, in place of what an installation had in progress of this kind before. */
  mark(kind: Kind, ids: readonly string[], of: InstallationId): Promise<void>;
  /** They have been handled: the next mark leaves them out. */
  done(kind: Kind, of: InstallationId): void;
}

/** What begins with what was left behind, and ends with nothing left. */
export interface ProgressRecord extends ProgressMarks {
  /** Begins with what the last process had in progress; everybody else waits for that in `ready`. */
  start(handlers: Readonly<Record<Kind, Alone>>): Promise<void>;
  /** Resolves when what its last owner had in progress has been tried. */
  take(scope: Scope, handlers: Readonly<Record<Kind, Alone>>): Promise<void>;
  /** Nothing of it is in progress any more. */
  released(scope: Scope): Promise<void>;
  lost(scope: Scope): void;
  /** Nothing of before is being tried. */
  readonly idle: boolean;
  /** No further item is tried alone; resolves when nobody has to wait for that any more. */
  endRecovery(): Promise<void>;
  /** The process ends in order, and everybody has stopped: nothing is in progress any more. */
  stop(): Promise<void>;
}

/** The processes of the app, from the start to the end of each. */
export interface ProcessesSeen {
  /** This one's. */
  readonly id: string;
  /** Whether it is known to go on. */
  isLive(id: string): boolean;
}

export interface InProgressOptions {
  readonly store: Pick<Store, "meta" | "setMeta">;
  readonly log: Logger;
  /** Of the row that holds them. */
  readonly key?: string;
  /** Default: whatever was in progress at the start was another's, who is dead. */
  readonly processes?: ProcessesSeen;
  /** So long one item alone keeps the others waiting; what takes longer waits for somebody, and is no danger. */
  readonly aloneMs?: number;
}

/** Of a process with a database of its own; with the key of a claim behind it, of that. */
export const IN_PROGRESS = "in-progress";
/** So many times alone; somebody who ends the process again and again as it comes up may hit the same item twice. */
const MOST_ALONE = 3;
const ALONE_MS = 30_000;

interface Item {
  readonly kind: Kind;
  readonly id: string;
}

const item = z.object({ kind: z.enum(KINDS), id: z.string() });
/** `times`: how often it has been tried alone without coming to an end; `by`: by which processes, since they say so. */
const suspected = item.extend({ times: z.number().default(0), by: z.array(z.string()).default([]) });
const leftBehind = z.object({
  items: z.array(suspected),
  /** What is tried alone, and for which time. */
  alone: suspected.nullable(),
});
type Suspect = z.infer<typeof suspected>;
type LeftBehind = z.infer<typeof leftBehind>;
const NOTHING: LeftBehind = { items: [], alone: null };

export class InProgress implements ProgressRecord {
  readonly #options: InProgressOptions;
  /** By kind and installation. */
  readonly #marks = new Map<string, readonly Item[]>();
  readonly #ready = Promise.withResolvers<void>();
  /** What was tried alone, took too long to be waited for, and goes on: it is in progress until it has ended. */
  readonly #lingering = new Set<Suspect>();
  /** The write that is going on, and the one after it. */
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  #recovering: Promise<void> = Promise.resolve();
  #idle = true;
  #stopping = false;

  constructor(options: InProgressOptions) {
    this.#options = options;
  }

  async start(handlers: Readonly<Record<Kind, Alone>>): Promise<void> {
    const text = await this.#options.store.meta(this.#key);
    const left = text === null ? NOTHING : leftBehind.parse(parsed(text));
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

  ready(): Promise<void> {
    return this.#ready.promise;
  }

  get idle(): boolean {
    return this.#idle;
  }

  async mark(kind: Kind, ids: readonly string[], of: InstallationId): Promise<void> {
    this.#marks.set(
      `${kind} ${of}`,
      ids.map((id) => ({ kind, id })),
    );
    this.#next ??= this.#writing.then(() => {
      const write = this.#write({ items: this.#inProgress(), alone: null });
      // Who asked for this one is told that it failed; the next is a try of its own.
      this.#writing = write.catch(() => undefined);
      this.#next = null;
      return write;
    });
    await this.#next;
  }

  done(kind: Kind, of: InstallationId): void {
    this.#marks.delete(`${kind} ${of}`);
  }

  /** One process has everything from its start on. */
  async take(): Promise<void> {}
  async released(): Promise<void> {}
  lost(): void {}

  async endRecovery(): Promise<void> {
    this.#stopping = true;
    await this.#recovering;
  }

  async stop(): Promise<void> {
    await this.#next;
    await this.#writing;
    await this.#write(NOTHING);
  }

  get #key(): string {
    return this.#options.key ?? IN_PROGRESS;
  }

  #inProgress(): Suspect[] {
    const marked = [...this.#marks.values()].flat().map((each) => ({ ...each, times: 0, by: [] }));
    return [...this.#lingering, ...marked.filter((each) => ![...this.#lingering].some((other) => same(each, other)))];
  }

  /** Never throws: what fails in another way is left to whoever handles it next. */
  async #recover(left: LeftBehind, handlers: Readonly<Record<Kind, Alone>>): Promise<void> {
    const { log } = this.#options;
    const alone = left.alone === null ? null : this.#acquitted(left.alone);
    const all =
      alone === null
        ? left.items
        : [alone, ...left.items.map((each) => this.#acquitted(each)).filter((each) => !same(each, alone))];
    // What has been tried least comes first: what the others may have been blamed for.
    const suspects = all.toSorted((a, b) => (same(a, alone) ? 0 : a.times) - (same(b, alone) ? 0 : b.times));
    log.warn(
      { items: suspects.length, alone },
      "the last process ended in the midst of these: each is tried alone first",
    );
    try {
      for (const [index, suspect] of suspects.entries()) {
        if (this.#stopping) {
          return;
        }
        const rest = suspects.slice(index + 1);
        if (suspect.times >= MOST_ALONE) {
          await this.#setAside(suspect, handlers);
        } else {
          await this.#tryAlone(suspect, rest, handlers);
        }
      }
      await this.#write({ items: [...this.#lingering], alone: null });
    } catch (error) {
      if (error instanceof ClaimLost) {
        log.info({ key: error.claim.key }, "what was in progress is somebody else's to try by now");
        return;
      }
      log.error({ err: error }, "what the last process had in progress could not be tried alone");
    }
  }

  /** Who tried it and lives has not died of it, but could not write that down: the database was away. */
  #acquitted(suspect: Suspect): Suspect {
    const dead = suspect.by.filter((id) => this.#options.processes?.isLive(id) !== true);
    return { ...suspect, by: dead, times: suspect.times - (suspect.by.length - dead.length) };
  }

  async #setAside({ kind, id, times }: Suspect, handlers: Readonly<Record<Kind, Alone>>): Promise<void> {
    const reason = `the app's process ended ${times + 1} times while this was being handled, ${times} times with nothing else going on`;
    await handlers[kind].setAside(id, reason);
    this.#options.log.error({ kind, id, reason }, "set aside");
  }

  async #tryAlone(suspect: Suspect, rest: readonly Suspect[], handlers: Readonly<Record<Kind, Alone>>): Promise<void> {
    const { log, aloneMs = ALONE_MS } = this.#options;
    const { kind, id } = suspect;
    // Beside one that goes on it is not alone: should the process end now, it has not been tried.
    const others = [...this.#lingering];
    const tried: Suspect = others.length === 0 ? this.#triedOnce(suspect) : { ...suspect };
    const write = (now: Suspect): Promise<void> =>
      this.#write(
        others.length === 0 ? { items: [...rest], alone: now } : { items: [...others, now, ...rest], alone: null },
      );
    await write(tried);
    this.#lingering.add(tried);
    const asking = new Asking((waits) => write(waits ? suspect : tried));
    const attempt = watched(asking, () => handlers[kind].attempt(id))
      .catch((error: unknown) => {
        // It has not failed: whoever has it now tries it.
        if (!(error instanceof ClaimLost)) {
          log.warn({ kind, id, err: error }, "failed alone, too");
        }
      })
      .finally(() => this.#lingering.delete(tried));
    await within(aloneMs, attempt);
    asking.watching = false;
    if (asking.waits) {
      Object.assign(tried, suspect);
    }
  }

  #triedOnce(suspect: Suspect): Suspect {
    const { processes } = this.#options;
    const by = processes === undefined ? suspect.by : [...suspect.by, processes.id];
    return { ...suspect, by, times: suspect.times + 1 };
  }

  async #write(state: LeftBehind): Promise<void> {
    await this.#options.store.setMeta(this.#key, JSON.stringify(state));
  }
}

/** What is tried alone waits for GitHub's answer: whoever is killed meanwhile did not die of it. */
class Asking implements AwayWatch {
  readonly #told: (waits: boolean) => Promise<void>;
  watching = true;
  #asked = 0;
  waits = false;

  constructor(told: (waits: boolean) => Promise<void>) {
    this.#told = told;
  }

  async left(): Promise<void> {
    this.#asked += 1;
    // With one answer of several it goes on.
    await this.#tell(this.#asked === 1);
  }

  async back(): Promise<void> {
    this.#asked -= 1;
    await this.#tell(false);
  }

  async #tell(waits: boolean): Promise<void> {
    if (this.waits !== waits && this.watching) {
      await this.#told(waits);
    }
    this.waits = waits;
  }
}

function same(a: Item, b: Item | null): boolean {
  return a.kind === b?.kind && a.id === b.id;
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

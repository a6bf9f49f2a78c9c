/** Ids of labels, learnt once per repository; stage labels that are missing are made. */
import { LRUCache } from "lru-cache";
import type { GitHubClient } from "../../src/github/port.ts";
import { createLabels, findLabels, type NewLabel } from "../../src/github/pulls/labels.ts";
import type { LabelSeen } from "../../src/github/pulls/pull-fields.ts";
import type { Repository, Store } from "../store/model.ts";

export interface LabelIdsOptions {
  readonly store: Pick<Store, "cached" | "cache" | "dropCache">;
  readonly now: () => number;
  readonly requestTimeout: number;
}

export interface KnownLabels {
  readonly repositoryNodeId: string;
  /** Null: there is no such label. */
  readonly ids: Readonly<Record<string, string | null>>;
}

/** Long enough to be asked rarely; a label that was deleted or renamed drops it at once. */
const MOST_KEPT = 10_000;
const KEEP_MS = 24 * 60 * 60_000;

export class LabelIds {
  readonly #options: LabelIdsOptions;
  /** Of the repositories in use: webhooks would ask the store too often. */
  readonly #kept = new LRUCache<number, KnownLabels>({ max: MOST_KEPT, ttl: KEEP_MS });

  constructor(options: LabelIdsOptions) {
    this.#options = options;
  }

  /** A payload showed these labels: those that were asked for before are learnt without asking again. */
  async note(repositoryId: number, labels: readonly LabelSeen[]): Promise<void> {
    const known = this.#kept.get(repositoryId);
    if (known === undefined) {
      return;
    }
    const names = new Map(Object.keys(known.ids).map((name) => [name.toLowerCase(), name]));
    const unknown = labels.flatMap(({ name, nodeId }): [string, string][] => {
      const asked = names.get(name.toLowerCase());
      return asked === undefined || known.ids[asked] === nodeId ? [] : [[asked, nodeId]];
    });
    if (unknown.length > 0) {
      await this.#keep(repositoryId, { ...known, ids: { ...known.ids, ...Object.fromEntries(unknown) } });
    }
  }

  /**
   * Ids of the labels in `create` (made if they are missing) and in `find` (null where there is none); those in
   * `mustExist` are asked for again if there was none. Nothing is asked that is known. Throws when GitHub cannot be asked, or when a label cannot be made. `write` paces what changes something.
   */
  async resolve(
    client: GitHubClient,
    repository: Repository,
    create: readonly NewLabel[],
    find: readonly string[],
    mustExist: readonly string[],
    write: <T>(send: () => Promise<T>) => Promise<T>,
  ): Promise<KnownLabels> {
    const known = await this.#known(repository);
    const ask = [...new Set([...create.map((each) => each.name), ...find])].filter((name) => known.ids[name] == null);
    if (known.repositoryNodeId !== "" && !find.some((name) => known.ids[name] === undefined)) {
      const missing = create.some((each) => known.ids[each.name] == null);
      if (!missing && !mustExist.some((name) => known.ids[name] == null)) {
        return known;
      }
    }
    const found = await findLabels(client, repository.owner, repository.name, ask, this.#signal());
    if (found === null) {
      throw new Error(`${repository.owner}/${repository.name} is not there, or the app may not see it.`);
    }
    let ids: Record<string, string | null> = { ...known.ids, ...found.ids };
    const missing = create.filter((each) => ids[each.name] == null);
    if (missing.length > 0) {
      const made = await write(() => createLabels(client, found.repositoryNodeId, missing, this.#signal()));
      ids = { ...ids, ...made.ids };
      const [failed] = Object.entries(made.problems);
      if (failed !== undefined) {
        await this.forget(repository.id);
        throw new Error(`The label ${failed[0]} could not be made: ${failed[1]}`);
      }
    }
    const value: KnownLabels = { repositoryNodeId: found.repositoryNodeId, ids };
    await this.#keep(repository.id, value);
    return value;
  }

  /** A label was made, renamed or deleted, or an id turned out to be gone. */
  async forget(repositoryId: number): Promise<void> {
    this.#kept.delete(repositoryId);
    await this.#options.store.dropCache(keyOf(repositoryId));
  }

  async #known(repository: Repository): Promise<KnownLabels> {
    const kept = this.#kept.get(repository.id);
    if (kept !== undefined) {
      return kept;
    }
    const value = await this.#options.store.cached(keyOf(repository.id), this.#options.now() - KEEP_MS);
    // Written below, by way of the app's own store.
    return (value as KnownLabels | undefined) ?? { repositoryNodeId: repository.nodeId, ids: {} };
  }

  async #keep(repositoryId: number, value: KnownLabels): Promise<void> {
    this.#kept.set(repositoryId, value);
    const key = keyOf(repositoryId);
    await this.#options.store.cache([{ key, scope: key, value }], this.#options.now());
  }

  #signal(): AbortSignal {
    return AbortSignal.timeout(this.#options.requestTimeout);
  }
}

function keyOf(repositoryId: number): string {
  return `labels of repository ${repositoryId}`;
}

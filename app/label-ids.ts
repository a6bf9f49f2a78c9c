/** Ids of labels, learnt once per repository; stage labels that are missing are made. */
import { createLabels, findLabels, type NewLabel } from "../src/github/labels.ts";
import type { GitHubClient } from "../src/github/port.ts";
import type { Repository, Store } from "./store/store.ts";

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
const KEEP_MS = 24 * 60 * 60_000;

export class LabelIds {
  readonly #options: LabelIdsOptions;

  constructor(options: LabelIdsOptions) {
    this.#options = options;
  }

  /**
   * Ids of the labels in `create` (made if they are missing) and in `find`. Nothing is asked that is known. Throws
   * when GitHub cannot be asked, or when a label cannot be made. `write` paces what changes something.
   */
  async resolve(
    client: GitHubClient,
    repository: Repository,
    create: readonly NewLabel[],
    find: readonly string[],
    write: <T>(send: () => Promise<T>) => Promise<T>,
  ): Promise<KnownLabels> {
    const known = await this.#known(repository);
    const asked = [...new Set([...create.map((each) => each.name), ...find])];
    const unknown = asked.filter((name) => known.ids[name] === undefined);
    const mayBeMissing = create.some((each) => known.ids[each.name] == null);
    if (known.repositoryNodeId !== "" && unknown.length === 0 && !mayBeMissing) {
      return known;
    }
    const ask = [
      ...new Set([...unknown, ...create.filter((each) => known.ids[each.name] == null).map((each) => each.name)]),
    ];
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
    const key = keyOf(repository.id);
    await this.#options.store.cache([{ key, scope: key, value }], this.#options.now());
    return value;
  }

  /** A label was made, renamed or deleted, or an id turned out to be gone. */
  async forget(repositoryId: number): Promise<void> {
    await this.#options.store.dropCache(keyOf(repositoryId));
  }

  async #known(repository: Repository): Promise<KnownLabels> {
    const value = await this.#options.store.cached(keyOf(repository.id), this.#options.now() - KEEP_MS);
    // Written above, by way of the app's own store.
    return (value as KnownLabels | undefined) ?? { repositoryNodeId: repository.nodeId, ids: {} };
  }

  #signal(): AbortSignal {
    return AbortSignal.timeout(this.#options.requestTimeout);
  }
}

function keyOf(repositoryId: number): string {
  return `labels of repository ${repositoryId}`;
}

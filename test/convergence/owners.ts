/** What is worked through by one process at a time is stored by whoever claimed it last. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Claim, Store } from "../../app/store/model.ts";

/** Methods, of whatever part of the store, that change something. */
const STORES: ReadonlySet<string> = new Set(
  `commit postponeDelivery buryDelivery postponeEffect deferEffect noteEffect putRepository setMeta cache add save asked
  mark postpone put`.split(/\s+/u),
);

/** Between several processes and the store that they share. */
export class WatchedOwners {
  /** One sentence for each kind of thing that was stored although somebody else had claimed it. */
  readonly violations = new Set<string>();
  /** By key: the newest claim. */
  readonly #newest = new Map<string, Claim>();
  readonly #working = new AsyncLocalStorage<Claim | null>();

  /** The store as one of the processes uses it. */
  watch(store: Store): Store {
    const { claims } = store;
    const watched: Store["claims"] = {
      ...claims,
      within: (claim, work) => this.#working.run(claim, () => claims.within(claim, work)),
      outside: (work) => this.#working.run(null, () => claims.outside(work)),
      claim: async (request) => {
        const taken = await claims.claim(request);
        for (const { claim } of taken) {
          this.#newest.set(claim.key, claim);
        }
        return taken;
      },
    };
    return this.#part(store, { claims: watched });
  }

  #part<T extends object>(part: T, instead: Readonly<Record<string, unknown>> = {}): T {
    return new Proxy(part, {
      get: (target, key, receiver) => {
        const value: unknown = instead[String(key)] ?? Reflect.get(target, key, receiver);
        if (typeof value === "function" && STORES.has(String(key))) {
          return (...args: unknown[]) => this.#stored(String(key), () => Reflect.apply(value, target, args));
        }
        return typeof value === "object" && value !== null && !(String(key) in instead) ? this.#part(value) : value;
      },
    });
  }

  async #stored(what: string, work: () => Promise<unknown>): Promise<unknown> {
    const claim = this.#working.getStore() ?? null;
    const newest = claim === null ? undefined : this.#newest.get(claim.key);
    const result = await work();
    if (claim !== null && newest !== undefined && newest.fence > claim.fence && !isRefused(result)) {
      this.violations.add(
        `${claim.owner} stored something (${what}) of ${claim.key}, which ${newest.owner} had claimed`,
      );
    }
    return result;
  }
}

/** A commit that wrote nothing. */
function isRefused(result: unknown): boolean {
  return typeof result === "object" && result !== null && "committed" in result && result.committed === false;
}

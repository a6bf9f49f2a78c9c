/** The log of API requests: how often what was asked for. */

const entriesKept = 2_000;

export interface RequestEntry {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** `GET /repos/{owner}/{repo}`, or `POST /graphql`. */
  readonly operation: string;
  readonly status: number;
  /** GraphQL: `query` or `mutation`, its name and its root fields. */
  readonly graphql: { readonly kind: string; readonly name: string | null; readonly fields: readonly string[] } | null;
}

export interface Counts {
  readonly total: number;
  /** REST operations and `POST /graphql` -> requests. */
  readonly routes: Readonly<Record<string, number>>;
  readonly graphql: {
    readonly queries: number;
    readonly mutations: number;
    /** Operation names -> requests. */
    readonly operations: Readonly<Record<string, number>>;
    /** Root fields -> how often they stood in a request (aliases count each). */
    readonly fields: Readonly<Record<string, number>>;
  };
}

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

export class RequestLog {
  #total = 0;
  #queries = 0;
  #mutations = 0;
  readonly #routes = new Map<string, number>();
  readonly #operations = new Map<string, number>();
  readonly #fields = new Map<string, number>();
  #entries: RequestEntry[] = [];

  add(entry: RequestEntry): void {
    this.#total += 1;
    bump(this.#routes, entry.operation);
    if (entry.graphql !== null) {
      if (entry.graphql.kind === "mutation") this.#mutations += 1;
      else this.#queries += 1;
      bump(this.#operations, entry.graphql.name ?? "(anonymous)");
      for (const field of entry.graphql.fields) bump(this.#fields, field);
    }
    this.#entries.push(entry);
    if (this.#entries.length > entriesKept) this.#entries = this.#entries.slice(-entriesKept / 2);
  }

  counts(): Counts {
    return {
      total: this.#total,
      routes: Object.fromEntries(this.#routes),
      graphql: {
        queries: this.#queries,
        mutations: this.#mutations,
        operations: Object.fromEntries(this.#operations),
        fields: Object.fromEntries(this.#fields),
      },
    };
  }

  /** The newest requests, oldest first. */
  entries(): readonly RequestEntry[] {
    return this.#entries;
  }

  clear(): void {
    this.#total = 0;
    this.#queries = 0;
    this.#mutations = 0;
    this.#routes.clear();
    this.#operations.clear();
    this.#fields.clear();
    this.#entries = [];
  }
}

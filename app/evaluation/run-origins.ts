/** Answers who wrote what finished runs executed: by the app's own record of its starts, else by asking GitHub. */
import type { GitHubClient } from "../../src/github/port.ts";
import { type ReadUses, readRunOrigin } from "../../src/github/workflows/run-origin.ts";
import type { Facts, Lookup } from "../../src/lifecycle/facts/facts.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import type { RunOrigin } from "../../src/lifecycle/facts/run-origin.ts";
import type { Repository, Store } from "../store/model.ts";

type RunLookup = Extract<Lookup, { kind: "run" }>;

/** Runs that GitHub is asked about in one go: each costs a few requests. The others are the next evaluation's. */
const MOST_AT_ONCE = 10;
/** GitHub's copies of what has just happened may lag. */
const LAG_MS = 5 * 60_000;

export interface RunOriginsOptions {
  readonly store: Pick<Store, "starts">;
  readonly now: () => number;
  readonly requestTimeout: number;
  /** How the repository's files are read for an installation. */
  readonly readUses: (installationId: number) => ReadUses;
}

export class RunOrigins {
  readonly #options: RunOriginsOptions;

  constructor(options: RunOriginsOptions) {
    this.#options = options;
  }

  /** `facts` with the answers to what was asked about runs. Throws what GitHub's client throws. */
  async learn(
    facts: Facts,
    lookups: readonly Lookup[],
    repository: Repository,
    client: () => Promise<GitHubClient>,
  ): Promise<Facts> {
    const asked = lookups.filter((lookup): lookup is RunLookup => lookup.kind === "run");
    const origins: RunOrigin[] = [];
    let requests = 0;
    for (const lookup of asked) {
      const own = await this.#started(facts, lookup);
      if (own !== null) {
        origins.push(own);
      } else if (requests < MOST_AT_ONCE) {
        requests += 1;
        origins.push(await this.#asked(facts, lookup, repository, await client()));
      }
    }
    const { installationId, number } = facts;
    const pull = { installationId, repository: facts.repository, number };
    return origins.length === 0 ? facts : record(facts, { kind: "run_origins", pull, origins });
  }

  /** Null: the app's record does not answer it. */
  async #started(facts: Facts, { runId, sha, startedOnly }: RunLookup): Promise<RunOrigin | null> {
    const start = await this.#options.store.starts.ofRun(facts.repository.id, runId);
    const known = { runId, sha, baseRef: null };
    if (start !== null && start.number === facts.number && start.sha === sha) {
      return { ...known, origin: "started", detail: "" };
    }
    return startedOnly ? { ...known, origin: "not_started", detail: "this app did not start it" } : null;
  }

  async #asked(
    facts: Facts,
    { runId, sha, workflow }: RunLookup,
    repository: Repository,
    client: GitHubClient,
  ): Promise<RunOrigin> {
    const { now, requestTimeout: timeoutMs, readUses } = this.#options;
    const { number, head, base } = facts;
    const question = { repository, runId, sha, workflow, number, head, baseRef: base.ref };
    const found = await readRunOrigin(client, question, { timeoutMs, uses: readUses(facts.installationId) });
    if (found === null) {
      const ended = facts.acts.find((act) => act.kind === "workflow" && act.runId === runId);
      if (ended !== undefined && now() < ended.at + LAG_MS) {
        throw new Error(`GitHub does not know run ${runId} yet, of which it told.`);
      }
      return { runId, sha, baseRef: null, origin: "untold", detail: "GitHub does not know the run any more" };
    }
    return { runId, sha, baseRef: found.ofBase ? base.ref : null, origin: found.origin, detail: found.detail };
  }
}

/**
 * The policy in force for each repository: read from its default branch when it may have changed, kept in the store, so
 * that the last good one outlives restarts and GitHub's outages. What was read is then said in a check run.
 */
import { loadPolicy, policyFetcher, type ReadPolicy } from "../../src/github/policy-files/load-policy.ts";
import { namesAny } from "../../src/lifecycle/policy/named-accounts.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { canonicalJson } from "../../src/plan/canonical.ts";
import { audit } from "../audit/audit.ts";
import type { DuePolicy, PolicyState, Repository, StoredPolicy } from "../store/model.ts";
import { DueWorker } from "../work/due-worker.ts";
import { failureOfWork } from "../work/failure.ts";
import type { Runtime } from "../work/runtime.ts";
import { type Policies, PolicyUnreadable } from "./policy.ts";

export interface PolicyLoaderOptions extends Runtime {
  readonly read: (installationId: number) => ReadPolicy;
  /** Says in a check run what was read; resolves with what it says now. Throws what the client throws. */
  readonly show: (repository: Repository, state: PolicyState) => Promise<PolicyState["shown"]>;
}

type Known = StoredPolicy & { readonly state: PolicyState };

/** Of one installation, read at once. */
const EACH = 2;
/** Others write the same row for moments only. */
const MOST_TRIES = 10;

export class PolicyLoader implements Policies {
  readonly #options: PolicyLoaderOptions;
  readonly worker: DueWorker<DuePolicy>;
  /** Two who ask at the same time wait for one reading. */
  readonly #reading = new Map<number, Promise<Known>>();
  /** After a failure GitHub is left alone for a while: until when, by repository. */
  readonly #restUntil = new Map<number, number>();

  constructor(options: PolicyLoaderOptions) {
    this.#options = options;
    const { policies } = options.store.due;
    this.worker = new DueWorker(
      { ...options, each: EACH },
      {
        what: "policies",
        topic: "policies",
        kind: null,
        idOf: ({ repositoryId }) => String(repositoryId),
        repositoryOf: ({ repositoryId }) => repositoryId,
        outlook: (until) => policies.outlook(until),
        due: (installationId, until, limit) => policies.of(installationId, until, limit),
        handle: async (due) => {
          for (const { repositoryId } of due) {
            await this.#one(repositoryId);
          }
        },
        failed: async ({ repositoryId }, _, error) =>
          await options.store.policies.postpone(repositoryId, options.now() + this.#pause(0, error)),
      },
    );
  }

  async of(repository: Repository): Promise<Policy> {
    const { state } = await this.#current(repository);
    return inForce(repository, state);
  }

  async known(repository: Repository): Promise<Policy | null> {
    const state = (await this.#options.store.policies.of(repository.id))?.state ?? null;
    return state === null ? null : inForce(repository, state);
  }

  /** It is read again before it is used; those that extend it, too. */
  async mayHaveChanged(repository: Repository): Promise<boolean> {
    const { store, now, wakeups } = this.#options;
    const dependents = await store.policies.dependents(nameOf(repository));
    const ids = [repository.id, ...dependents.filter((id) => id !== repository.id)];
    await store.policies.mark(ids, now());
    for (const id of ids) {
      this.#restUntil.delete(id);
    }
    this.worker.wake();
    if (ids.length > 1) {
      // Those that extend it may be of other installations.
      wakeups.notifyAll("policies");
    }
    return false;
  }

  async namedMayHaveChanged(repository: Repository, name: string | null): Promise<void> {
    const { store, now } = this.#options;
    const policy = (await store.policies.of(repository.id))?.state?.inForce ?? null;
    if (policy !== null && namesAny(policy, name)) {
      await store.policies.mark([repository.id], now());
      this.worker.wake();
    }
  }

  async #current(repository: Repository): Promise<Known> {
    const { store, now, timings } = this.#options;
    const row = await store.policies.of(repository.id);
    if (row !== null && isKnown(row)) {
      const fresh = row.observedGeneration >= row.generation && now() - row.state.readAt < timings.keepPolicy;
      if (fresh || (this.#restUntil.get(repository.id) ?? 0) > now()) {
        return row;
      }
    }
    try {
      return await this.#read(repository);
    } catch (error) {
      if (row === null || !isKnown(row)) {
        throw error;
      }
      this.#rest(repository, row, error);
      return row;
    }
  }

  #rest(repository: Repository, { tries }: StoredPolicy, error: unknown): number {
    const { log, now } = this.#options;
    const until = now() + this.#pause(tries, error);
    this.#restUntil.set(repository.id, until);
    const names = { repository: nameOf(repository) };
    log.warn({ ...names, err: error }, "the policy could not be read; the one known before stays in force");
    return until;
  }

  #read(repository: Repository): Promise<Known> {
    const going = this.#reading.get(repository.id);
    if (going !== undefined) {
      return going;
    }
    const reading = this.#readNow(repository).finally(() => this.#reading.delete(repository.id));
    this.#reading.set(repository.id, reading);
    return reading;
  }

  async #readNow(repository: Repository): Promise<Known> {
    const { store, clients, read, now, log, timings, wakeups } = this.#options;
    if (repository.installationId === null) {
      throw new Error(`The app is not installed on ${nameOf(repository)}.`);
    }
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      let row = await store.policies.of(repository.id);
      if (row === null) {
        await store.policies.mark([repository.id], now());
        row = await store.policies.of(repository.id);
      }
      if (row === null) {
        continue;
      }
      const { installationId } = repository;
      const client = await clients.installation(installationId);
      const loaded = await loadPolicy(repository, policyFetcher(client, timings.requestTimeout), read(installationId));
      const { policy, problems, source, bases, untold, seen } = loaded;
      if (seen.repository.id !== repository.id) {
        throw new Error(`${nameOf(repository)} is another repository by now; where it went is not known yet.`);
      }
      const before = row.state;
      const mayDiffer = row.generation > row.observedGeneration;
      const changed = before === null || before.source !== source || problems.length + before.problems.length > 0;
      const state: PolicyState = {
        inForce: policy ?? before?.inForce ?? null,
        source,
        problems,
        readAt: now(),
        head: seen.head,
        branch: seen.branch,
        private: seen.repository.private,
        reviewsRequired: seen.reviewsRequired,
        shown: before?.shown ?? null,
        toShow: mayDiffer || changed || before.toShow,
      };
      const dueAt = state.toShow ? now() : null;
      const next = {
        repositoryId: repository.id,
        version: row.version,
        observedGeneration: row.generation,
        tries: 0,
        dueAt,
        state,
      };
      if (!(await store.policies.save({ ...next, bases }))) {
        continue;
      }
      this.#restUntil.delete(repository.id);
      const known = { ...next, bases, version: row.version + 1, generation: row.generation };
      const errors = problems.filter((problem) => problem.severity === "error").length;
      log.info(
        { repository: nameOf(repository), commit: state.head, found: source !== null, extends: bases, errors },
        "policy read",
      );
      for (const reason of untold) {
        log.warn(
          { repository: nameOf(repository), commit: state.head, reason },
          "a policy that it extends is of no use",
        );
      }
      if (!samePolicy(before?.inForce ?? null, state.inForce)) {
        audit(log, "policy.in_force", { repository: nameOf(repository), by: null, commit: state.head });
        await store.requestReevaluation({ repositoryId: repository.id, open: true }, now());
        wakeups.notify("pulls");
      }
      if (state.toShow) {
        this.worker.wake();
      }
      return known;
    }
    throw new Error(`The policy of ${nameOf(repository)} was written by others ${MOST_TRIES} times in a row.`);
  }

  /** Never throws for GitHub's sake: what could not be done is done later. */
  async #one(id: number): Promise<void> {
    const { store, log, show, now } = this.#options;
    const repository = await store.repository(id);
    const row = await store.policies.of(id);
    if (row === null) {
      return;
    }
    if (repository === null || repository.installationId === null) {
      // Whoever installs the app anew marks it again.
      await store.policies.postpone(id, null);
      return;
    }
    try {
      let known: Known = row.observedGeneration >= row.generation && isKnown(row) ? row : await this.#read(repository);
      if (known.state.toShow) {
        const shown = await show(repository, known.state);
        known = { ...known, state: { ...known.state, shown, toShow: false } };
      }
      const { version, observedGeneration, state } = known;
      // Written by somebody else meanwhile: then it is still due, and read again.
      await store.policies.save({
        repositoryId: id,
        version,
        observedGeneration,
        dueAt: null,
        tries: 0,
        state,
        bases: null,
      });
    } catch (error) {
      const pause = this.#pause(row.tries, error);
      log.warn({ repository: nameOf(repository), err: error, pause }, "the policy could not be read or shown");
      this.#restUntil.set(id, now() + pause);
      await store.policies.postpone(id, now() + pause);
    }
  }

  #pause(tries: number, error: unknown): number {
    const { now, timings } = this.#options;
    const asked = failureOfWork(error, now()).retryAfterMs ?? 0;
    return Math.max(asked, Math.min(timings.reevaluationPause * 2 ** tries, timings.reevaluationPauseMost));
  }
}

/** Throws a PolicyUnreadable where there is none. */
function inForce(repository: Repository, state: PolicyState): Policy {
  if (state.inForce === null) {
    const [first] = state.problems;
    const where = first === undefined ? "" : `: ${first.file}:${first.line}:${first.column}: ${first.message}`;
    throw new PolicyUnreadable(`${nameOf(repository)} has no policy without errors${where}`);
  }
  return state.inForce;
}

function isKnown(row: StoredPolicy): row is Known {
  return row.state !== null;
}

function samePolicy(a: Policy | null, b: Policy | null): boolean {
  return a === b || (a !== null && b !== null && canonicalJson(a) === canonicalJson(b));
}

function nameOf({ owner, name }: Repository): string {
  return `${owner}/${name}`;
}

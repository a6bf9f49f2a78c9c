/**
 * The app's memory, as the rest of the app sees it. Everything that changes state together goes through one `commit`,
 * so that after a crash either all of it or none of it has happened. Times are milliseconds since the epoch.
 */
import type { ClaimStore, ReplicaStore } from "./model/claims.ts";
import type { Commit, Committed } from "./model/commit.ts";
import type { CountStore } from "./model/counts.ts";
import type { Delivery, DeliveryStatus, NewDelivery, Page, PendingDelivery } from "./model/deliveries.ts";
import type { DueStore } from "./model/due.ts";
import type { Effect, EffectRead, EffectReason } from "./model/effects.ts";
import type { GateStore } from "./model/gates.ts";
import type { History } from "./model/history.ts";
import type { HoldStore } from "./model/holds.ts";
import type { PolicyStore } from "./model/policies.ts";
import type { Pull, PullFilter, PullId } from "./model/pulls.ts";
import type { InstallationId, Repository, SweepStore } from "./model/repositories.ts";
import type { RetentionStore } from "./model/retention.ts";
import type { AppRunStore } from "./model/runs.ts";
import type { StartStore } from "./model/started-runs.ts";

export * from "./model/claims.ts";
export * from "./model/commit.ts";
export * from "./model/counts.ts";
export * from "./model/deliveries.ts";
export * from "./model/due.ts";
export * from "./model/effects.ts";
export * from "./model/gates.ts";
export * from "./model/history.ts";
export * from "./model/holds.ts";
export * from "./model/policies.ts";
export * from "./model/pulls.ts";
export * from "./model/repositories.ts";
export * from "./model/retention.ts";
export * from "./model/runs.ts";
export * from "./model/started-runs.ts";

export interface Store {
  /** The processes that share the database, and which of them owns what. */
  readonly replicas: ReplicaStore;
  readonly claims: ClaimStore;
  /** Runs of groups: their own commits, apart from those of pull requests. */
  readonly runs: AppRunStore;
  /** Workflow runs that were started for pull requests. */
  readonly starts: StartStore;
  /** Jobs that wait for an environment. */
  readonly gates: GateStore;
  /** The policy of each repository. */
  readonly policies: PolicyStore;
  /** Repositories that are on hold. */
  readonly holds: HoldStore;
  /** When each repository is swept. */
  readonly sweeps: SweepStore;
  /** How much there is of everything. */
  readonly counts: CountStore;
  /** What is due, by installation. */
  readonly due: DueStore;
  /** Rows that are of no use any more. */
  readonly forget: RetentionStore;

  /** Stores deliveries in one commit. Returns those that were not known before, in order. */
  acceptDeliveries(batch: readonly NewDelivery[]): Promise<readonly PendingDelivery[]>;
  /** Those still to be handled, oldest first, after a `seq`; `of`: those of one installation. */
  pendingDeliveries(afterSeq: number, limit: number, of?: InstallationId): Promise<readonly PendingDelivery[]>;
  /** Whose deliveries are still to be handled. */
  pendingInstallations(): Promise<readonly InstallationId[]>;
  delivery(seq: number): Promise<Delivery | null>;
  postponeDelivery(seq: number, nextAt: number, error: string): Promise<void>;
  /** Gives a delivery up; it is kept with its error. */
  buryDelivery(seq: number, error: string): Promise<void>;
  /** Those given up, newest first; `before`: a `seq`. */
  deadDeliveries(limit: number, before?: number): Promise<Page<Delivery>>;
  /** Puts a dead delivery back into the queue; null: there is none with that id. */
  reviveDelivery(id: string, now: number): Promise<PendingDelivery | null>;
  /** Which of these ids are known. */
  knownDeliveries(ids: readonly string[]): Promise<ReadonlySet<string>>;
  countDeliveries(): Promise<Readonly<Record<DeliveryStatus, number>>>;
  /** Forgets deliveries that were done before a time, at most `limit` (default 500). Returns how many. */
  pruneDeliveries(doneBefore: number, limit?: number): Promise<number>;

  commit(commit: Commit): Promise<Committed>;

  pull(id: PullId): Promise<Pull | null>;
  /** In order of repository and number; `after` opens the next page. */
  pulls(filter: PullFilter, limit: number, after?: PullId): Promise<readonly Pull[]>;
  pullIds(filter: PullFilter): Promise<readonly PullId[]>;
  /** Asks for these to be looked at, at that time or before; also those that are being looked at now. Returns how many. */
  requestReevaluation(filter: PullFilter, at: number): Promise<number>;

  /** Oldest first; `after`: an id. */
  history(id: PullId, limit: number, after?: number): Promise<Page<History>>;

  /** Pending effects of an installation that are due until then, the longest due first, in turns by repository. */
  effectsDue(installationId: number, until: number, limit: number): Promise<readonly Effect[]>;
  effect(id: number): Promise<Effect | null>;
  effectsOf(id: PullId): Promise<readonly Effect[]>;
  /** After a failure, which is counted. What was asked anew since it was read stays due at once. */
  postponeEffect(effect: EffectRead, nextAt: number, why: EffectReason, result: object | null): Promise<void>;
  /** Not yet, for a reason that is no failure. What was asked anew since it was read stays due at once. */
  deferEffect(effect: EffectRead, nextAt: number, why: EffectReason, result: object | null): Promise<void>;
  /** Keeps what was learnt while it is being done. */
  noteEffect(effect: EffectRead, result: object): Promise<void>;
  /** Effects of this kind that wait (for no failure's sake) are due now: something about the pull request is new. */
  hastenEffects(id: PullId, kind: string, now: number): Promise<void>;
  /** Effects of the pull request that were given up are tried again. Returns how many. */
  reviveEffects(id: PullId, now: number): Promise<number>;
  /** Effects that were given up, newest first; `before`: an id. */
  deadEffects(limit: number, before?: number): Promise<Page<Effect>>;
  /** One that was given up is tried again. False: there is none with that id. */
  reviveEffect(id: number, now: number): Promise<boolean>;
  /**
   * Effects of this kind whose result says `open: true` and that were done after `since`, and those that wait for no
   * failure's sake, are due now: what they rest on is new. Returns how many.
   */
  reopenEffects(repositoryId: number, kind: string, since: number, now: number): Promise<number>;
  /** Forgets effects that ended before a time, of pull requests that are not open, at most `limit` (default 500). */
  pruneEffects(doneBefore: number, limit?: number): Promise<number>;

  repository(id: number): Promise<Repository | null>;
  repositoryByName(owner: string, name: string): Promise<Repository | null>;
  repositories(installationId: number): Promise<readonly Repository[]>;
  /** All repositories on which the app is installed, in order of their ids; `after`: an id. */
  installedRepositories(limit: number, after?: number): Promise<readonly Repository[]>;
  putRepository(repository: Repository): Promise<void>;

  /** Things that may be forgotten and learnt again: permissions, label ids, policies. `scope` is what is dropped together. */
  cached(key: string, notBefore: number): Promise<unknown>;
  cache(
    entries: readonly { readonly key: string; readonly scope: string; readonly value: unknown }[],
    now: number,
  ): Promise<void>;
  dropCache(scope: string): Promise<void>;
  pruneCache(before: number, limit?: number): Promise<number>;

  meta(key: string): Promise<string | null>;
  setMeta(key: string, value: string): Promise<void>;
  /** Stores it unless there is one. Resolves with what is stored: to all who ask at once the same. */
  firstMeta(key: string, value: string): Promise<string>;

  /** Resolves if the database answers and, where the last write failed for its sake, takes one now; rejects otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The app's memory, as the rest of the app sees it. Everything that changes state together goes through one `commit`,
 * so that after a crash either all of it or none of it has happened. Times are milliseconds since the epoch.
 */
import type { Evaluation } from "../../src/lifecycle/evaluation/evaluation.ts";
import type { Actor, Facts } from "../../src/lifecycle/facts/facts.ts";

export type { HoldWord } from "./holds.ts";

import type { CountStore } from "./counts.ts";
import type { GateStore, WaitingGate } from "./gates.ts";
import type { HoldStore } from "./holds.ts";
import type { PolicyStore } from "./policies.ts";
import type { RetentionStore } from "./retention.ts";
import type { AppRunStore } from "./runs.ts";
import type { StartedRun, StartStore } from "./starts.ts";

/** A delivery as GitHub sent it, before it is stored. */
export interface NewDelivery {
  /** GitHub's id of the delivery (`X-GitHub-Delivery`). */
  readonly id: string;
  readonly event: string;
  /** JSON text. */
  readonly payload: string;
  /** Deliveries with one key are handled in the order they came: a pull request, else a repository or installation. */
  readonly key: string;
  readonly receivedAt: number;
}

/** A place in the queue. */
export interface PendingDelivery {
  /** Grows with each accepted delivery. */
  readonly seq: number;
  readonly id: string;
  readonly key: string;
  /** Not handled before this. */
  readonly nextAt: number;
}

export type DeliveryStatus = "pending" | "done" | "dead";

export interface Delivery extends NewDelivery {
  readonly seq: number;
  readonly status: DeliveryStatus;
  /** How often it has been tried. */
  readonly tries: number;
  readonly nextAt: number;
  readonly error: string | null;
}

export interface Repository {
  readonly id: number;
  /** GraphQL node id. */
  readonly nodeId: string;
  /** Null: the app is not installed there (any more), or no delivery has said so yet. A pull request's own is the same. */
  readonly installationId: number | null;
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch: string;
  readonly private: boolean;
}

export interface PullId {
  readonly repositoryId: number;
  readonly number: number;
}

/** A check run of ours on a commit, as GitHub last confirmed it. */
export interface ConfirmedCheck {
  readonly name: string;
  /** GraphQL node id. */
  readonly nodeId: string;
  readonly sha: string;
  readonly completed: boolean;
  /** Status, conclusion and title as GitHub told them, to notice when they change. */
  readonly seen?: string;
  /** Of status, conclusion, title, summary and text: equal means nothing to write. */
  readonly digest: string;
}

/** What GitHub confirmed to show of a pull request. */
export interface ConfirmedState {
  readonly stage: string | null;
  /** The labels `stage/…` that were on it, with their node ids. */
  readonly labels: readonly { readonly name: string; readonly nodeId: string }[];
  readonly checks: readonly ConfirmedCheck[];
  /** The head commit was other pull requests', too: their check runs may be the newer ones. */
  readonly shared?: boolean;
  /** Labels that were taken away, and when GitHub had last changed the pull request by then. */
  readonly absent: { readonly labels: readonly string[]; readonly at: number };
  /** When anything was first confirmed, as GitHub dates it. Rows written before this was kept: long ago. */
  readonly since?: number;
}

/** A move that has been decided and not been confirmed yet. */
export interface Intent {
  readonly id: string;
  /** Stages; null: none. */
  readonly from: string | null;
  readonly to: string | null;
  readonly createdAt: number;
  /** How often it has been sent. */
  readonly tries: number;
  /** When it was last sent; null: never. What was sent once may have been applied, so it is read before it is sent again. */
  readonly sentAt: number | null;
  /** Oddities on the way, for the history. */
  readonly notes: readonly string[];
  /** True: the labels were changed by somebody else or are not known; they are read before anything is written. */
  readonly read: boolean;
}

/** A move that was given up for now. */
export interface Blocked {
  readonly at: number;
  readonly to: string | null;
  readonly reason: string;
  /** How often in a row; the pause until the next try grows with it. */
  readonly times: number;
  /** It is tried again by itself then. */
  readonly until: number;
  /** Digest of what was wanted: when that changes, the move is tried at once. */
  readonly wanted: string;
  /** The process died of it: it is left alone until somebody who runs the app takes it up again. */
  readonly setAside?: true;
}

export interface Pull extends PullId {
  readonly installationId: number | null;
  /** Grows with each commit; 0: not stored yet. */
  readonly version: number;
  readonly facts: Facts;
  /** What GitHub confirmed; null: nothing was ever shown. */
  readonly confirmed: ConfirmedState | null;
  /** The last evaluation; null: none yet. */
  readonly evaluation: Evaluation | null;
  /** When it is to be looked at; null: there is no reason to. */
  readonly reevaluateAt: number | null;
  /** How often in a row looking failed. */
  readonly reevaluationTries: number;
  readonly intent: Intent | null;
  /** When the intent is to be sent (again); null: there is none. */
  readonly intentAt: number | null;
  readonly blocked: Blocked | null;
}

/** Closed list: what a line of the history can be about. */
export const HISTORY_KINDS = ["moved", "reset", "note", "blocked", "unblocked", "effect", "tampering"] as const;
export type HistoryKind = (typeof HISTORY_KINDS)[number];

export interface NewHistory extends PullId {
  readonly at: number;
  readonly kind: HistoryKind;
  readonly from: string | null;
  readonly to: string | null;
  /** Whose act it was; null: nobody's (a check that ended, the app's own doing). */
  readonly actor: Actor | null;
  /** One sentence. */
  readonly reason: string;
  /** Ids of the acts that are the evidence. */
  readonly evidence: readonly string[];
}

export interface History extends NewHistory {
  readonly id: number;
}

/** Something to be done on GitHub besides labels and checks. */
export interface NewEffect extends PullId {
  /** The same key is done once. */
  readonly key: string;
  readonly installationId: number;
  readonly kind: string;
  /** What to do, as JSON. */
  readonly payload: unknown;
  readonly nextAt: number;
}

export interface Effect extends NewEffect {
  readonly id: number;
  readonly status: "pending" | "done" | "dead";
  readonly tries: number;
  readonly error: string | null;
  /** What was learnt while doing it (the id of a run that was started), as JSON. */
  readonly result: unknown;
}

/** How an effect ended. `dead`: given up, with the reason in `error`. */
export interface SettledEffect {
  readonly id: number;
  readonly status: "done" | "dead";
  readonly error: string | null;
  readonly result: unknown;
}

/** One unit of change. A pull request is written only if it still has the version that was read. */
export interface Commit {
  readonly pulls?: readonly Pull[];
  readonly history?: readonly NewHistory[];
  readonly effects?: readonly NewEffect[];
  readonly settled?: readonly SettledEffect[];
  /** Started runs and gates as they are now: see `StartStore.save`, `GateStore.save`. */
  readonly starts?: readonly StartedRun[];
  readonly gates?: readonly WaitingGate[];
  readonly repositories?: readonly Repository[];
  /** Deliveries (by `seq`) that have had their effect with this commit. */
  readonly done?: readonly number[];
  readonly now: number;
}

/** `conflict`: somebody else wrote that pull request meanwhile; nothing of the commit happened. Read and decide again. */
export type Committed = { readonly committed: true } | { readonly committed: false; readonly conflict: PullId };

export interface DueReevaluation extends PullId {
  readonly installationId: number | null;
  readonly reevaluateAt: number;
}

export interface PullFilter {
  readonly repositoryId?: number;
  readonly installationId?: number;
  readonly headSha?: string;
  readonly open?: boolean;
  readonly blocked?: boolean;
  /** Those that are closed, and at or after this time were changed, as far as is known. */
  readonly closedSince?: number;
  /** True: those whose evaluation rests on who may do what, or may do so. */
  readonly people?: true;
}

/** Opens one page after this one; null: there is none. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: number | null;
}

export interface Store {
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
  /** How much there is of everything. */
  readonly counts: CountStore;
  /** Rows that are of no use any more. */
  readonly forget: RetentionStore;

  /** Stores deliveries in one commit. Returns those that were not known before, in order. */
  acceptDeliveries(batch: readonly NewDelivery[]): Promise<readonly PendingDelivery[]>;
  /** Those still to be handled, oldest first, after a `seq`. */
  pendingDeliveries(afterSeq: number, limit: number): Promise<readonly PendingDelivery[]>;
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
  /** Pull requests to be looked at until then: in turns by installation, of each the longest due first. */
  dueReevaluations(until: number, limit: number): Promise<readonly DueReevaluation[]>;
  nextReevaluationAt(): Promise<number | null>;
  /** Asks for these to be looked at, at that time or before; also those that are being looked at now. Returns how many. */
  requestReevaluation(filter: PullFilter, at: number): Promise<number>;
  /** Decided moves of an installation that are due until then, the longest due first. */
  dueIntents(installationId: number, until: number, limit: number): Promise<readonly Pull[]>;
  /** For each installation with decided moves: when its first is due. */
  intentInstallations(): Promise<readonly { readonly installationId: number; readonly at: number }[]>;

  /** Oldest first; `after`: an id. */
  history(id: PullId, limit: number, after?: number): Promise<Page<History>>;

  /** Pending effects of an installation that are due until then, the longest due first, in turns by repository. */
  effectsDue(installationId: number, until: number, limit: number): Promise<readonly Effect[]>;
  effect(id: number): Promise<Effect | null>;
  effectsOf(id: PullId): Promise<readonly Effect[]>;
  /** For each installation with pending effects: when its first is due. */
  effectInstallations(): Promise<readonly { readonly installationId: number; readonly at: number }[]>;
  /** After a failure, which is counted. */
  postponeEffect(id: number, nextAt: number, error: string, result: unknown): Promise<void>;
  /** Not yet, for a reason that is no failure. */
  deferEffect(id: number, nextAt: number, reason: string, result: unknown): Promise<void>;
  /** Keeps what was learnt while it is being done. */
  noteEffect(id: number, result: unknown): Promise<void>;
  /** Effects of this kind that wait (for no failure's sake) are due now: something about the pull request is new. */
  hastenEffects(id: PullId, kind: string, now: number): Promise<void>;
  /** Effects of the pull request that were given up are tried again. Returns how many. */
  reviveEffects(id: PullId, now: number): Promise<number>;
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

  /** Resolves if the database answers; rejects otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

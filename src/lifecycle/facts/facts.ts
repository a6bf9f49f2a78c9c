/**
 * What is true of a pull request, as far as we know: the input of the evaluation, and nothing else is.
 * Plain JSON, stored per pull request. Times are milliseconds since the epoch, as GitHub dates them.
 */

import type { Act, Actor } from "./act.ts";
import type { Absence, OrderInSecond } from "./order-in-second.ts";
import type { RunOrigin } from "./run-origin.ts";
import type { CommitSuites } from "./suites.ts";

export type { Act, Actor } from "./act.ts";

/** The newest known state of a check on the head commit. A state: it only gates. */
export interface CheckFact {
  readonly name: string;
  /** The app that wrote it: id and slug. */
  readonly appId: number;
  readonly appSlug: string;
  readonly status: "queued" | "in_progress" | "completed";
  readonly conclusion: string | null;
  readonly sha: string;
  readonly at: number;
  /** True when our own app wrote it: such checks never count as evidence. */
  readonly ours: boolean;
  /** The last completed conclusion, which stands while it runs again. */
  readonly lastConclusion: string | null;
  /** When that was; null: it never completed. */
  readonly lastConclusionAt: number | null;
  /** Id of its check suite; left out: it has none (a commit status), or it was written before this was kept. */
  readonly suite?: string;
}

/** What invalidates acts before it. */
export interface Reset {
  readonly id: string;
  /** Acts for stages later than this one, at or before `at`, no longer count. Null: later than none, everything counts anew. */
  readonly stage: string | null;
  readonly head: string;
  readonly at: number;
  readonly by: Actor;
  readonly why: "push" | "back" | "draft" | "reopened" | "base_changed" | "command";
  readonly note: string;
  /** Its place among the acts of its second, as an evaluation says it; left out: after all of them. */
  readonly place?: number;
}

/** The states of a pull request as one webhook or snapshot showed them, dated by GitHub's own `updated_at`. */
export interface PullState {
  readonly repository: {
    readonly id: number;
    readonly owner: string;
    readonly name: string;
    readonly defaultBranch: string;
    readonly private: boolean;
  };
  /** GraphQL node id of the pull request. */
  readonly nodeId: string;
  readonly title: string;
  readonly body: string;
  readonly author: Actor;
  readonly state: "open" | "closed";
  readonly merged: boolean;
  readonly draft: boolean;
  readonly openedAt: number;
  readonly head: { readonly sha: string; readonly ref: string; readonly repositoryId: number | null };
  readonly base: { readonly sha: string; readonly ref: string };
  readonly labels: readonly string[];
  /** `updated_at` of the pull request. */
  readonly updatedAt: number;
}

/** The newest states seen. Of two with the same date a snapshot counts more than a webhook's payload. */
export interface Observed extends PullState {
  readonly from: "webhook" | "snapshot";
  /** GitHub showed these states then, although it dates them earlier: acts before that are contained in them. */
  readonly asOf?: number;
}

/** The current states are the newest observation with all newer acts applied: see `record.ts`. */
export interface Facts extends Omit<PullState, "head"> {
  readonly installationId: number;
  readonly number: number;
  readonly head: PullState["head"] & {
    /** When this commit became the head; 0 while nothing was observed. */
    readonly at: number;
  };
  /** Changed files; null: not known for this head and base. */
  readonly files: readonly string[] | null;
  /** In order of date, then of GitHub's timeline, as far as it is known. */
  readonly acts: readonly Act[];
  /** Those written by the app itself. Those that follow from acts and the policy are derived anew each time. */
  readonly resets: readonly Reset[];
  readonly checks: readonly CheckFact[];
  /** Null: acts or checks came before anything told of the pull request itself. A snapshot is needed. */
  readonly observed: Observed | null;
  /** Each head commit ever seen -> the earliest date at which it was. */
  readonly heads: Readonly<Record<string, number>>;
  /** Lists of changed files, by head commit and base: a list may arrive before its push does. */
  readonly fileLists: readonly FileList[];
  /**
   * Who wrote what finished workflow runs executed, as far as it was found out. Rows written before this was kept hold
   * none: of their runs it is unknown like of new ones, and asked for when one matters.
   */
  readonly runOrigins?: readonly RunOrigin[];
  /** Seconds of GitHub's timeline. Rows written before this was kept hold none: their order is unknown, and asked for. */
  readonly orders?: readonly OrderInSecond[];
  /** When labels that were taken off were seen to be gone. Rows written before this was kept hold none. */
  readonly absences?: readonly Absence[];
  /** Check suites, by commit. Rows written before this was kept hold none: it is unknown whether more checks may come. */
  readonly suites?: readonly CommitSuites[];
}

/**
 * GitHub lists no more files of a pull request, whatever else it changes: as many names, those of renamed files from
 * before among them, are taken for a part of the list.
 */
export const MOST_FILES = 3_000;

export interface FileList {
  readonly sha: string;
  readonly baseRef: string;
  readonly files: readonly string[];
}

/**
 * What people may do, as far as it is known. What is not here is unknown, and unknown grants nothing. Null: GitHub refuses to
 * say, which stays unknown without being asked again.
 */
export interface Permissions {
  /** `${kind}:${id}` -> permission on the repository. */
  readonly levels: Readonly<Record<string, "none" | "read" | "triage" | "write" | "maintain" | "admin" | null>>;
  /** `org/team` -> `${kind}:${id}` -> member? */
  readonly teams: Readonly<Record<string, Readonly<Record<string, boolean | null>>>>;
  /** Login as the policy writes it (`tess[bot]`, `alice`) -> who that is; null: nobody has that login. */
  readonly identities: Readonly<Record<string, Actor | null>>;
}

export const NO_PERMISSIONS: Permissions = { levels: {}, teams: {}, identities: {} };

/** Something the evaluation would have needed to know. The shell looks it up and evaluates again. */
export type Lookup =
  | { readonly kind: "permission"; readonly actor: Actor }
  | { readonly kind: "team"; readonly team: string; readonly actor: Actor }
  | { readonly kind: "identity"; readonly login: string }
  | { readonly kind: "files" }
  /** In which order the acts of this second happened. */
  | { readonly kind: "timeline"; readonly at: number }
  /** All check suites of this commit, the head. */
  | { readonly kind: "suites"; readonly sha: string }
  /** Who wrote what a run executed. `startedOnly`: whether the app started it is all that matters. */
  | {
      readonly kind: "run";
      readonly runId: string;
      readonly sha: string;
      readonly workflow: string;
      readonly startedOnly: boolean;
    };

/**
 * What a webhook or a snapshot tells, in our own words: states as they were at a date, and acts. The app translates
 * GitHub's payloads into these; `record.ts` keeps what they add up to, in whatever order they come.
 */

import type { Act, Actor, CheckFact, PullState, Reset } from "./facts.ts";
import type { OrderInSecond } from "./order-in-second.ts";
import type { RunOrigin } from "./run-origin.ts";
import type { SuiteSeen } from "./suites.ts";

/** Which pull request. */
export interface PullKey {
  readonly installationId: number;
  readonly repository: PullState["repository"];
  readonly number: number;
}

/** A check run (or a commit status) as one event or snapshot showed it; `at`: completed, else started. */
export type CheckSeen = Omit<CheckFact, "lastConclusion" | "lastConclusionAt">;

export type Change = { readonly pull: PullKey } & (
  | {
      /**
       * A webhook that carries the pull request: its states, and what was just done to it (opened, labeled,
       * synchronize, review submitted or dismissed, converted to draft, closed, edited: then perhaps no act, …).
       */
      readonly kind: "observed";
      readonly state: PullState;
      readonly acts: readonly Act[];
    }
  /** Acts whose event does not carry the pull request: a comment's commands, a finished workflow or plan run. */
  | {
      readonly kind: "acts";
      readonly acts: readonly Act[];
      /** Where whoever tells knows in which order they were done. */
      readonly orders?: readonly OrderInSecond[];
    }
  | {
      readonly kind: "checks";
      readonly checks: readonly CheckSeen[];
      readonly suites?: readonly SuiteSeen[];
      /** The commit whose suites these are, all of them; left out: these are some. */
      readonly allSuitesOf?: string;
    }
  | {
      /** Who wrote what finished workflow runs executed. */
      readonly kind: "run_origins";
      readonly origins: readonly RunOrigin[];
    }
  | {
      readonly kind: "files";
      readonly sha: string;
      readonly baseRef: string;
      readonly files: readonly string[];
    }
  | {
      /** The whole, as one query read it. What it does not say (null) is left as it was. */
      readonly kind: "snapshot";
      readonly state: PullState;
      readonly acts: readonly Act[];
      readonly checks: readonly CheckSeen[] | null;
      /** All suites of the head commit; null: not all of them, or not read. */
      readonly suites?: readonly SuiteSeen[] | null;
      readonly files: readonly string[] | null;
      /** When the head commit arrived, as far as GitHub tells (its earliest check suite); null: unknown. */
      readonly headAt: number | null;
      /**
       * Set where states were found changed without a newer date (a label renamed or deleted, a branch renamed): it
       * was certainly so at this time.
       */
      readonly asOf?: number;
      /** A read-back of ours: labels that were taken off and are not on it, and the resets that made them void. */
      readonly removed?: { readonly labels: readonly string[]; readonly after: readonly string[] };
    }
  | {
      /** Seconds of GitHub's timeline that were over, and the pull request as it was when they were read. */
      readonly kind: "timeline";
      readonly state: PullState;
      /** Later than those seconds. Acts before this are contained in `state`, whatever the clocks and copies of GitHub. */
      readonly asOf: number;
      readonly acts: readonly Act[];
      readonly orders: readonly OrderInSecond[];
    }
  /** A reset that the app itself wrote (a button of the dashboard, an adoption). */
  | { readonly kind: "reset"; readonly reset: Reset }
);

/** Stands where nobody knows who did it: equal to nobody whom a policy can name. */
export const UNKNOWN_ACTOR: Actor = { kind: "user", id: 0, login: "unknown" };

/** An act without its id: what the app fills in. */
export type ActWithoutId = Act extends infer A ? (A extends Act ? Omit<A, "id"> : never) : never;

/**
 * The act with an id made of what it is, so that the same thing told twice, by a webhook and by a snapshot, is one
 * act. Reviews, commands and runs are known by GitHub's own ids; the others by what, when and who.
 */
export function act(fields: ActWithoutId): Act {
  switch (fields.kind) {
    case "opened":
      return { ...fields, id: "opened" };
    case "labeled":
    case "unlabeled":
      return { ...fields, id: `${fields.kind}:${fields.label.toLowerCase()}@${fields.at}` };
    case "review":
      return { ...fields, id: `review:${fields.reviewId}` };
    case "review_dismissed":
      return { ...fields, id: `review_dismissed:${fields.reviewId}` };
    case "pushed":
      return { ...fields, id: `pushed:${fields.sha}@${fields.at}` };
    case "drafted":
    case "readied":
    case "closed":
    case "reopened":
      return { ...fields, id: `${fields.kind}@${fields.at}` };
    case "base_changed":
      return { ...fields, id: `base_changed:${fields.to}@${fields.at}` };
    case "command":
      return { ...fields, id: commandId(fields) };
    case "workflow":
      return { ...fields, id: `workflow:${fields.runId}@${fields.at}` };
    case "plan":
      return { ...fields, id: `plan:${fields.run}@${fields.at}` };
  }
}

/** Of `back` the argument is the stage that was shown when it was given, if known: no part of what was said. */
function commandId({ commentId, command, argument }: { commentId: string; command: string; argument: string }): string {
  return command === "back" ? `command:${commentId}:back` : `command:${commentId}:${command}:${argument}`;
}

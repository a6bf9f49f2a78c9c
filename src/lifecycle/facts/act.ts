/** What somebody did to a pull request, and who. */

/** A person, an app or a team's member: compared by kind and id, never by login. */
export interface Actor {
  readonly kind: "user" | "bot";
  readonly id: number;
  /** For display only. Bots with the `[bot]` suffix, as REST writes them. */
  readonly login: string;
}

/** Something that somebody did at some time. `id` makes a doubled event the same act. */
export type Act = {
  readonly id: string;
  readonly at: number;
  readonly by: Actor;
} & (
  | { readonly kind: "opened" }
  | { readonly kind: "labeled"; readonly label: string }
  | { readonly kind: "unlabeled"; readonly label: string }
  | {
      readonly kind: "review";
      readonly reviewId: string;
      readonly state: "approved" | "changes_requested" | "commented";
      readonly sha: string;
    }
  | { readonly kind: "review_dismissed"; readonly reviewId: string }
  | { readonly kind: "pushed"; readonly before: string; readonly sha: string; readonly forced: boolean }
  | { readonly kind: "drafted" }
  | { readonly kind: "readied" }
  | { readonly kind: "closed"; readonly merged: boolean }
  | { readonly kind: "reopened" }
  | { readonly kind: "base_changed"; readonly from: string; readonly to: string }
  | {
      readonly kind: "command";
      readonly commentId: string;
      /** As `command-names.ts` calls it: of a `/stage` command its name. */
      readonly command: string;
      readonly argument: string;
      /** It was found to be allowed when it was given, and stays so whatever becomes of who gave it. */
      readonly granted?: true;
    }
  | {
      readonly kind: "workflow";
      readonly workflow: string;
      readonly runId: string;
      readonly result: "success" | "failure" | "cancelled";
      readonly sha: string;
    }
  | {
      readonly kind: "plan";
      readonly plan: string;
      readonly run: string;
      readonly result: "success" | "failure" | "cancelled";
      readonly sha: string;
      /** The workflow run that it was part of. Left out: not known, so it counts for nothing. */
      readonly within?: { readonly workflow: string; readonly runId: string };
    }
);

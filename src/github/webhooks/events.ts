/** What webhooks tell the app, as data. */
import type { Change, CheckSeen } from "../../lifecycle/facts/change.ts";
import type { Act, Actor } from "../../lifecycle/facts/facts.ts";
import type { SuiteSeen } from "../../lifecycle/facts/suites.ts";
import type { LabelSeen } from "../pulls/pull-fields.ts";

export interface RepositorySeen {
  readonly id: number;
  readonly nodeId: string;
  readonly owner: string;
  readonly name: string;
  /** Null: the payload did not say. */
  readonly defaultBranch: string | null;
  readonly private: boolean;
}

/** Something new about a commit; it concerns every pull request that has it as head. */
export type CommitEvent =
  | { readonly kind: "checks"; readonly checks: readonly CheckSeen[]; readonly suites: readonly SuiteSeen[] }
  /** `dispatched`: of runs that somebody asked for with `workflow_dispatch`. */
  | { readonly kind: "acts"; readonly acts: readonly Act[]; readonly dispatched: boolean }
  /** Somebody pressed a button on one of our check runs, or re-ran it: then `identifier` is `retry`. */
  | {
      readonly kind: "pressed";
      readonly by: Actor;
      readonly identifier: string;
      readonly check: string;
      /** The pull request that the check run was written for; null: it does not say. */
      readonly pull: number | null;
    }
  /** Somebody pressed a button on the check run of a plan's run: it is about that run, whatever commit it is on. */
  | {
      readonly kind: "run_pressed";
      readonly by: Actor;
      readonly identifier: string;
      readonly check: string;
      readonly run: string;
    };

export type WebhookEvent =
  | {
      readonly kind: "pull";
      readonly change: Change;
      /** True: somebody else changed labels that only this app sets, so what is shown must be read again. */
      readonly stageLabels: boolean;
      /** Those on it, with their node ids. */
      readonly labels: readonly LabelSeen[];
    }
  /** `pulls`: those that the payload names; it leaves out those of forks. */
  | { readonly kind: "commit"; readonly sha: string; readonly pulls: readonly number[]; readonly what: CommitEvent }
  | {
      readonly kind: "comment";
      readonly number: number;
      readonly comment: {
        readonly id: string;
        readonly nodeId: string;
        readonly at: number;
        readonly by: Actor;
        readonly body: string;
        /** Null: it was written just now; else what it said before it was edited, and `by` is who edited it. */
        readonly before: string | null;
      };
    }
  /** Something about a workflow's run has changed. */
  | { readonly kind: "run"; readonly runId: string }
  /** A job waits for an environment whose protection rule we are. */
  | {
      readonly kind: "gate";
      readonly runId: string;
      readonly environment: string;
      /** `refs/pull/7/merge`, or a branch with or without `refs/heads/`. */
      readonly ref: string;
      readonly event: string;
    }
  /** It left the merge queue without being merged. `reason`: as GitHub names it (`CI_FAILURE`, `MANUAL`, …). */
  | { readonly kind: "dequeued"; readonly number: number; readonly reason: string; readonly by: Actor }
  /** A merge queue asks for the checks of a group; `number`: the pull request that the group was made for. */
  | { readonly kind: "merge_group"; readonly number: number; readonly headSha: string; readonly branch: string }
  /**
   * The repository's labels have changed. `onPulls`: perhaps also which are on its pull requests, of which there is no
   * other event.
   */
  | { readonly kind: "labels"; readonly onPulls: boolean }
  | { readonly kind: "default_branch" }
  /**
   * What was known of people's permissions may be wrong now. `named`: whose, as policies name them, or `@org/` for any team
   * of an organization; null: of nobody whom a policy may name in vain.
   */
  | { readonly kind: "permissions"; readonly of: "repository" | "organization"; readonly named: string | null }
  /** `since`: from when on the app sees what happens there; null: it saw it before. */
  | { readonly kind: "installed"; readonly repositories: readonly RepositorySeen[]; readonly since: number | null }
  /** The installation's permissions or events are others now. */
  | { readonly kind: "granted" }
  /** Null: from all repositories. */
  | { readonly kind: "uninstalled"; readonly repositoryIds: readonly number[] | null }
  | { readonly kind: "repository_gone" };

export interface WebhookContent {
  readonly repository: RepositorySeen | null;
  readonly installationId: number | null;
  readonly organizationLogin: string | null;
  /** Who caused it; null: the payload does not say. */
  readonly sender: Actor | null;
  readonly events: readonly WebhookEvent[];
}

/** Who we are, so that our own doings are recognised. */
export interface AppIdentity {
  readonly appId: number;
}

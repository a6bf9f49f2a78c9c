/** What an action is: how it is written, and what it asks for. One file each, all in `index.ts`. */
import type { z } from "zod";
import type { Facts } from "../facts/facts.ts";
import type { Action, ActionKind, PolicyStage } from "../policy/policy.ts";
import type { TemplateValues } from "../policy/templates.ts";

/** What the app must do on GitHub. Done once where it converges; `key` makes the others known again. */
export type PlannedEffect =
  /** One comment for each stage, found again by its marker and updated. */
  | { readonly kind: "comment"; readonly marker: string; readonly body: string }
  | {
      readonly kind: "start";
      /** Its own input, by which a run that was started already is found again. */
      readonly key: string;
      readonly workflow: string;
      readonly inputs: Readonly<Record<string, string>>;
      /** The commit to be worked on; the workflow itself is the default branch's. */
      readonly sha: string;
      readonly limit: number | null;
    }
  | {
      readonly kind: "repository_dispatch";
      readonly key: string;
      readonly eventType: string;
      readonly payload: Readonly<Record<string, string>>;
    }
  | { readonly kind: "release"; readonly environment: string; readonly sha: string }
  | { readonly kind: "request_review"; readonly users: readonly string[]; readonly teams: readonly string[] }
  | { readonly kind: "assign"; readonly users: readonly string[] }
  | { readonly kind: "label"; readonly add: readonly string[]; readonly remove: readonly string[] }
  | {
      readonly kind: "auto_merge";
      readonly method: "merge" | "squash" | "rebase" | "queue";
      /** Merges this commit and no other. */
      readonly sha: string;
    }
  /** What this stage's `auto_merge` turned on is turned off: the pull request went back, or is on hold. */
  | { readonly kind: "disable_auto_merge"; readonly stage: string }
  /** A line for the history. */
  | { readonly kind: "note"; readonly text: string }
  /** What the policy asks for and may not be done here; shown to people. */
  | { readonly kind: "refused"; readonly action: ActionKind; readonly reason: string };

export type Occasion = "enter" | "back" | "overdue";

export interface ActionContext {
  readonly facts: Facts;
  readonly stage: PolicyStage;
  readonly occasion: Occasion;
  /** Date of the entry, the reset or the deadline: with the stage it makes this occasion the only one of its kind. */
  readonly at: number;
  readonly values: TemplateValues;
}

export interface ActionDefinition<K extends ActionKind> {
  readonly kind: K;
  readonly help: string;
  readonly examples: readonly string[];
  /** Permissions of the installation that it needs beyond those that every installation has. */
  readonly requiredPermissions: Readonly<Record<string, "read" | "write">>;
  /** Whether a stage that is passed on the way (several at once) does it, too. */
  readonly whenPassed: boolean;
  readonly schema: z.ZodType<Action<K>>;
  readonly plan: (action: Action<K>, context: ActionContext) => PlannedEffect;
}

/** Stable for one occasion of one pull request's stage; fit for a workflow's input. */
export function occasionKey({ facts, stage, occasion, at }: ActionContext, suffix: string): string {
  return `${facts.repository.id}-${facts.number}-${stage.name}-${occasion}-${at}-${suffix}`;
}

/** The head is in another repository, or in one that is gone: nobody here has vouched for it. */
export function isFork(facts: Facts): boolean {
  return facts.head.repositoryId !== facts.repository.id;
}

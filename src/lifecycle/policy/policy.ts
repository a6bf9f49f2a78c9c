/**
 * A policy as the rest of the house sees it: every default filled in. What the YAML file may say is in `schema.ts`;
 * how one becomes the other in `read-policy.ts`. Plain JSON.
 */

/** Names of users (`alice`), apps (`rex[bot]`) and teams (`@org/team`). Being named is the authority. */
export type Names = readonly string[];

export type ActResult = "success" | "failure" | "cancelled";

/** What each condition says, by its key in the policy. In names of labels and checks `*` stands for any text. */
export interface ConditionFields {
  draft: { readonly draft: boolean };
  label: { readonly name: string; readonly by: Names | null };
  approvals: { readonly count: number; readonly by: Names | null };
  changes_requested: { readonly by: Names | null };
  /**
   * All of these have succeeded (`failure`: one of them has failed; `any`: all have ended); `app`: only from the app
   * with this slug.
   */
  checks: { readonly names: readonly string[]; readonly app: string | null; readonly result?: "failure" | "any" };
  checks_pass: { readonly ignore: readonly string[] };
  /** `workflow`: its file's name (`qa.yml`) or its path. */
  workflow: { readonly workflow: string; readonly result: ActResult };
  plan_passed: { readonly plan: string };
  /** `section`: only the task list under this heading; null: every one in the description. */
  checklist: { readonly section: string | null };
  base: { readonly patterns: readonly string[] };
  paths: { readonly patterns: readonly string[] };
  only_paths: { readonly patterns: readonly string[] };
  author: { readonly by: Names };
  /** A comment with the line `/<name>`. */
  command: { readonly name: string; readonly by: Names | null };
}

export type LeafKind = keyof ConditionFields;
/** One condition of kind K. */
export type Leaf<K extends LeafKind = LeafKind> = { [P in K]: { readonly kind: P } & ConditionFields[P] }[K];

export type Condition =
  | Leaf
  | { readonly kind: "all"; readonly of: readonly Condition[] }
  | { readonly kind: "any"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition };

/** What each action does, by its key in the policy. Texts may hold `{{number}}` and the like, see `templates.ts`. */
export interface ActionFields {
  comment: { readonly body: string };
  start: {
    readonly workflow: string;
    readonly inputs: Readonly<Record<string, string>>;
    /** How many of this workflow's runs that we started may be going on at once; null: any number. */
    readonly limit: number | null;
    /** Start it for the head of a fork, too. */
    readonly forks: boolean;
  };
  repository_dispatch: { readonly eventType: string; readonly payload: Readonly<Record<string, string>> };
  /** Opens the gate of an environment whose protection rule is ours. `forks`: for the head of a fork, too. */
  release: { readonly environment: string; readonly forks: boolean };
  request_review: { readonly users: readonly string[]; readonly teams: readonly string[] };
  assign: { readonly users: readonly string[] };
  label: { readonly add: readonly string[]; readonly remove: readonly string[] };
  auto_merge: { readonly method: "merge" | "squash" | "rebase" | "queue" };
}

export type ActionKind = keyof ActionFields;
export type Action<K extends ActionKind = ActionKind> = { [P in K]: { readonly kind: P } & ActionFields[P] }[K];

export interface Back {
  readonly when: Condition;
  /** Name of an earlier stage. */
  readonly to: string;
}

export interface PolicyStage {
  readonly name: string;
  /** Who acts next while a pull request is here; for people to read and for `{{owner}}`. */
  readonly owner: string | null;
  readonly description: string | null;
  readonly enter: Condition;
  /** Whether the stage exists for a pull request; null: always. */
  readonly when: Condition | null;
  readonly onEnter: readonly Action[];
  readonly onBack: readonly Action[];
  readonly back: Back | null;
  readonly maxAgeMs: number | null;
  /** Done once when `max_age` is over. */
  readonly onOverdue: readonly Action[];
  /** Its check run is shown from the start, so that branch protection can require it. */
  readonly gate: boolean;
  /** Of the label `stage/<name>`: six hexadecimal digits. */
  readonly color: string;
}

export interface OnPush {
  /** Name of a stage; null: a push moves nothing back (reviews and workflow results still bind to their commit). */
  readonly backTo: string | null;
  /** Cancel the workflow runs that we started for the old head. */
  readonly cancel: boolean;
  /** Pushes by these keep everything, reviews of the commit before included. */
  readonly exceptBy: Names;
}

/** Where a ticket's number is found; globs with one `*` that stands for digits. */
export interface TaskId {
  readonly label: string | null;
  readonly branch: string | null;
  readonly title: string | null;
}

export interface Policy {
  readonly version: 1;
  readonly stages: readonly PolicyStage[];
  readonly onPush: OnPush;
  readonly operators: Names;
  readonly taskId: TaskId;
  readonly maxRounds: number | null;
  /** `gates`: check runs for gates only. */
  readonly checks: "all" | "gates";
  readonly optOutLabel: string;
}

/** No two stages of a policy have the same name. Undefined: it has none of this name. */
export function policyStage({ stages }: Policy, name: string | null): PolicyStage | undefined {
  return stages.find((stage) => stage.name === name);
}

/** The condition that always holds. */
export const ALWAYS: Condition = { kind: "all", of: [] };

/** No stage may have it: the check run about the policy itself is named like those of stages. */
export const POLICY_STAGE_NAME = "policy";

/** What precedes a stage's name in its label. */
export const STAGE_LABEL_PREFIX = "stage/";

/** The app writes `stagewright / <stage>`. */
export const CHECK_NAME_PREFIX = "stagewright / ";

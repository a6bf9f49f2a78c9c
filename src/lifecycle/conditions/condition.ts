/** What a condition is: how it is written, what it means, how it is evaluated. One file each, all in `index.ts`. */
import type { z } from "zod";
import type { Truth } from "../evaluation/evaluation.ts";
import type { Authority } from "../evaluation/permissions.ts";
import type { ConditionMemo } from "../evidence/memo.ts";
import type { ActIndex } from "../facts/act-index.ts";
import type { Act, Actor, Facts, Lookup } from "../facts/facts.ts";
import type { Leaf, LeafKind, Names } from "../policy/policy.ts";

export interface ConditionVerdict {
  readonly truth: Truth;
  /** One sentence: what holds and by whom, or what is missing and who can give it. */
  readonly reason: string;
  /** When it came to hold by an act; null for states, and where it does not hold. */
  readonly at: number | null;
  readonly by: Actor | null;
  readonly evidence: readonly string[];
}

/** Which acts count here. Of any but labels, those that count are the newest: none is older than one that does not. */
export interface ActWindow {
  /** Two windows with one key let the same acts count, and say the same of the others. */
  readonly key: string;
  readonly counts: (act: Act) => boolean;
  /** Null: the act counts. Else why not, completing "it was …". */
  readonly exclusion: (act: Act) => string | null;
}

/** What a condition may look at. */
export interface ConditionContext {
  readonly facts: Facts;
  /** All acts up to the moment looked at; those that no longer count for this stage included. */
  readonly acts: ActIndex;
  readonly window: ActWindow;
  /**
   * The head commit, then the commits before it that pushes excepted by the policy have carried over. Reviews,
   * workflow results and checks of these count.
   */
  readonly commits: readonly string[];
  /** False when a moment of the past is replayed: then `facts` is only asked for what acts cannot tell. */
  readonly present: boolean;
  /** True in a `back` rule: what is not certain is taken for what sends back, since that grants nothing. */
  readonly inBackRule: boolean;
  /** Names of the workflow files that the policy has the app start: of their runs only those count that it started. */
  readonly startedWorkflows: ReadonlySet<string>;
  readonly authority: (actor: Actor, names: Names | null) => Authority;
  readonly ask: (lookup: Lookup) => void;
  readonly ourAppId: number;
  /** Null: nothing is remembered, each condition is evaluated anew. */
  readonly memo: ConditionMemo | null;
}

export interface ConditionDefinition<K extends LeafKind> {
  readonly kind: K;
  /** An act has an author and a date; a state only gates. */
  readonly basis: "act" | "state";
  /** One sentence for the documentation. */
  readonly help: string;
  /** Values as the policy may write them under the condition's key. */
  readonly examples: readonly string[];
  /** What may stand under its key in the policy; its output is the condition with every default filled in. */
  readonly schema: z.ZodType<Leaf<K>>;
  /** A short name for people: `label ready-for-qa`. */
  readonly title: (leaf: Leaf<K>) => string;
  /** Whether a verdict about the past may be another after this act; of those of states none is. */
  readonly concerns: (leaf: Leaf<K>) => (act: Act) => boolean;
  readonly evaluate: (leaf: Leaf<K>, context: ConditionContext) => ConditionVerdict;
}

/** Of conditions that no act concerns. */
export const concernsNone = (): ((act: Act) => boolean) => () => false;

export function holds(reason: string, act?: Act | null): ConditionVerdict {
  return act === undefined || act === null
    ? { truth: "yes", reason, at: null, by: null, evidence: [] }
    : { truth: "yes", reason, at: act.at, by: act.by, evidence: [act.id] };
}

export function fails(reason: string): ConditionVerdict {
  return { truth: "no", reason, at: null, by: null, evidence: [] };
}

export function unknown(reason: string): ConditionVerdict {
  return { truth: "unknown", reason, at: null, by: null, evidence: [] };
}

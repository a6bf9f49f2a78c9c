/** `back` rules: when one fires, and which acts may make it. */
import { commandOfWord } from "../command-names.ts";
import type { ConditionContext } from "../conditions/condition.ts";
import { concernsOf, leavesOf } from "../conditions/index.ts";
import { labelMatcher } from "../evidence/name-patterns.ts";
import type { Act, Actor, Reset } from "../facts/facts.ts";
import { type Leaf, type Names, type PolicyStage, STAGE_LABEL_PREFIX } from "../policy/policy.ts";
import { evaluateTree } from "./condition-tree.ts";
import type { ReplayState, StageProgress } from "./progress.ts";
import type { IndexedReset } from "./resets.ts";

/**
 * The reset that the `back` rule of a stage reached writes, if there is a new one; null: there is none. The furthest
 * stage's rule comes first: it sends back the least. `progress` is that of `state`.
 */
export function firedBack(state: ReplayState, progress: readonly StageProgress[]): IndexedReset | null {
  for (const [index, step] of [...progress.entries()].reverse()) {
    const fired = step.entry === null ? null : firedAt(state, index, step.stage, step.entry.at);
    if (fired !== null && !state.resets.has(fired.reset.id)) {
      return fired;
    }
  }
  return null;
}

function firedAt(state: ReplayState, index: number, stage: PolicyStage, entered: number): IndexedReset | null {
  if (stage.back === null) {
    return null;
  }
  const { when, to } = stage.back;
  const since = sinceOf(state, index, entered);
  const counts = (act: Act): boolean => act.at > since;
  const exclusion = (act: Act): string | null => (counts(act) ? null : `before ${stage.name} was reached`);
  const window = { key: `back ${index} ${since}`, counts, exclusion };
  const context = { ...state.context, window, inBackRule: true, authority: withOwner(state, stage) };
  const evaluated = evaluateTree(when, context);
  const { at, by } = evaluated.node;
  // What only a state says is dated by nothing: states gate, and send nobody back.
  if (evaluated.truth !== "yes" || at === null || by === null) {
    return null;
  }
  const reset: Reset = {
    id: `back:${stage.name}:${evaluated.node.evidence.join(",")}`,
    stage: to,
    head: state.facts.head.sha,
    at,
    by,
    why: "back",
    note: evaluated.node.reason,
  };
  return { reset, index: indexOf(state, to) };
}

/** Where a rule names nobody, the stage's owner may send back, too: often an app, which has no write permission. */
function withOwner({ context }: ReplayState, { owner }: PolicyStage): ConditionContext["authority"] {
  const { authority } = context;
  if (owner === null) {
    return authority;
  }
  const byOwner = AUTHORITIES.get(authority) ?? new Map<string, ConditionContext["authority"]>();
  AUTHORITIES.set(authority, byOwner);
  const names = [owner];
  const known =
    byOwner.get(owner) ??
    ((actor, by) => {
      const may = authority(actor, by);
      return by === null && may.truth !== "yes" && authority(actor, names).truth === "yes"
        ? { truth: "yes", reason: "owns the stage", lookups: [] }
        : may;
    });
  byOwner.set(owner, known);
  return known;
}

/** One for each owner: verdicts are remembered by it. */
const AUTHORITIES = new WeakMap<ConditionContext["authority"], Map<string, ConditionContext["authority"]>>();

/** Since when it is in the stage at `index`: its entry, or a newer reset that left it there. */
export function sinceOf(state: Pick<ReplayState, "resets">, index: number, entered: number): number {
  return Math.max(entered, state.resets.newestBefore(index + 1)?.at ?? entered);
}

/** Index of a stage among those that exist for the pull request: its own, else that of the nearest before it. */
export function indexOf({ policy, stages }: Pick<ReplayState, "policy" | "stages">, name: string | null): number {
  const place = policy.stages.findIndex((stage) => stage.name === name);
  const known = policy.stages.slice(0, place + 1).map((stage) => stage.name);
  return stages.findLastIndex((stage) => known.includes(stage.name));
}

/** Whether an act may change what `back` rules and the conditions of stages say of the past. */
export function concerningActs({ stages }: Pick<ReplayState, "stages" | "policy" | "context">): (act: Act) => boolean {
  const concerns = stages
    .flatMap(({ enter, back }) => [...leavesOf(enter), ...(back === null ? [] : leavesOf(back.when))])
    .map(concernsOf);
  // Pushes decide which commits are in force.
  return (act) => act.kind === "pushed" || concerns.some((concern) => concern(act));
}

/**
 * Whether an act may make a `back` rule fire: it is about something that a condition looks at, and who did it may do
 * that. Progress is not worked out for each act: with an outsider's thousands of reviews it would take seconds.
 */
export function firingActs({
  stages,
  policy,
  context,
}: Pick<ReplayState, "stages" | "policy" | "context">): (act: Act) => boolean {
  if (stages.every((stage) => stage.back === null)) {
    return () => false;
  }
  const asked = stages.flatMap(({ enter, back, owner }): Asked[] => [
    ...leavesOf(enter).map((leaf) => ({ leaf, owner: null })),
    ...(back === null ? [] : leavesOf(back.when).map((leaf) => ({ leaf, owner }))),
  ]);
  const may = (actor: Actor, names: Names | null): boolean => context.authority(actor, names).truth === "yes";
  const mayAny = (actor: Actor, about: (leaf: Leaf) => boolean): boolean =>
    asked.some(({ leaf, owner }) => {
      if (!("by" in leaf) || !about(leaf)) {
        return false;
      }
      return may(actor, leaf.by) || (leaf.by === null && owner !== null && may(actor, [owner]));
    });
  const matchers = new Map(
    asked.flatMap(({ leaf }) => (leaf.kind === "label" ? [[leaf.name, labelMatcher(leaf.name)] as const] : [])),
  );
  const isAbout = (name: string) => (leaf: Leaf) => leaf.kind === "label" && matchers.get(leaf.name)?.(name) === true;
  return (act) => {
    switch (act.kind) {
      case "labeled":
      case "unlabeled": {
        const name = act.label.toLowerCase();
        return act.label.startsWith(STAGE_LABEL_PREFIX)
          ? act.kind === "unlabeled" || may(act.by, policy.operators)
          : act.kind === "unlabeled"
            ? asked.some(({ leaf }) => isAbout(name)(leaf))
            : mayAny(act.by, isAbout(name));
      }
      case "command":
        return (
          act.command === "to" ||
          act.command === "back" ||
          mayAny(act.by, (leaf) => leaf.kind === "command" && commandOfWord(leaf.name) === act.command)
        );
      case "review":
        return mayAny(act.by, (leaf) => leaf.kind === "approvals" || leaf.kind === "changes_requested");
      case "opened":
      case "closed":
        return false;
      default:
        return true;
    }
  };
}

interface Asked {
  readonly leaf: Leaf;
  /** Of the stage whose `back` rule asks; where that names nobody, the owner may. */
  readonly owner: string | null;
}

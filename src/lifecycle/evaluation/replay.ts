/**
 * What acts do to a pull request's way beyond what conditions say of them: resets, overrides, rounds, holds. They are
 * derived from the acts in the order of their dates, each time anew, so it does not matter when we heard of them.
 *
 * For a moment of the past only acts are known, not states. As entries are dated by acts alone, states are taken to
 * have held: a `back` rule fires for the same act whether a check was red for a while or not. A stage's rule holds in
 * the stages after it, too: otherwise a state that nobody remembers would decide whose rule an act fired.
 */

import { commandOfWord } from "../command-names.ts";
import type { ConditionContext } from "../conditions/condition.ts";
import { concernsOf, leavesOf } from "../conditions/index.ts";
import { labelMatcher } from "../conditions/name-patterns.ts";
import { isWithdrawal } from "../facts/act-index.ts";
import type { Act, Actor, Facts, Reset } from "../facts/facts.ts";
import { holdsFrom } from "../facts/order-in-second.ts";
import { isExempt } from "../facts/pushes.ts";
import { type Leaf, type Names, type Policy, type PolicyStage, STAGE_LABEL_PREFIX } from "../policy/policy.ts";
import { evaluateTree } from "./condition-tree.ts";
import type { Hold } from "./evaluation.ts";
import { type Override, progressOf, type ReplayState, type StageProgress } from "./progress.ts";
import { decidedByActs, stateAt } from "./replay-state.ts";
import { type IndexedReset, ResetIndex } from "./resets.ts";

export interface Replay {
  readonly resets: ResetIndex;
  readonly overrides: readonly Override[];
  /** Dates at which it was sent back by a rule or by `/stage back`, since it was last taken off hold. */
  readonly rounds: readonly number[];
  readonly hold: Hold | null;
}

export interface ReplayInput {
  readonly facts: Facts;
  readonly policy: Policy;
  readonly stages: readonly PolicyStage[];
  readonly context: Omit<ConditionContext, "window">;
}

/** Goes through all acts once, in order of date and of their places in one second. */
export function replay(input: ReplayInput): Replay {
  const fold = new ReplayFold(input);
  const { acts } = input.facts;
  for (const [index, act] of acts.entries()) {
    fold.take(act, act.at !== acts[index - 1]?.at && act.at !== acts[index + 1]?.at);
  }
  return fold.result();
}

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

class ReplayFold {
  private readonly input: ReplayInput;
  private readonly stages: readonly PolicyStage[];
  /** Those of the app itself, oldest first: what is not in force at the act that is looked at comes later. */
  private readonly own: IndexedReset[];
  private ownInForce = 0;
  /** Those that follow from acts. */
  private readonly derived: IndexedReset[] = [];
  /** In force at the act that is looked at. */
  private readonly resets: ResetIndex;
  private readonly overrides: Override[] = [];
  private rounds: number[] = [];
  private hold: Hold | null = null;
  private readonly mayFire: (act: Act) => boolean;
  private readonly concerns: (act: Act) => boolean;
  /** Whether something that `back` rules rest on may be another since they were last looked at. */
  private changed = true;

  constructor(input: ReplayInput) {
    this.input = input;
    this.stages = decidedByActs(input.stages);
    this.mayFire = firingActs(input);
    this.concerns = concerningActs(input);
    this.own = input.facts.resets.map((reset) => ({ reset, index: indexOf(input, reset.stage) }));
    this.own.sort((a, b) => a.reset.at - b.reset.at);
    this.resets = new ResetIndex(this.stages.length);
  }

  /** `alone`: no other act has its date and place. */
  take(act: Act, alone: boolean): void {
    for (let next = this.own[this.ownInForce]; next !== undefined && next.reset.at <= act.at; ) {
      this.resets.add(next);
      this.changed = true;
      this.ownInForce += 1;
      next = this.own[this.ownInForce];
    }
    switch (act.kind) {
      case "pushed":
        if (!isExempt(act, this.input.policy, this.input.context.authority)) {
          this.pushBack(act, "push", act.sha);
        }
        break;
      case "base_changed":
        this.pushBack(act, "base_changed", this.input.facts.head.sha);
        break;
      case "drafted":
        this.write(this.resetBy(act, null, "draft", ""));
        break;
      case "reopened":
        this.write(this.resetBy(act, null, "reopened", ""));
        break;
      case "labeled":
        if (act.label.startsWith(STAGE_LABEL_PREFIX)) {
          this.moveTo(act, act.label.slice(STAGE_LABEL_PREFIX.length), false);
        }
        break;
      case "command":
        this.obey(act);
        break;
      default:
        break;
    }
    this.applyBackRule(act, alone);
  }

  result(): Replay {
    const { maxRounds } = this.input.policy;
    const last = maxRounds === null ? undefined : this.rounds[maxRounds - 1];
    const tired: Hold | null =
      last === undefined
        ? null
        : {
            why: "max_rounds",
            at: last,
            by: null,
            reason: `it was sent back ${this.rounds.length} times, and the policy allows ${maxRounds ?? 0}`,
          };
    const resets = new ResetIndex(this.stages.length, [...this.own, ...this.derived]);
    return { resets, overrides: this.overrides, rounds: this.rounds, hold: this.hold ?? tired };
  }

  private obey(act: Extract<Act, { kind: "command" }>): void {
    switch (act.command) {
      case "to":
        this.moveTo(act, act.argument, true);
        break;
      case "back": {
        const granted = act.granted === true;
        if (!granted && !this.maySendBack(act.by)) {
          break;
        }
        // The stage that was shown then, if the app says so: a state may have held it there.
        const shown = this.stages.findIndex((stage) => stage.name === act.argument);
        const reached = shown < 0 ? this.reachedAt(act) : Math.min(shown, this.reachedAt(act));
        const target = this.stages[reached - 1];
        const owner = this.stages[reached]?.owner ?? null;
        const owns = owner !== null && this.input.context.authority(act.by, [owner]).truth === "yes";
        if (target !== undefined && (granted || owns || this.mayMove(act.by))) {
          this.sendBack(act, target.name, `${act.by.login} asked for it`);
        }
        break;
      }
      case "hold":
        if (act.granted === true || this.mayMove(act.by)) {
          this.hold = { why: "command", at: holdsFrom(act.at), by: act.by, reason: act.argument };
        }
        break;
      case "unhold":
        if (act.granted === true || this.mayMove(act.by)) {
          this.hold = null;
          this.rounds = [];
        }
        break;
      default:
        break;
    }
  }

  /** To an earlier stage: back. To a later one: an override, for operators alone. */
  private moveTo(act: Act, name: string, backForWriters: boolean): void {
    const index = this.stages.findIndex((stage) => stage.name === name);
    if (index < 0) {
      return;
    }
    const operator = this.isOperator(act.by);
    if (!operator && !(backForWriters && this.mayMove(act.by))) {
      return;
    }
    if (index < this.reachedAt(act)) {
      this.sendBack(act, name, `${act.by.login} moved it to ${name}`);
    }
    if (operator) {
      this.overrides.push({ id: act.id, at: act.at, by: act.by, index });
      this.changed = true;
    }
  }

  private sendBack(act: Act, to: string, note: string): void {
    this.write(this.resetBy(act, to, "command", note));
    this.rounds.push(act.at);
  }

  private pushBack(act: Act, why: "push" | "base_changed", head: string): void {
    const { backTo } = this.input.policy.onPush;
    if (backTo !== null) {
      this.write({ ...this.resetBy(act, backTo, why, ""), head });
    }
  }

  /** The same acts may fire the rule of one stage after another, but each at most once. */
  private applyBackRule(act: Act, alone: boolean): void {
    this.changed ||= this.input.context.memo === null || !alone || this.concerns(act);
    if (!this.mayFire(act) || !this.changed) {
      return;
    }
    const state = this.stateAt(act);
    const fired = firedBack(state, progressOf(state));
    // What was done at the same date and place is part of the state for one act and not for another.
    this.changed = !alone;
    if (fired !== null) {
      this.add(fired);
      this.rounds.push(fired.reset.at);
    }
  }

  private reachedAt(act: Act): number {
    return progressOf(this.stateAt(act)).findLastIndex((step) => step.entry !== null);
  }

  /** All acts of that second are known, whatever their order in it. */
  private stateAt(act: Act): ReplayState {
    const { input, stages, resets, overrides } = this;
    return stateAt(act.at, isWithdrawal(act), { ...input, stages, resets, overrides });
  }

  private write(reset: Reset): void {
    this.add({ reset, index: indexOf(this.input, reset.stage) });
  }

  private add(reset: IndexedReset): void {
    this.derived.push(reset);
    this.resets.add(reset);
    this.changed = true;
  }

  private resetBy(act: Act, stage: string | null, why: Reset["why"], note: string): Reset {
    return { id: `${why}:${act.id}`, stage, head: this.input.facts.head.sha, at: act.at, by: act.by, why, note };
  }

  private isOperator(actor: Actor): boolean {
    return this.input.context.authority(actor, this.input.policy.operators).truth === "yes";
  }

  private maySendBack(actor: Actor): boolean {
    return (
      this.mayMove(actor) ||
      this.stages.some(({ owner }) => owner !== null && this.input.context.authority(actor, [owner]).truth === "yes")
    );
  }

  private mayMove(actor: Actor): boolean {
    return this.isOperator(actor) || this.input.context.authority(actor, null).truth === "yes";
  }
}

/** Whether an act may change what `back` rules and the conditions of stages say of the past. */
function concerningActs({ stages }: ReplayInput): (act: Act) => boolean {
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
function firingActs({ stages, policy, context }: ReplayInput): (act: Act) => boolean {
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

/**
 * What acts do to a pull request's way beyond what conditions say of them: resets, overrides, rounds, holds. They are
 * derived from the acts in the order of their dates, each time anew, so it does not matter when we heard of them.
 *
 * For a moment of the past only acts are known, not states. As entries are dated by acts alone, states are taken to
 * have held: a `back` rule fires for the same act whether a check was red for a while or not. A stage's rule holds in
 * the stages after it, too: otherwise a state that nobody remembers would decide whose rule an act fired.
 */

import type { ConditionContext } from "../conditions/condition.ts";
import { isWithdrawal } from "../facts/act-index.ts";
import type { Act, Actor, Facts, Reset } from "../facts/facts.ts";
import { holdsFrom } from "../facts/order-in-second.ts";
import { isExempt } from "../facts/pushes.ts";
import { type Policy, type PolicyStage, STAGE_LABEL_PREFIX } from "../policy/policy.ts";
import { concerningActs, firedBack, firingActs, indexOf } from "./back-rules.ts";
import type { Hold } from "./evaluation.ts";
import { type Override, progressOf, type ReplayState } from "./progress.ts";
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

/** Where a pull request is, why, and what it lacks: a function of its facts, the policy and what people may do. */

import { compareText } from "../../ids.ts";
import type { ActWindow, ConditionContext } from "../conditions/condition.ts";
import { ConditionMemo } from "../evidence/memo.ts";
import { labelMatcher } from "../evidence/name-patterns.ts";
import { ActIndex } from "../facts/act-index.ts";
import type { Act, Actor, Facts, Lookup, Permissions } from "../facts/facts.ts";
import { heldFrom, unorderedSeconds, withPlacesInSecond } from "../facts/order-in-second.ts";
import { commitsInForce } from "../facts/pushes.ts";
import { type Names, type Policy, type PolicyStage, STAGE_LABEL_PREFIX } from "../policy/policy.ts";
import { workflowsStarted } from "../policy/workflows-started.ts";
import { earlierHold } from "../presentation/hold.ts";
import { inWholeDates, unclearLabels } from "../presentation/unclear-labels.ts";
import { firedBack, sinceOf } from "./back-rules.ts";
import { evaluateTree } from "./condition-tree.ts";
import type { Evaluation, Hold } from "./evaluation.ts";
import { type Authority, actorKey, authorityOf, canChange } from "./permissions.ts";
import { progressOf, type ReplayState, type StageProgress } from "./progress.ts";
import { type Replay, replay } from "./replay.ts";
import { usedLabelsIn } from "./used-labels.ts";

export interface EvaluateInput {
  readonly facts: Facts;
  readonly policy: Policy;
  readonly permissions: Permissions;
  /** Id of the app itself: its own checks are no evidence. */
  readonly ourAppId: number;
  /** Of the whole repository; left out: it is not on hold. */
  readonly repositoryHold?: Hold | null;
}

/** Where the pull request is now. Never throws; reads no clock: `dueAt` says when it will be overdue. */
export function evaluate(input: EvaluateInput): Evaluation {
  return evaluateWith(input, new ConditionMemo());
}

/** The same; `memo` null: each condition is evaluated anew after each act, which takes long and says the same. */
export function evaluateWith(
  { policy, permissions, ourAppId, repositoryHold = null, ...input }: EvaluateInput,
  memo: ConditionMemo | null,
): Evaluation {
  const facts = withPlacesInSecond(input.facts);
  const lookups = new Map<string, Lookup>();
  const ask = (lookup: Lookup): void => {
    lookups.set(lookupKey(lookup), lookup);
  };
  let people = false;
  const authority = remember((actor: Actor, names: Names | null) => {
    people ||= canChange(actor, names);
    const known = authorityOf(actor, names, permissions);
    known.lookups.forEach(ask);
    return known;
  });
  const acts = ActIndex.of(facts.acts);
  const commits = commitsInForce(acts.pushes(), policy, authority, facts.head.sha);
  const startedWorkflows = workflowsStarted(policy);
  const context = {
    facts,
    acts,
    commits,
    present: true,
    inBackRule: false,
    authority,
    ask,
    ourAppId,
    startedWorkflows,
    memo,
  };
  const { stages, notApplying } = applying(policy, context);
  const inactive = inactiveOf(facts, policy);
  if (inactive === "unknown") {
    return { ...NOWHERE, inactive, lookups: [...lookups.values()] };
  }
  for (const at of unorderedSeconds(input.facts, mattersIn(policy, authority))) {
    ask({ kind: "timeline", at });
  }
  const replayed = replay({ facts, policy, stages, context });
  const { state, progress, rounds } = applyBackRules(
    { facts, policy, stages, resets: replayed.resets, overrides: replayed.overrides, context },
    replayed,
  );
  const usedLabels = usedLabelsIn(state);
  const hold = earlierHold(
    replayed.hold,
    repositoryHold === null ? null : { ...repositoryHold, at: heldFrom(repositoryHold.at) },
  );
  const reached = inactive === null ? reachedBy(progress, hold) : -1;
  const here = progress[reached];
  const next = progress[reached + 1];
  const since = here?.entry == null ? null : sinceOf(state, reached, here.entry.at);
  const maxAge = here?.stage.maxAgeMs ?? null;
  return inWholeDates({
    stage: here?.stage.name ?? null,
    inactive: here !== undefined ? null : (inactive ?? (facts.draft ? "draft" : "conditions")),
    entries: progress.slice(0, reached + 1).flatMap((step) => (step.entry === null ? [] : [step.entry])),
    stages: progress.map(({ stage, result }, index) => ({
      name: stage.name,
      gate: stage.gate,
      reached: index <= reached,
      result,
    })),
    notApplying,
    missing: next === undefined || inactive !== null ? null : { stage: next.stage.name, summary: lacks(next, hold) },
    lookups: [...lookups.values()],
    resets: state.resets
      .all()
      .map((each) => each.reset)
      .sort((a, b) => a.at - b.at || compareText(a.id, b.id)),
    usedLabels,
    people,
    since,
    dueAt: since === null || maxAge === null ? null : since + maxAge,
    rounds,
    held: hold,
    unclear: unclearLabels(input.facts, policy, state, reached),
  });
}

const NOWHERE: Evaluation = {
  stage: null,
  inactive: null,
  entries: [],
  stages: [],
  notApplying: [],
  missing: null,
  lookups: [],
  resets: [],
  usedLabels: [],
  people: false,
  since: null,
  dueAt: null,
  rounds: 0,
  held: null,
  unclear: [],
};

function inactiveOf(facts: Facts, policy: Policy): "unknown" | "closed" | "opted_out" | null {
  if (facts.observed === null) {
    return "unknown";
  }
  if (facts.state === "closed") {
    return "closed";
  }
  return facts.labels.some(labelMatcher(policy.optOutLabel)) ? "opted_out" : null;
}

/** Index of the stage that it is in. On hold it goes no further, but what it loses it loses. */
function reachedBy(progress: readonly StageProgress[], hold: Hold | null): number {
  return progress.findLastIndex((step) => step.entry !== null && (hold === null || step.entry.at <= hold.at));
}

function lacks(next: StageProgress, hold: Hold | null): string {
  return next.entry === null || hold === null
    ? next.result.reason
    : `on hold by ${hold.by?.login ?? "the policy"}${hold.reason === "" ? "" : `: ${hold.reason}`}`;
}

const EVERY_ACT: ActWindow = { key: "every act", counts: () => true, exclusion: () => null };

/** A stage whose `when` cannot be decided yet exists: what is unknown skips nothing. */
function applying(
  { stages: all }: Policy,
  context: Omit<ConditionContext, "window">,
): { readonly stages: readonly PolicyStage[]; readonly notApplying: Evaluation["notApplying"] } {
  const stages: PolicyStage[] = [];
  const notApplying: Evaluation["notApplying"][number][] = [];
  for (const stage of all) {
    const evaluated = stage.when === null ? null : evaluateTree(stage.when, { ...context, window: EVERY_ACT });
    if (evaluated?.truth === "no") {
      notApplying.push({ name: stage.name, gate: stage.gate, reason: evaluated.node.reason });
    } else {
      stages.push(stage);
    }
  }
  return { stages, notApplying };
}

/** The progress of now, with the resets of `back` rules that fire only now because they look at states, too. */
function applyBackRules(
  state: ReplayState,
  replayed: Replay,
): { state: ReplayState; progress: StageProgress[]; rounds: number } {
  let rounds = replayed.rounds.length;
  for (;;) {
    const progress = progressOf(state);
    const fired = firedBack(state, progress);
    if (fired === null) {
      return { state, progress, rounds };
    }
    state.resets.add(fired);
    rounds += 1;
  }
}

/** Labels of stages are the app's own doing, but for those that operators set. */
function mattersIn(policy: Policy, authority: ConditionContext["authority"]): (act: Act) => boolean {
  return (act) => {
    if (act.kind !== "labeled" && act.kind !== "unlabeled") {
      return true;
    }
    return (
      !act.label.toLowerCase().startsWith(STAGE_LABEL_PREFIX) ||
      (act.kind === "labeled" && authority(act.by, policy.operators).truth === "yes")
    );
  };
}

/** Each question is answered once: a long history asks about the same people again and again. */
function remember(ask: ConditionContext["authority"]): ConditionContext["authority"] {
  const answers = new Map<string, Authority>();
  const namesKeys = new WeakMap<Names, string>();
  const keyOf = (names: Names): string => {
    const key = namesKeys.get(names) ?? names.join(" ");
    namesKeys.set(names, key);
    return key;
  };
  return (actor, names) => {
    const key = `${actorKey(actor)} ${names === null ? "write" : keyOf(names)}`;
    const answer = answers.get(key) ?? ask(actor, names);
    answers.set(key, answer);
    return answer;
  };
}

function lookupKey(lookup: Lookup): string {
  switch (lookup.kind) {
    case "permission":
      return `permission ${actorKey(lookup.actor)}`;
    case "team":
      return `team ${lookup.team} ${actorKey(lookup.actor)}`;
    case "identity":
      return `identity ${lookup.login}`;
    case "files":
      return "files";
    case "timeline":
      return `timeline ${lookup.at}`;
    case "suites":
      return `suites ${lookup.sha}`;
    case "run":
      return `run ${lookup.runId} ${lookup.sha} ${lookup.startedOnly ? "started" : "whole"}`;
  }
}

/** Where a pull request is, why, and what it lacks: a function of its facts, the policy and what people may do. */

import type { Context } from "../conditions/condition.ts";
import { labelMatcher } from "../conditions/name-patterns.ts";
import { ActIndex } from "../facts/act-index.ts";
import type { Act, Actor, Facts, Lookup, Permissions } from "../facts/facts.ts";
import { heldFrom, unorderedSeconds, withMoments } from "../facts/order-in-second.ts";
import { commitsInForce } from "../facts/pushes.ts";
import { type Names, type Policy, type PolicyStage, STAGE_LABEL_PREFIX } from "../policy/policy.ts";
import { workflowsStarted } from "../policy/workflows-started.ts";
import { earlierHold } from "../presentation/hold.ts";
import { inWholeDates, unclearLabels } from "../presentation/unclear-labels.ts";
import { judgeTree } from "./condition-tree.ts";
import type { Evaluation, Hold } from "./evaluation.ts";
import { type Authority, actorKey, authorityOf, canChange } from "./permissions.ts";
import { type Journey, type Step, walk } from "./progress.ts";
import { firedBack, type Replay, replay, sinceOf } from "./replay.ts";
import { spentLabels } from "./used-labels.ts";

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
export function evaluate({ policy, permissions, ourAppId, repositoryHold = null, ...told }: EvaluateInput): Evaluation {
  const facts = withMoments(told.facts);
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
  const started = workflowsStarted(policy);
  const context = { facts, acts, commits, present: true, sendsBack: false, authority, ask, ourAppId, started };
  const { stages, notApplying } = applying(policy, context);
  const inactive = inactiveOf(facts, policy);
  if (inactive === "unknown") {
    return { ...NOWHERE, inactive, lookups: [...lookups.values()] };
  }
  for (const at of unorderedSeconds(told.facts, mattersIn(policy, authority))) {
    ask({ kind: "timeline", at });
  }
  const past = replay({ facts, policy, stages, context });
  const { journey, steps, rounds } = settleBackRules(
    { facts, policy, stages, resets: past.resets, overrides: past.overrides, context },
    past,
  );
  const spent = spentLabels(journey);
  const hold = earlierHold(
    past.hold,
    repositoryHold === null ? null : { ...repositoryHold, at: heldFrom(repositoryHold.at) },
  );
  const reached = inactive === null ? reachedBy(steps, hold) : -1;
  const here = steps[reached];
  const next = steps[reached + 1];
  const since = here?.entry == null ? null : sinceOf(journey, reached, here.entry.at);
  const maxAge = here?.stage.maxAgeMs ?? null;
  return inWholeDates({
    stage: here?.stage.name ?? null,
    inactive: here !== undefined ? null : (inactive ?? (facts.draft ? "draft" : "conditions")),
    entries: steps.slice(0, reached + 1).flatMap((step) => (step.entry === null ? [] : [step.entry])),
    stages: steps.map(({ stage, result }, index) => ({
      name: stage.name,
      gate: stage.gate,
      reached: index <= reached,
      result,
    })),
    notApplying,
    missing: next === undefined || inactive !== null ? null : { stage: next.stage.name, summary: lacks(next, hold) },
    lookups: [...lookups.values()],
    resets: journey.resets.map((each) => each.reset).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)),
    spent,
    people,
    since,
    dueAt: since === null || maxAge === null ? null : since + maxAge,
    rounds,
    held: hold,
    unclear: unclearLabels(told.facts, policy, journey, reached),
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
  spent: [],
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
function reachedBy(steps: readonly Step[], hold: Hold | null): number {
  return steps.findLastIndex((step) => step.entry !== null && (hold === null || step.entry.at <= hold.at));
}

function lacks(next: Step, hold: Hold | null): string {
  return next.entry === null || hold === null
    ? next.result.reason
    : `on hold by ${hold.by?.login ?? "the policy"}${hold.reason === "" ? "" : `: ${hold.reason}`}`;
}

/** A stage whose `when` cannot be judged yet exists: what is unknown skips nothing. */
function applying(
  { stages: all }: Policy,
  context: Omit<Context, "discount">,
): { readonly stages: readonly PolicyStage[]; readonly notApplying: Evaluation["notApplying"] } {
  const stages: PolicyStage[] = [];
  const notApplying: Evaluation["notApplying"][number][] = [];
  for (const stage of all) {
    const judged = stage.when === null ? null : judgeTree(stage.when, { ...context, discount: () => null });
    if (judged?.truth === "no") {
      notApplying.push({ name: stage.name, gate: stage.gate, reason: judged.node.reason });
    } else {
      stages.push(stage);
    }
  }
  return { stages, notApplying };
}

/** The walk of now, with what `back` rules that look at states, too, say now and did not say of the past. */
function settleBackRules(start: Journey, past: Replay): { journey: Journey; steps: Step[]; rounds: number } {
  let journey = start;
  let rounds = past.rounds.length;
  for (;;) {
    const steps = walk(journey);
    const fired = firedBack(journey, steps);
    if (fired === null) {
      return { journey, steps, rounds };
    }
    journey = { ...journey, resets: [...journey.resets, fired.reset] };
    rounds += 1;
  }
}

/** Labels of stages are the app's own doing, but for those that operators set. */
function mattersIn(policy: Policy, authority: Context["authority"]): (act: Act) => boolean {
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
function remember(ask: Context["authority"]): Context["authority"] {
  const answers = new Map<string, Authority>();
  return (actor, names) => {
    const key = `${actorKey(actor)} ${names?.join(" ") ?? "write"}`;
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

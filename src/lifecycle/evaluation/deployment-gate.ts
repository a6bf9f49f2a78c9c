/** Whether a job that waits for an environment may begin: a function of its pull request, the policy and the clock. */
import { isFork } from "../actions/action.ts";
import type { Facts } from "../facts/facts.ts";
import type { Policy, PolicyStage } from "../policy/policy.ts";
import type { Evaluation } from "./evaluation.ts";

/** `wait` may become one of the others later. The reasons are sentences for people. */
export type GateVerdict =
  | { readonly verdict: "approved" | "rejected"; readonly reason: string }
  | {
      readonly verdict: "wait";
      readonly reason: string;
      /** False: it may be over in a moment, so nobody needs to be told. */
      readonly tell: boolean;
    };

export interface GatePull {
  readonly facts: Facts;
  readonly evaluation: Evaluation;
  readonly policy: Policy;
  /** The stage that GitHub was confirmed to show; null: none. */
  readonly confirmedStage: string | null;
  /** Commits whose results count for it: the head, and those before it that excepted pushes lead back to. */
  readonly commits: readonly string[];
}

export interface GateInput {
  readonly environment: string;
  /** The commit that the job is about; null: not one of the pull request's own (a merge group's). */
  readonly sha: string | null;
  readonly pull: GatePull;
}

/**
 * The answer for one pull request. It is open once a stage that releases the environment was reached, by the
 * evaluation and by what GitHub shows: whether that happened before the job began to wait or after is the same.
 */
export function evaluateGate({ environment, sha, pull }: GateInput): GateVerdict {
  const { facts, evaluation, policy } = pull;
  const what = `#${facts.number}`;
  if (facts.observed === null) {
    return wait(`${what} is not known yet`, false);
  }
  const releasing = releasingStages(policy, environment);
  if (isFork(facts) && !releasing.some(({ forks }) => forks)) {
    return reject(
      `the head of ${what} is in another repository, and the policy does not say \`forks: true\` where it releases ${environment}`,
    );
  }
  if (sha !== null && !pull.commits.includes(sha)) {
    return wasHead(facts, sha)
      ? reject(`superseded: ${sha.slice(0, 7)} is not the head of ${what} any more`)
      : wait(`${sha.slice(0, 7)} is not known as a commit of ${what} yet`, false);
  }
  const exists = new Set(evaluation.stages.map((stage) => stage.name));
  const possible = releasing.filter(({ stage, forks }) => exists.has(stage.name) && (forks || !isFork(facts)));
  const order = policy.stages.map((stage) => stage.name);
  const closed = facts.state === "closed";
  const shown = order.indexOf(pull.confirmedStage ?? "");
  const evaluated = closed ? shown : order.indexOf(evaluation.stage ?? "");
  const reached = possible.find(({ stage }) => order.indexOf(stage.name) <= Math.min(shown, evaluated));
  if (reached !== undefined && (closed ? facts.merged : evaluation.held === null)) {
    return { verdict: "approved", reason: `${what} has reached ${reached.stage.name}` };
  }
  if (closed) {
    return reject(`${what} was ${facts.merged ? "merged before it reached a stage that releases it" : "closed"}`);
  }
  return waiting(what, environment, possible, pull, evaluated);
}

interface Releasing {
  readonly stage: PolicyStage;
  readonly forks: boolean;
}

function releasingStages(policy: Policy, environment: string): Releasing[] {
  return policy.stages.flatMap((stage) =>
    stage.onEnter.flatMap((action) =>
      action.kind === "release" && sameEnvironment(action.environment, environment)
        ? [{ stage, forks: action.forks }]
        : [],
    ),
  );
}

/** Whether the policy releases any environment at all. */
export function releasesAny(policy: Policy): boolean {
  return policy.stages.some((stage) => stage.onEnter.some((action) => action.kind === "release"));
}

/** GitHub's names of environments are not case sensitive. */
function sameEnvironment(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function wasHead(facts: Facts, sha: string): boolean {
  return (
    sha !== facts.head.sha &&
    (Object.hasOwn(facts.heads, sha) || facts.acts.some((act) => act.kind === "pushed" && act.before === sha))
  );
}

function waiting(
  what: string,
  environment: string,
  possible: readonly Releasing[],
  { evaluation, policy }: GatePull,
  evaluated: number,
): GateVerdict {
  const [first] = possible;
  if (first === undefined) {
    return wait(
      `no stage of the policy that ${what} goes through releases ${environment}: add \`on_enter: [{ release: ${environment} }]\` to one`,
    );
  }
  const name = first.stage.name;
  if (evaluation.held !== null) {
    const { by, reason } = evaluation.held;
    return wait(`${what} is on hold by ${by?.login ?? "the policy"}${reason === "" ? "" : `: ${reason}`}`);
  }
  if (policy.stages.findIndex((stage) => stage.name === name) <= evaluated) {
    return wait(`${what} is about to be shown in ${name}`, false);
  }
  if (evaluation.inactive === "opted_out") {
    return wait(`${what} has the label ${policy.optOutLabel}, so it comes to no stage`);
  }
  const here = evaluation.stage === null ? "in no stage yet" : `in ${evaluation.stage}`;
  const missing =
    evaluation.missing === null ? "" : `. Next is ${evaluation.missing.stage}: ${evaluation.missing.summary}`;
  return wait(`waits until ${what} is in ${name}; it is ${here}${missing}`);
}

export interface UnattachedRun {
  /** What started the run. */
  readonly event: string;
  /** In full (`refs/heads/main`); a name alone may be a tag's, which anybody who may push can give to any commit. */
  readonly ref: string;
  readonly defaultBranch: string;
  /** How long it has waited, and how long it may. Milliseconds. */
  readonly waitedMs: number;
  readonly mostMs: number;
}

/** Runs of the default branch's own commits: what branch protection let in needs no stage. */
const TRUSTED_EVENTS: ReadonlySet<string> = new Set(["push", "schedule"]);

/** Whether the run works on what is on the default branch already, whoever's pull request it came from. */
export function isOfDefaultBranch({
  event,
  ref,
  defaultBranch,
}: Pick<UnattachedRun, "event" | "ref" | "defaultBranch">) {
  return TRUSTED_EVENTS.has(event) && defaultBranch !== "" && ref === `refs/heads/${defaultBranch}`;
}

/**
 * The answer for a run that belongs to no pull request that we know. One may be opened later, so it waits; nobody
 * vouches for it meanwhile, whoever started it.
 */
export function evaluateUnattachedRun(run: UnattachedRun): GateVerdict {
  if (isOfDefaultBranch(run)) {
    return { verdict: "approved", reason: `a run of ${run.defaultBranch} itself` };
  }
  const hours = Math.max(1, Math.round(run.mostMs / 3_600_000));
  return run.waitedMs >= run.mostMs
    ? reject(`no pull request with this commit was opened within ${hours} h`)
    : wait(
        `no open pull request has this commit as its head; it waits ${hours} h for one. Administrators may start it by hand`,
      );
}

/** Of several pull requests with one commit all have to be ready; one that is closed says nothing beside an open one. */
export function combineGateVerdicts(
  verdicts: readonly { readonly open: boolean; readonly verdict: GateVerdict }[],
): GateVerdict {
  const open = verdicts.filter((each) => each.open);
  const decisive = (open.length > 0 ? open : verdicts).map((each) => each.verdict);
  const [first] = decisive;
  if (first === undefined) {
    throw new Error("No pull request was evaluated.");
  }
  return (
    decisive.find((each) => each.verdict === "rejected") ?? decisive.find((each) => each.verdict === "wait") ?? first
  );
}

function reject(reason: string): GateVerdict {
  return { verdict: "rejected", reason };
}

function wait(reason: string, tell = true): GateVerdict {
  return { verdict: "wait", reason, tell };
}

/** What a pull request is to show, how that differs from what it shows, and the writes that make up the difference. */
import { createHash } from "node:crypto";
import type { CheckRead, LabelSeen } from "../../src/github/pulls/pull-fields.ts";
import type { CheckShow, CheckWrite, Transition } from "../../src/github/pulls/transition.ts";
import type { Evaluation } from "../../src/lifecycle/evaluation/evaluation.ts";
import type { CorrectionStop } from "../../src/lifecycle/evaluation/tampering.ts";
import type { Facts } from "../../src/lifecycle/facts/facts.ts";
import { isRead } from "../../src/lifecycle/facts/order-in-second.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { BUTTONS, buttonsOf } from "../../src/lifecycle/presentation/buttons.ts";
import { type DesiredDisplay, desiredDisplay, stageOfLabel } from "../../src/lifecycle/presentation/display.ts";
import { ceased, closedBy, letsPass } from "../../src/lifecycle/presentation/gate-checks.ts";
import { canonicalJson } from "../../src/plan/canonical.ts";
import { clip, markdown, oneLine } from "../../src/report/escape.ts";
import type { ConfirmedCheck, ConfirmedState } from "../store/model.ts";
import { keptBack, type Sharer, type Sharing, sayShared } from "./shared-commits.ts";

const LONGEST_TITLE = 200;

export interface DesiredState {
  readonly stage: string | null;
  /** The one stage label; null: none. */
  readonly label: string | null;
  /** Labels that must not be on it. */
  readonly gone: readonly string[];
  readonly headSha: string;
  readonly checks: readonly CheckShow[];
  /** The commit is the head of other pull requests, too: what is on it is read before it is written. */
  readonly shared: boolean;
  /** Stage labels are left as they are: somebody changes them again and again. */
  readonly left: boolean;
  /** What it follows from: see `basis.ts`. */
  readonly basis?: string;
}

export interface DesiredStateInput {
  readonly facts: Facts;
  readonly evaluation: Evaluation;
  /** The evaluation once all of this is done: what the check runs say is taken from it. */
  readonly after: Evaluation;
  readonly policy: Policy;
  readonly shown: ConfirmedState | null;
  /** Null: the head commit is this pull request's alone. */
  readonly sharing: Sharing | null;
  /** Null: stage labels are put right. */
  readonly stop: CorrectionStop | null;
}

/** Null: it is to be left as it is (closed, or nothing is known of it). */
export function desiredStateOf(input: DesiredStateInput): DesiredState | null {
  const { facts, evaluation, after, policy, shown, sharing, stop } = input;
  const want = desiredDisplay({ evaluation, policy, facts });
  if (want === null) {
    return null;
  }
  const source = sharing === null ? { evaluation: after, facts } : sharing.least;
  const checks = checksOf(source, want, input);
  return {
    stage: evaluation.stage,
    label: want.label,
    gone: want.removeLabels.filter(
      (name) => !isAbsent(name, facts, shown) && (stop === null || stageOfLabel(name) === null),
    ),
    headSha: facts.head.sha,
    checks: source.evaluation.held?.why === "repository" ? unlessLeft(checks, source, want, input) : checks,
    shared: sharing !== null,
    left: stop !== null,
  };
}

/** The check runs of all stages that are shown, and of those that were, as they are to be now. */
function checksOf(source: Omit<Sharer, "number">, want: DesiredDisplay, input: DesiredStateInput): CheckShow[] {
  const { facts, evaluation, policy, shown, sharing, stop } = input;
  const then = source.evaluation === evaluation ? want : (desiredDisplay({ ...source, policy }) ?? want);
  const own = then.checks.map(({ stage, ...check }): CheckShow => {
    // On a shared commit nobody can say which pull request is meant.
    const show = { ...check, actions: sharing === null ? buttonsOf(source.evaluation, stage) : [] };
    const isGate = policy.stages.some((each) => each.name === stage && each.gate);
    return sharing === null || !isGate ? show : keptBack(show, stage, sharing);
  });
  const stopped = stop === null ? own : own.map((check) => sayStopped(check, stop));
  const checks = sharing === null ? stopped : stopped.map((check) => sayShared(check, sharing));
  const names = new Set(checks.map((check) => check.name));
  const left = (shown?.checks ?? []).filter((check) => check.sha === facts.head.sha && !names.has(check.name));
  const others = (sharing?.sharers ?? []).map((sharer) => sharer.evaluation);
  return [...checks, ...left.map((check) => notReached(check, [source.evaluation, ...others], policy))];
}

/**
 * A hold of the whole repository is written where it closes a gate. Every other check run takes it up when it is
 * written for another reason: hundreds of them would stand in the way of the gates, at one request a second.
 */
function unlessLeft(
  checks: readonly CheckShow[],
  source: Omit<Sharer, "number">,
  want: DesiredDisplay,
  input: DesiredStateInput,
): CheckShow[] {
  const sha = input.facts.head.sha;
  const without = { ...source, evaluation: { ...source.evaluation, held: null } };
  const others = new Map(checksOf(without, want, input).map((check) => [check.name, check]));
  return checks.map((check) => {
    const other = others.get(check.name);
    const known = input.shown?.checks.find((each) => each.name === check.name && each.sha === sha);
    return other !== undefined && !letsPass(other) && known?.digest === checkDigest(other) ? other : check;
  });
}

/**
 * Whether GitHub itself said that the label is not there, which counts more than what follows from events: their dates
 * are of whole seconds. Stage labels set by others are read again before anything is decided about them.
 */
function isAbsent(name: string, facts: Facts, shown: ConfirmedState | null): boolean {
  const key = name.toLowerCase();
  if (stageOfLabel(name) !== null) {
    return shown !== null && !shown.labels.some((label) => label.name.toLowerCase() === key);
  }
  const absent = shown?.absent.labels.some((label) => label.toLowerCase() === key) ?? false;
  const given = facts.acts.findLast((act) => act.kind === "labeled" && act.label.toLowerCase() === key);
  const at = shown?.absent.at ?? 0;
  // What GitHub's timeline says of that very second is newer than our read-back in it.
  const known = given?.at === at && isRead(at, facts.orders ?? []);
  return absent && !known && (given === undefined || given.at <= at);
}

/** Said where the buttons are, with one more. */
function sayStopped(check: CheckShow, { until, by }: CorrectionStop): CheckShow {
  if (check.actions.length === 0) {
    return check;
  }
  const time = new Date(until).toISOString().slice(0, 16).replace("T", " ");
  const title = clip(`Stage labels are left as they are until ${time} UTC. ${check.title}`, LONGEST_TITLE);
  const why = `${markdown(by.login)} and perhaps others keep changing stage labels: they are not put right until ${time} UTC, or until somebody presses Retry or comments \`/stage retry\`.`;
  return { ...check, title, summary: `${why}\n\n${check.summary}`, actions: [...check.actions, BUTTONS.retry] };
}

/** A check run cannot be taken away; one whose stage is out of reach again must not stay a success. */
function notReached(
  { name }: ConfirmedCheck,
  evaluations: readonly [Evaluation, ...(readonly Evaluation[])],
  policy: Policy,
): CheckShow {
  const over = ceased(name, evaluations, policy);
  if (over !== null) {
    const check = { name, ...over, text: "", actions: [] };
    const held = evaluations.find((each) => each.held !== null)?.held ?? null;
    return held === null ? check : closedBy(check, held);
  }
  const before = evaluations[0].missing?.stage;
  const title = before === undefined ? "Not reached" : `Waits for ${before}`;
  return { name, status: "queued", conclusion: null, title, summary: title, text: "", actions: [] };
}

/** What is shown instead while a move is blocked: where it was before, why it stays there, and a button. */
export function blockedState(
  desired: DesiredState,
  from: string | null,
  fromLabel: string | null,
  reason: string,
): DesiredState {
  const next = desired.checks.find((check) => check.status === "in_progress") ?? desired.checks.at(-1);
  // The reason may name labels that others set, and quote GitHub.
  const title = clip(oneLine(`Blocked: ${reason}`), LONGEST_TITLE);
  const summary = [
    `${markdown(title)}.`,
    "",
    "GitHub could not be brought to show the pull request's new stage. It is tried again by itself, or at once with the",
    "Retry button, with a comment `/stage retry`, or when something about the pull request changes.",
  ].join("\n");
  return {
    ...desired,
    stage: from,
    label: fromLabel,
    gone: [...desired.gone, ...(desired.label === null ? [] : [desired.label])].filter((name) => name !== fromLabel),
    checks:
      next === undefined
        ? []
        : [
            {
              name: next.name,
              status: "completed",
              conclusion: "action_required",
              title,
              summary,
              text: "",
              actions: [BUTTONS.retry],
            },
          ],
  };
}

export function checkDigest(check: CheckShow): string {
  return digest(check);
}

/** Equal for two that show the same in the end, whatever is there now. */
export function desiredDigest({ stage, label, headSha, checks }: DesiredState): string {
  return digest({ stage, label, headSha, checks });
}

function digest(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("base64url");
}

/** Whether what GitHub confirmed is not what is to be shown. */
export function differs(desired: DesiredState, shown: ConfirmedState | null): boolean {
  return differsInLabels(desired, shown) || checksToWrite(desired, shown).length > 0;
}

/** How many mutations it takes to show that, at most. */
export function mutationsNeeded(desired: DesiredState, shown: ConfirmedState | null): number {
  const { label, left, gone } = desired;
  const on = new Set((shown?.labels ?? []).map((each) => each.name.toLowerCase()));
  const wanted = label?.toLowerCase() ?? null;
  const add = !left && wanted !== null && !on.has(wanted);
  const remove = gone.length > 0 || (!left && [...on].some((name) => name !== wanted));
  return (add ? 1 : 0) + (remove ? 1 : 0) + checksToWrite(desired, shown).length;
}

function differsInLabels(desired: DesiredState, shown: ConfirmedState | null): boolean {
  if (desired.gone.length > 0 || desired.left) {
    return desired.gone.length > 0;
  }
  const labels = (shown?.labels ?? []).map((each) => each.name.toLowerCase());
  return desired.label === null ? labels.length > 0 : labels.length !== 1 || labels[0] !== desired.label.toLowerCase();
}

function checksToWrite(
  desired: DesiredState,
  shown: ConfirmedState | null,
): { show: CheckShow; known: ConfirmedCheck | null }[] {
  return desired.checks.flatMap((show) => {
    const known = shown?.checks.find((check) => check.name === show.name && check.sha === desired.headSha) ?? null;
    const same = known !== null && (known.digest === checkDigest(show) || isWordingAlone(show, known, desired, shown));
    return same ? [] : [{ show, known }];
  });
}

/**
 * Whether all that is new is how it is said: an upgrade does not rewrite the check runs of all open pull requests. The
 * new words are written when something happens to the pull request.
 */
function isWordingAlone(
  show: CheckShow,
  known: ConfirmedCheck,
  { basis }: DesiredState,
  shown: ConfirmedState | null,
): boolean {
  const same = basis !== undefined && basis === shown?.basis;
  // What GitHub was seen to show otherwise than we would has no digest.
  return same && known.digest !== "" && (known.seen?.startsWith(`${show.conclusion ?? show.status}: `) ?? false);
}

/** Names of all labels whose ids are needed to make this pull request show that. */
export function labelsNeeded(desired: DesiredState, shown: ConfirmedState | null): string[] {
  const on = shown?.labels ?? [];
  const known = new Set(on.map((each) => each.name.toLowerCase()));
  const add = !desired.left && desired.label !== null && !known.has(desired.label.toLowerCase()) ? [desired.label] : [];
  return [...add, ...desired.gone.filter((name) => !known.has(name.toLowerCase()))];
}

export interface WriteInput {
  readonly number: number;
  readonly pullNodeId: string;
  readonly repositoryNodeId: string;
  readonly desired: DesiredState;
  readonly shown: ConfirmedState | null;
  /** Ids by name; null or missing: there is no such label, so it cannot be on anything. */
  readonly labelIds: Readonly<Record<string, string | null>>;
  readonly detailsUrl: string | null;
}

/** Only what is different. */
export function writesFor(input: WriteInput): Transition {
  const { desired, shown, labelIds } = input;
  const on = shown?.labels ?? [];
  const wantedLabel = desired.label?.toLowerCase() ?? null;
  const remove = new Set<string>();
  for (const each of on) {
    if (!desired.left && each.name.toLowerCase() !== wantedLabel) {
      remove.add(each.nodeId);
    }
  }
  for (const name of desired.gone) {
    const id = on.find((each) => each.name.toLowerCase() === name.toLowerCase())?.nodeId ?? labelIds[name];
    if (id != null) {
      remove.add(id);
    }
  }
  const isOn = on.some((each) => each.name.toLowerCase() === wantedLabel);
  const add = desired.left || desired.label === null || isOn ? null : (labelIds[desired.label] ?? null);
  const checks = checksToWrite(desired, shown).map(({ show, known }): CheckWrite => {
    const externalId = `stagewright:${input.number}:${show.name}`;
    // A completed check run is not opened again: a new one of the same name takes its place.
    const reopened = known?.completed === true && show.status !== "completed";
    return known === null || reopened
      ? { kind: "create", show, externalId }
      : { kind: "update", nodeId: known.nodeId, show, externalId };
  });
  return {
    pullNodeId: input.pullNodeId,
    repositoryNodeId: input.repositoryNodeId,
    headSha: desired.headSha,
    removeLabelIds: [...remove],
    addLabelIds: add === null ? [] : [add],
    checks,
    detailsUrl: input.detailsUrl,
  };
}

export interface ReadInput {
  readonly stage: string | null;
  readonly labels: readonly LabelSeen[];
  /** Labels that are to be gone, and the pull request's `updated_at` when that was confirmed. */
  readonly absent: ConfirmedState["absent"];
  readonly checks: readonly ConfirmedCheck[];
}

/** What is shown, as a read just told. */
export function confirmedStateOf({ stage, labels, absent, checks }: ReadInput): ConfirmedState {
  return { stage, labels: labels.filter((label) => stageOfLabel(label.name) !== null), absent, checks };
}

/** What can be compared cheaply: a check run's texts are long, and others' are read with ours. */
export function seenText({ status, conclusion, title }: Pick<CheckRead, "status" | "conclusion" | "title">): string {
  return `${conclusion ?? status}: ${title}`;
}

/** A check run that GitHub confirmed; `show` null: it shows something else than what we would. */
export function shownCheck(read: CheckRead, sha: string, show: CheckShow | null): ConfirmedCheck {
  return {
    name: read.name,
    nodeId: read.nodeId,
    sha,
    completed: read.status === "completed",
    seen: seenText(read),
    digest: show === null ? "" : checkDigest(show),
  };
}

/** What becomes of a move: confirmed, put off, given up for now, or dropped; each stored with its reason. */
import type { PullSeen } from "../../src/github/pulls/pull-fields.ts";
import type { Evaluation } from "../../src/lifecycle/evaluation/evaluation.ts";
import { overdueAndHoldActions } from "../../src/lifecycle/evaluation/overdue-and-hold.ts";
import { transitionActions } from "../../src/lifecycle/evaluation/transition-actions.ts";
import type { Change } from "../../src/lifecycle/facts/change.ts";
import type { Facts } from "../../src/lifecycle/facts/facts.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import { stageLabel, stageOfLabel } from "../../src/lifecycle/presentation/display.ts";
import { canonicalJson } from "../../src/plan/canonical.ts";
import { audit } from "../audit/audit.ts";
import { effectRows } from "../effects/effect.ts";
import { tellWoken } from "../evaluation/dependents.ts";
import { blockedState, type DesiredState, desiredDigest } from "../evaluation/desired-state.ts";
import { meansTheSame } from "../evaluation/same-meaning.ts";
import type { Ourselves } from "../github-cache/clients.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { proposalOf } from "../policies/proposal.ts";
import { changePull, parked, readAgain, sooner } from "../store/change-pull.ts";
import { movedLines, noteLine } from "../store/history.ts";
import type { ConfirmedState, Intent, NewEffect, NewHistory, Pull } from "../store/model.ts";
import type { Runtime } from "../work/runtime.ts";
import type { TransitionFailure } from "./failure.ts";
import type { PendingTransition } from "./verify.ts";

export interface TransitionResultsOptions
  extends Pick<Runtime, "store" | "log" | "now" | "timings" | "wakeups" | "writers"> {
  readonly ourselves: () => Ourselves;
  /** Counts what becomes of moves. */
  readonly metrics?: Pick<Metrics, "moved" | "transitioned" | "timed"> | undefined;
}

const MOST_NOTES = 20;

export class TransitionResults {
  readonly #options: TransitionResultsOptions;

  constructor(options: TransitionResultsOptions) {
    this.#options = options;
  }

  /**
   * GitHub shows what it is to show. `seen`: the pull request as the read-back showed it; `policyOid`: the policy file
   * of its head commit, undefined where nothing told of it.
   */
  async confirm(
    pending: PendingTransition,
    seen: PullSeen | null,
    shown: ConfirmedState | null,
    policyOid?: string | null,
  ): Promise<void> {
    const { store, log, now, ourselves } = this.#options;
    const { pull, intent, repository, evaluated, desired } = pending;
    const from = pull.confirmed?.stage ?? null;
    const to = desired.stage;
    const { evaluation } = evaluated;
    let effects: NewEffect[] = [];
    let moved: readonly NewHistory[] = [];
    let isTold = false;
    const head = evaluated.facts.head.sha;
    const proposal = await proposalOf({ store, pull, repository, head, oid: policyOid, now: now() });
    const written = await changePull(
      store,
      pull,
      now,
      (row) => {
        if (row === null) {
          return null;
        }
        const at = now();
        const reached = row.confirmed?.stage ?? from;
        if (reached !== from) {
          // Somebody else has confirmed it since: what came of it is told once.
          effects = [];
          moved = [];
          isTold = true;
          return reached === to ? null : { pull: readAgain(row, at) };
        }
        const newer = decidedSince(pull, row);
        effects = [...effectsOf(pending, from, newer ? pull : row, at), ...(proposal === null ? [] : [proposal])];
        const facts = seen === null ? row.facts : withSeen(row.facts, seen, removedBy(evaluated, shown));
        const notes = [...intent.notes, ...pending.notes];
        moved = movedLines({ id: row, from, to, evaluation, facts: evaluated.facts, now: at });
        const history: NewHistory[] = [
          ...notes.map((note) => noteLine(row, "note", note, at)),
          ...moved,
          ...(row.blocked === null ? [] : [noteLine(row, "unblocked", "the move could be made", at)]),
        ];
        // Somebody may have touched the labels while the request was on its way: then there is more to read.
        const ours = row.intent === null || row.intent.id === intent.id;
        const touched = row.intent?.read === true && !intent.read;
        const keep = !ours || touched || (newer && row.intent !== null);
        // What was heard meanwhile was evaluated before this was known.
        const differs =
          newer ||
          mayBeDecidedSince(pull, row, evaluation) ||
          !meansTheSame(row.facts, evaluated.facts, ourselves()) ||
          !meansTheSame(facts, row.facts, ourselves());
        const next: Pull = {
          ...row,
          facts,
          confirmed:
            shown === null
              ? null
              : {
                  ...shown,
                  stage: to,
                  checks: currentChecks(shown, facts.head.sha),
                  shared: desired.shared,
                  ...(desired.basis === undefined ? {} : { basis: desired.basis }),
                  ...sinceOf(row, facts),
                },
          evaluation: newer ? row.evaluation : evaluation,
          blocked: null,
          intent: keep && row.intent !== null ? goneOn(row.intent, intent, to, at) : null,
          intentAt: keep ? (row.intentAt ?? at) : null,
          reevaluateAt: differs ? sooner(row.reevaluateAt, at) : row.reevaluateAt,
        };
        const wakes = { repositoryId: row.repositoryId, number: row.number, headSha: facts.head.sha };
        return { pull: next, history, effects, wakes };
      },
      pull,
      (woken) => tellWoken(this.#options, woken),
    );
    if (written !== null && !isTold) {
      this.#options.metrics?.moved("verified");
      if (from !== to) {
        this.#options.metrics?.transitioned();
      }
      this.#tellTime("verified", pending);
      for (const { from: left, to: reached, actor: by, evidence } of moved) {
        audit(log, "pull.moved", { ...nameOf(pending), by, from: left, to: reached, evidence });
      }
    }
    if (written !== null && effects.length > 0) {
      this.#options.wakeups.notify("effects");
    }
    log.info(
      { repository: `${repository.owner}/${repository.name}`, pull: pull.number, from, to, tries: intent.tries },
      "confirmed",
    );
    if (written?.reevaluateAt != null) {
      this.#options.wakeups.notify("pulls");
    }
  }

  /** It is tried again after the pause. What was sent stays marked as sent. */
  async postpone(pull: Pull, { code, text }: TransitionFailure, pause: number): Promise<void> {
    const { store, log, now } = this.#options;
    await changePull(store, pull, now, (row) => {
      if (row === null || row.intent === null) {
        return null;
      }
      const tries = Math.max(row.intent.tries, pull.intent?.tries ?? 0);
      const notes = [...row.intent.notes, `${text}; looked again after ${Math.ceil(pause / 1000)} s`];
      const intent = { ...row.intent, tries, notes: notes.slice(-MOST_NOTES) };
      return { pull: { ...row, intent, intentAt: now() + pause } };
    });
    this.#options.metrics?.moved("retried");
    log.warn({ pull: pull.number, repositoryId: pull.repositoryId, code, reason: text, pause }, "put off");
  }

  /** GitHub shows another head than was known: it is learnt, and the move is decided again with it. */
  async anotherHead(pull: Pull, seen: PullSeen): Promise<void> {
    const { store, log, now, timings } = this.#options;
    const pause = timings.retryPauses[0] ?? timings.reevaluationPause;
    await changePull(store, pull, now, (row) => {
      if (row === null || row.intent === null) {
        return null;
      }
      const facts = withSeen(row.facts, seen);
      const at = now();
      // Where an event told of a newer head than this, GitHub has answered with something old.
      const learnt = facts.head.sha === seen.state.head.sha;
      return {
        pull: { ...row, facts, reevaluateAt: sooner(row.reevaluateAt, at), intentAt: learnt ? at : at + pause },
      };
    });
    log.info({ pull: pull.number, repositoryId: pull.repositoryId, head: seen.state.head.sha }, "another head");
    this.#options.wakeups.notify("pulls");
  }

  /** There is nothing to move any more. */
  async drop(pull: Pull): Promise<void> {
    const { store, now } = this.#options;
    await changePull(store, pull, now, (row) =>
      row === null || row.intent === null || row.intent.id !== pull.intent?.id || decidedSince(pull, row)
        ? null
        : { pull: { ...row, ...parked(row) } },
    );
  }

  /** Given up for now. `shown`: what GitHub shows after the old label was written back; null: that is not known. */
  async block(pending: PendingTransition, failure: TransitionFailure, shown: ConfirmedState | null): Promise<void> {
    const { store, log, now, timings } = this.#options;
    const reason = failure.text;
    const code = failure.code === "behind" ? "not_shown" : failure.code;
    const { pull, intent, desired, repository } = pending;
    const from = pull.confirmed?.stage ?? null;
    let isFirst = false;
    await changePull(store, pull, now, (row) => {
      isFirst = false;
      if (row === null) {
        return null;
      }
      if (decidedSince(pull, row)) {
        // Something else is wanted by now: that is tried, whatever became of this.
        const notes = [...(row.intent ?? intent).notes, reason].slice(-MOST_NOTES);
        const anew: Intent = { ...(row.intent ?? intent), tries: 0, read: true, notes };
        return { pull: { ...row, intent: anew, intentAt: now(), reevaluateAt: sooner(row.reevaluateAt, now()) } };
      }
      const at = now();
      const times = (row.blocked?.times ?? 0) + 1;
      isFirst = times === 1;
      const pause = Math.min(timings.blockedPause * 2 ** (times - 1), timings.blockedPauseMost);
      const to = desired.stage ?? "no stage";
      const line: NewHistory = {
        ...noteLine(row, "blocked", `the move to ${to} is blocked: ${reason}`, at),
        from,
        to: desired.stage,
      };
      const next: Pull = {
        ...row,
        confirmed: shown === null ? row.confirmed : { ...shown, stage: from, ...sinceOf(row, row.facts) },
        ...(shown === null ? parked({ ...row, intent: { ...intent, read: true } }) : { intent: null, intentAt: null }),
        blocked: { at, to: desired.stage, code, reason, times, until: at + pause, wanted: desiredDigest(desired) },
        reevaluateAt: sooner(row.reevaluateAt, at + pause),
      };
      return { pull: next, history: [...intent.notes.map((note) => noteLine(row, "note", note, at)), line] };
    });
    this.#options.metrics?.moved("blocked");
    if (isFirst) {
      audit(log, "pull.blocked", { ...nameOf(pending), by: null, to: desired.stage, reason: code });
      this.#tellTime("blocked", pending);
    }
    log.error({ repository: `${repository.owner}/${repository.name}`, pull: pull.number, code, reason }, "blocked");
    this.#options.wakeups.notify("pulls");
  }

  /** How long it took from the event on; of what events were heard before this was kept, that is not known. */
  #tellTime(outcome: "verified" | "blocked", { pull, intent, repository, writtenAt }: PendingTransition): void {
    const { metrics, now, writers } = this.#options;
    const { heardAt, createdAt } = intent;
    if (heardAt === undefined || repository.installationId === null) {
      return;
    }
    const at = now();
    const readyAt = Math.max(createdAt, pull.intentAt ?? 0);
    const writer = writers.of(repository.installationId);
    const pacedMs = writer.pacedFor({ heardAt, readyAt, writtenAt: writtenAt ?? at });
    metrics?.timed({ outcome, tookMs: at - heardAt, pacedMs });
  }

  /** What is shown while the move is blocked. */
  blockedState(pending: PendingTransition, reason: string): DesiredState {
    const from = pending.pull.confirmed?.stage ?? null;
    return blockedState(pending.desired, from, from === null ? null : stageLabel(from), reason);
  }
}

function nameOf({ repository, pull }: PendingTransition) {
  return { repository: `${repository.owner}/${repository.name}`, pull: pull.number };
}

/** What was decided while it was on its way goes on from where it is now, and was heard since it was sent. */
function goneOn(next: Intent, confirmed: Intent, from: string | null, at: number): Intent {
  return { ...next, sentAt: null, from, heardAt: confirmed.sentAt ?? at };
}

/** Whether the pull request was evaluated anew while its move was on its way, and came out otherwise. */
function decidedSince(sent: Pull, row: Pull): boolean {
  return row.version !== sent.version && canonicalJson(row.evaluation) !== canonicalJson(sent.evaluation);
}

/**
 * A hold that was given, sent and ended again leaves the row as it was before: only what was sent with it tells. `sent`:
 * what the move was decided on when it was sent.
 */
function mayBeDecidedSince(pull: Pull, row: Pull, sent: Evaluation): boolean {
  return row.version !== pull.version && canonicalJson(row.evaluation) !== canonicalJson(sent);
}

/** What the stages that the move leads into do, and what is to be done now that it is there; each once. */
function effectsOf(
  { pull, intent, repository, evaluated }: PendingTransition,
  from: string | null,
  row: Pull,
  now: number,
) {
  const { installationId } = repository;
  const to = evaluated.evaluation.stage;
  if (installationId === null) {
    return [];
  }
  const moved = from === to ? [] : transitionActions({ from, ...evaluated });
  const meanwhile = to === null ? [] : overdueAndHoldActions({ before: row.evaluation, ...evaluated, now });
  return effectRows(pull, installationId, [...moved, ...meanwhile], now, `${intent.id}-${from ?? ""}`);
}

/** The facts with the states that a read-back showed. */
function withSeen(facts: Facts, seen: PullSeen, removed?: Removed): Facts {
  const pull = { installationId: facts.installationId, repository: seen.state.repository, number: facts.number };
  return record(facts, {
    kind: "snapshot",
    pull,
    state: seen.state,
    acts: [],
    checks: null,
    files: null,
    headAt: null,
    ...(removed === undefined ? {} : { removed }),
  });
}

type Removed = NonNullable<Extract<Change, { kind: "snapshot" }>["removed"]>;

/** What the resets that were known had made void, and the read-back showed gone. */
function removedBy({ evaluation }: PendingTransition["evaluated"], shown: ConfirmedState | null): Removed | undefined {
  const labels = (shown?.absent.labels ?? []).filter((name) => stageOfLabel(name) === null);
  return labels.length === 0 ? undefined : { labels, after: evaluation.resets.map((reset) => reset.id) };
}

/** Since when something is shown: kept from the first time on. */
function sinceOf({ confirmed }: Pull, { updatedAt }: Facts): Pick<ConfirmedState, "since"> {
  return confirmed === null ? { since: updatedAt } : confirmed.since === undefined ? {} : { since: confirmed.since };
}

/** Those of commits that are heads no more cannot be shown again. */
function currentChecks(shown: ConfirmedState, headSha: string): ConfirmedState["checks"] {
  return shown.checks.filter((check) => check.sha === headSha);
}

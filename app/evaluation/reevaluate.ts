/** Looks at pull requests about which something is new, and decides what they are to show. */
import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { overdueAndHoldActions } from "../../src/lifecycle/evaluation/overdue-and-hold.ts";
import { mergingStages } from "../../src/lifecycle/evaluation/transition-actions.ts";
import type { Lookup } from "../../src/lifecycle/facts/facts.ts";
import { sameFacts } from "../../src/lifecycle/facts/same-facts.ts";
import { canonicalJson } from "../../src/plan/canonical.ts";
import { effectRows } from "../effects/effect.ts";
import { changePull, parked, pullKey, sooner } from "../store/change-pull.ts";
import type { Intent, NewEffect, Pull, PullId, Repository } from "../store/model.ts";
import type { InHand } from "../work/in-hand.ts";
import type { Runtime } from "../work/runtime.ts";
import { WorkerLoop } from "../work/worker-loop.ts";
import { wakeDependents } from "./dependents.ts";
import { desiredDigest, differs } from "./desired-state.ts";
import type { EvaluatedPull, Evaluator } from "./evaluator.ts";
import { concernsGroups, reopenGroups } from "./holds/merge-groups.ts";
import { closesGate } from "./holds/open-gates.ts";
import { tamperingEffects } from "./tampering.ts";
import { timelineDueAt } from "./timelines.ts";
import { unclearEffects } from "./unclear.ts";

export interface ReevaluationOptions extends Runtime {
  readonly evaluator: Evaluator;
  /** Written down before they are looked at. */
  readonly inHand: Pick<InHand, "ready" | "mark" | "done">;
}

interface Decided {
  /** The row as it is to be. */
  readonly next: Pull;
  readonly effects: readonly NewEffect[];
  /** Whether what waits to be merged should look again. */
  readonly hasten: boolean;
}

const PAGE = 64;
const CONCURRENCY = 8;
/** Before everything that is due by its date: until a gate is closed, what it should keep back can be merged. */
const FIRST = 1;
/** After this many writes of others in between it is left for the next time. */
const MOST_TRIES = 5;

export class Reevaluation {
  readonly #options: ReevaluationOptions;
  readonly #loop: WorkerLoop;

  constructor(options: ReevaluationOptions) {
    this.#options = options;
    const failed = (error: unknown): void => options.log.error({ err: error }, "looking at pull requests failed");
    this.#loop = new WorkerLoop(() => this.#work(), options.now, failed);
    options.wakeups.on("pulls", () => this.wake());
  }

  wake(): void {
    this.#loop.wake();
  }

  get idle(): boolean {
    return this.#loop.idle;
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async #work(): Promise<number | null> {
    const { store, now, inHand } = this.#options;
    await inHand.ready();
    for (;;) {
      const due = [...(await store.dueReevaluations(now(), PAGE))];
      if (due.length === 0) {
        return await store.nextReevaluationAt();
      }
      await inHand.mark("look", due.map(pullKey));
      const worker = async (): Promise<void> => {
        for (let id = due.shift(); id !== undefined; id = due.shift()) {
          // A look may wait for nothing but promises that are already kept: webhooks must be answered in between.
          await setImmediate();
          await this.look(id);
        }
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, worker));
      inHand.done("look");
    }
  }

  /** Looks at one pull request now, if it is due. */
  async look(id: PullId): Promise<void> {
    const { store, log, now } = this.#options;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const row = await store.pull(id);
      if (row === null || row.reevaluateAt === null || row.reevaluateAt > now()) {
        return;
      }
      const { next, effects, hasten } = await this.#decide(row);
      const outcome = await store.commit({ pulls: [next], effects, now: now() });
      if (outcome.committed) {
        if (hasten) {
          await store.hastenEffects(id, "auto_merge", now());
        }
        const groups =
          concernsGroups(row.evaluation, next.evaluation) && (await reopenGroups(store, id.repositoryId, now()));
        if (hasten || groups || effects.length > 0) {
          this.#options.wakeups.notify("effects");
        }
        await wakeDependents(this.#options, id, next.facts.head.sha);
        await this.#tellSharers(row, next);
        if (next.intentAt !== null && next.installationId !== null) {
          this.#options.wakeups.notify("transitions");
        }
        return;
      }
    }
    log.debug({ pull: id.number, repositoryId: id.repositoryId }, "changed again and again while it was looked at");
  }

  /** Never throws. */
  async #decide(row: Pull): Promise<Decided> {
    const { store, evaluator, log, now } = this.#options;
    const repository = await store.repository(row.repositoryId);
    if (repository === null || repository.installationId === null) {
      return { next: { ...row, reevaluateAt: null, ...parked(row) }, effects: [], hasten: false };
    }
    if (row.blocked?.setAside === true) {
      return { next: { ...row, reevaluateAt: null, ...parked(row) }, effects: [], hasten: false };
    }
    const names = { repository: `${repository.owner}/${repository.name}`, pull: row.number };
    try {
      const evaluated = await evaluator.evaluate(row, repository);
      const next = this.#settle(row, repository, evaluated);
      log.info(
        {
          ...names,
          stage: evaluated.evaluation.stage,
          shown: row.confirmed?.stage ?? null,
          inactive: evaluated.evaluation.inactive,
          missing: evaluated.evaluation.missing?.summary ?? null,
          decided: next.intentAt !== null,
        },
        "looked",
      );
      const merging = mergingStages(evaluated.policy.stages).some((each) => each.name === next.confirmed?.stage);
      const effects = [
        ...this.#effects(row, repository, evaluated),
        ...this.#tampering(row, repository, evaluated),
        ...this.#unclear(row, repository, evaluated),
      ];
      return { next, effects, hasten: merging };
    } catch (error) {
      const pause = this.#pause(row.reevaluationTries);
      log.warn(
        { ...names, err: error, pause, tries: row.reevaluationTries + 1 },
        "could not be looked at, will be tried again",
      );
      return {
        next: { ...row, reevaluateAt: now() + pause, reevaluationTries: row.reevaluationTries + 1 },
        effects: [],
        hasten: false,
      };
    }
  }

  /** What is to be done while it stays where it is; each is known by its key, so asking again adds nothing. */
  #effects(row: Pull, { installationId }: Repository, { evaluation, policy, facts }: EvaluatedPull): NewEffect[] {
    const now = this.#options.now();
    if (installationId === null || evaluation.stage === null || evaluation.stage !== row.confirmed?.stage) {
      return [];
    }
    const actions = overdueAndHoldActions({ before: row.evaluation, evaluation, policy, facts, now });
    return effectRows(row, installationId, actions, now);
  }

  #unclear(row: Pull, { installationId }: Repository, { evaluation, desired }: EvaluatedPull): NewEffect[] {
    return installationId === null || desired === null
      ? []
      : unclearEffects(row, installationId, evaluation, this.#options.now());
  }

  /** Nothing is said of what was done before the app first showed anything, however late that is looked at. */
  #tampering(row: Pull, { installationId }: Repository, { tampering, desired }: EvaluatedPull): NewEffect[] {
    if (installationId === null || desired === null || row.confirmed === null) {
      return [];
    }
    const since = row.confirmed.since ?? 0;
    const attempts = tampering.attempts.filter(({ act }) => act.at > since);
    return tamperingEffects(row, installationId, { ...tampering, attempts }, this.#options.now());
  }

  #settle(row: Pull, repository: Repository, { facts, evaluation, desired, tampering }: EvaluatedPull): Pull {
    const now = this.#options.now();
    const base: Pull = {
      ...row,
      installationId: repository.installationId,
      facts: sameFacts(facts, row.facts) ? row.facts : facts,
      evaluation,
      reevaluationTries: 0,
      reevaluateAt: sooner(
        sooner(
          evaluation.dueAt !== null && evaluation.dueAt > now ? evaluation.dueAt : null,
          tampering.stop?.until ?? null,
        ),
        sooner(this.#askAgainAt(evaluation.lookups), timelineDueAt(evaluation.lookups)),
      ),
      intent: null,
      intentAt: null,
    };
    if (desired === null) {
      return { ...base, ...parked(row) };
    }
    const { blocked } = row;
    if (blocked !== null && blocked.wanted === desiredDigest(desired) && blocked.until > now && row.intentAt === null) {
      return { ...base, ...parked(row), reevaluateAt: sooner(base.reevaluateAt, blocked.until) };
    }
    const pending = row.intent;
    // What was sent and not confirmed may show on GitHub, whatever is wanted now: it must be read.
    const unknown = pending !== null && (pending.sentAt !== null || pending.read);
    // Whose check runs are the newest on a shared commit is not known by heart.
    const read = desired.shared || row.confirmed?.shared === true;
    if (!differs(desired, row.confirmed) && !unknown) {
      return { ...base, blocked: null };
    }
    const fresh: Intent = {
      id: randomUUID(),
      from: row.confirmed?.stage ?? null,
      to: desired.stage,
      createdAt: now,
      tries: 0,
      sentAt: null,
      notes: [],
      read,
    };
    const intent = pending === null ? fresh : { ...pending, to: desired.stage, read: pending.read || read };
    // What was sent already keeps its pause: GitHub may not show yet what it did.
    const at = pending === null ? now : (row.intentAt ?? now);
    const urgent = !unknown && closesGate(desired, row.confirmed);
    return { ...base, intent, intentAt: urgent ? Math.min(at, row.reevaluateAt ?? at, FIRST) : at };
  }

  /** What is shown of others with the same head commit, now or until now, depends on where this one is. */
  async #tellSharers(before: Pull, after: Pull): Promise<void> {
    const { store, now } = this.#options;
    const { sha } = after.facts.head;
    const shas = new Set((before.confirmed?.checks ?? []).map((check) => check.sha).filter((each) => each !== sha));
    if (canonicalJson(before.evaluation) !== canonicalJson(after.evaluation)) {
      shas.add(sha);
    }
    for (const headSha of shas) {
      for (const id of await store.pullIds({ repositoryId: after.repositoryId, headSha, open: true })) {
        if (id.number !== after.number) {
          await changePull(store, id, now, (row) =>
            row === null ? null : { pull: { ...row, reevaluateAt: sooner(row.reevaluateAt, now()) } },
          );
        }
      }
    }
  }

  /** So many runs are asked about at a time; what GitHub does not show of suites yet it shows a little later. */
  #askAgainAt(lookups: readonly Lookup[]): number | null {
    const { now, timings } = this.#options;
    return lookups.some(({ kind }) => kind === "run")
      ? now() + timings.reevaluationPause
      : lookups.some(({ kind }) => kind === "suites")
        ? now() + 5 * timings.reevaluationPause
        : null;
  }

  #pause(tries: number): number {
    const { reevaluationPause, reevaluationPauseMost } = this.#options.timings;
    return Math.min(reevaluationPause * 2 ** tries, reevaluationPauseMost);
  }
}

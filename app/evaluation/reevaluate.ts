/**
 * Evaluates pull requests about which something is new, and decides what they are to show:
 *
 *   facts ──► evaluation ──► desired state ──► intent
 */
import { LRUCache } from "lru-cache";
import { mergingStages } from "../../src/lifecycle/evaluation/transition-actions.ts";
import { parked, pullKey, pullOf } from "../store/change-pull.ts";
import type { NewEffect, Pull } from "../store/model.ts";
import { backoffPause } from "../work/backoff.ts";
import { DueWorker } from "../work/due-worker.ts";
import type { Alone, ProgressMarks } from "../work/in-progress/in-progress.ts";
import { setPullAside } from "../work/in-progress/set-aside.ts";
import type { Runtime } from "../work/runtime.ts";
import { tellSharers, tellWoken } from "./dependents.ts";
import { effectsOfEvaluation } from "./effects.ts";
import type { Evaluator } from "./evaluator.ts";
import { withIntent } from "./intent.ts";
import { concernsGroups, reopenGroups } from "./merge-groups/reopen.ts";
import { PageRules, type RepositoryRules, type RulesOptions } from "./repository-rules.ts";

export interface ReevaluationOptions extends Runtime {
  readonly evaluator: Evaluator;
  readonly policies: RulesOptions["policies"];
  /** WriteAnswer down before they are evaluated. */
  readonly inProgress: ProgressMarks;
}

interface Decision {
  /** The row as it is to be. */
  readonly next: Pull;
  readonly effects: readonly NewEffect[];
  /** Whether what waits to be merged should be tried again. */
  readonly hasten: boolean;
}

/** After this many writes of others in between it is left for the next time. */
const MOST_TRIES = 5;
/** Pull requests of which it is remembered since when they wait, over what they are asked again for. */
const MOST_HEARD = 10_000;
/** Those that come before everything else are given no date, see `close-gates.ts`. */
const NO_DATE = 1;

export class Reevaluation {
  readonly #options: ReevaluationOptions;
  readonly #rules: PageRules;
  /** Since when something has been due of which the evaluation could not tell yet. */
  readonly #heard = new LRUCache<string, number>({ max: MOST_HEARD });
  readonly worker: DueWorker<Pull>;

  constructor(options: ReevaluationOptions) {
    const { pulls } = options.store.due;
    this.#options = options;
    this.#rules = new PageRules(options);
    this.worker = new DueWorker<Pull>(options, {
      what: "evaluations",
      topic: "pulls",
      kind: "reevaluation",
      idOf: pullKey,
      repositoryOf: ({ repositoryId }) => repositoryId,
      outlook: (until) => pulls.outlook(until),
      due: (installationId, until, limit) => pulls.of(installationId, until, limit),
      handle: async (rows, { page }) => {
        for (const row of rows) {
          await this.#reevaluate(row, page);
        }
      },
      failed: async (row, failure) => {
        if (failure.kind !== "rate_limit") {
          await this.#later(row, backoffPause(this.#pauses(), row.reevaluationTries, failure));
        }
      },
    });
  }

  /**
   * From the facts that are known to what is to be sent. `rules` null: nothing is to be done about it. Throws what
   * GitHub's client throws.
   */
  async #decide(row: Pull, rules: RepositoryRules | null): Promise<Decision> {
    const { evaluator, now, timings } = this.#options;
    if (rules === null) {
      return { next: { ...row, reevaluateAt: null, ...parked(row) }, effects: [], hasten: false };
    }
    const evaluated = await evaluator.evaluate(row, rules.repository, rules);
    const next = withIntent(row, rules.repository, evaluated, { now: now(), timings, heardAt: this.#heardAt(row) });
    const effects = effectsOfEvaluation(row, rules.repository.installationId, evaluated, now());
    const hasten = mergingStages(rules.policy.stages).some((stage) => stage.name === next.confirmed?.stage);
    this.#log(row, rules, evaluated, next);
    return { next, effects, hasten };
  }

  /** One pull request while nothing else goes on, if it is due. */
  readonly alone: Alone = {
    attempt: async (key) => {
      const row = await this.#options.store.pull(pullOf(key));
      if (row !== null) {
        await this.worker.alone(row, row.installationId);
      }
    },
    setAside: (key, why) => setPullAside(this.#options.store, pullOf(key), why, this.#options.now),
  };

  /** If it is still due: it may have been written by others since it was read. */
  async #reevaluate(given: Pull, givenPage: object): Promise<void> {
    const { store, log, now } = this.#options;
    let row: Pull | null = given;
    let page = givenPage;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      if (row === null || row.reevaluateAt === null || row.reevaluateAt > now()) {
        return;
      }
      const setAside = row.blocked?.setAside === true;
      const decision = await this.#decide(row, setAside ? null : await this.#rules.of(page, row.repositoryId));
      const { next, effects } = decision;
      const wakes = { repositoryId: row.repositoryId, number: row.number, headSha: next.facts.head.sha };
      const outcome = await store.commit({ pulls: [next], effects, wakes, now: now() });
      if (outcome.committed) {
        if (outcome.woken !== undefined) {
          tellWoken(this.#options, outcome.woken);
        }
        this.#noteHeard(row, next);
        await this.#tell(row, decision);
        return;
      }
      row = await store.pull(given);
      page = {};
    }
    const { number: pull, repositoryId } = given;
    log.debug({ pull, repositoryId }, "changed again and again while it was evaluated");
  }

  #heardAt(row: Pull): number {
    const now = this.#options.now();
    const due = row.reevaluateAt === null || row.reevaluateAt <= NO_DATE ? now : Math.min(row.reevaluateAt, now);
    return Math.min(this.#heard.get(pullKey(row)) ?? due, due);
  }

  /** What is not decided yet, because GitHub is asked something first, has been waiting since it was heard. */
  #noteHeard(row: Pull, next: Pull): void {
    const { now, timings } = this.#options;
    const soon = now() + 5 * timings.reevaluationPause;
    if (next.intentAt === null && next.reevaluateAt !== null && next.reevaluateAt <= soon) {
      this.#heard.set(pullKey(row), this.#heardAt(row));
    } else {
      this.#heard.delete(pullKey(row));
    }
  }

  /** Whatever rests on where the pull request is. */
  async #tell(row: Pull, { next, effects, hasten }: Decision): Promise<void> {
    const { store, now, wakeups } = this.#options;
    if (hasten) {
      await store.hastenEffects(row, "auto_merge", now());
    }
    const groups =
      concernsGroups(row.evaluation, next.evaluation) && (await reopenGroups(store, row.repositoryId, now()));
    if (hasten || groups || effects.length > 0) {
      wakeups.notify("effects");
    }
    await tellSharers(this.#options, row, next);
    if (next.intentAt !== null) {
      wakeups.notify("transitions");
    }
  }

  /** Only if nothing was heard of it since: what is new is evaluated at once. */
  async #later(row: Pull, pause: number): Promise<void> {
    const { store, now, log } = this.#options;
    const tries = row.reevaluationTries + 1;
    const { number: pull, repositoryId } = row;
    log.warn({ pull, repositoryId, pause, tries }, "could not be evaluated, will be tried again");
    this.#heard.set(pullKey(row), this.#heardAt(row));
    const later = { ...row, reevaluateAt: now() + pause, reevaluationTries: tries };
    await store.commit({ pulls: [later], now: now() });
  }

  #pauses() {
    const { reevaluationPause, reevaluationPauseMost } = this.#options.timings;
    return { first: reevaluationPause, most: reevaluationPauseMost };
  }

  #log(
    row: Pull,
    { repository }: RepositoryRules,
    { evaluation }: Awaited<ReturnType<Evaluator["evaluate"]>>,
    next: Pull,
  ): void {
    this.#options.log.info(
      {
        repository: `${repository.owner}/${repository.name}`,
        pull: row.number,
        stage: evaluation.stage,
        confirmed: row.confirmed?.stage ?? null,
        inactive: evaluation.inactive,
        // The stage alone: what is missing may hold words that people wrote.
        missing: evaluation.missing?.stage ?? null,
        decided: next.intentAt !== null,
      },
      "evaluated",
    );
  }
}

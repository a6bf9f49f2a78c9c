/**
 * One round of moves: what may have been applied already is read, the difference is written in one request, and each
 * pull request is verified by its own read-back. A stage counts as reached, and the history says so, only then.
 */
import { GraphqlUnread } from "../../src/github/graphql.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { MOST_READ, readCurrentDisplay } from "../../src/github/pulls/current-display.ts";
import { mutationCount, sendTransitions, type WriteAnswer } from "../../src/github/pulls/transition.ts";
import type { RequestFailure } from "../../src/github/request-failure.ts";
import { confirmedStateOf, differs, mutationsNeeded } from "../evaluation/desired-state.ts";
import type { Evaluator } from "../evaluation/evaluator.ts";
import { PageRules, type RulesOptions } from "../evaluation/repository-rules.ts";
import type { LabelIds } from "../github-cache/label-ids.ts";
import type { Intent, Pull, PullId, Repository } from "../store/model.ts";
import { failureOfWork } from "../work/failure.ts";
import type { Runtime } from "../work/runtime.ts";
import type { InstallationWriter } from "../work/writer/installation-writer.ts";
import { BatchSize } from "./batch-size.ts";
import { BEHIND, failureOf } from "./failure.ts";
import { Writes, withinBudget } from "./plan.ts";
import type { TransitionResults } from "./result.ts";
import { TransitionRetries } from "./retry.ts";
import { isOutOfDate, type PendingTransition, type PreparedTransition, verifyWritten, withRead } from "./verify.ts";

export interface TransitionSenderOptions extends Runtime {
  readonly evaluator: Evaluator;
  readonly policies: RulesOptions["policies"];
  readonly labelIds: LabelIds;
  readonly results: TransitionResults;
  readonly appId: number;
  /** Where a person can read about a pull request; null: nowhere. */
  readonly detailsUrl: (repository: Repository, number: number) => string | null;
}

export class TransitionSender {
  readonly #options: TransitionSenderOptions;
  readonly #writes: Writes;
  readonly #retries: TransitionRetries;
  readonly #rules: PageRules;
  /** By installation: how long its requests take is its own. */
  readonly #sizes = new Map<number, BatchSize>();

  constructor(options: TransitionSenderOptions) {
    this.#options = options;
    this.#rules = new PageRules(options);
    this.#writes = new Writes(options);
    this.#retries = new TransitionRetries({ ...options, writes: this.#writes });
  }

  /** How many mutations the next request to this installation may hold. */
  budget(installationId: number): number {
    return this.#sizeOf(installationId).mutations;
  }

  /**
   * Sends as many of them, from the first, as one request may hold; the others are left as they are. Never throws for
   * GitHub's sake: what could not be done is put off or given up, each with its reason. `page`: stands for what was
   * taken from the store together.
   */
  async round(pulls: readonly Pull[], writer: InstallationWriter, page: object = {}): Promise<void> {
    const evaluated = await this.#evaluated(pulls, writer, page);
    if (evaluated.length === 0) {
      return;
    }
    let client: GitHubClient;
    try {
      client = await this.#options.clients.installation(writer.installationId);
    } catch (error) {
      await this.#retries.all(evaluated, error, writer);
      return;
    }
    const known = await this.#read(client, evaluated, writer);
    const todo: PendingTransition[] = [];
    for (const pending of known) {
      if (differs(pending.desired, pending.shown)) {
        todo.push(pending);
      } else {
        await this.#options.results.confirm(pending, pending.seen, pending.shown);
      }
    }
    const prepared = await this.#prepare(client, todo, writer);
    const batch = await this.#markSent(withinBudget(prepared, this.budget(writer.installationId)));
    if (batch.length > 0) {
      await this.#send(client, batch, writer);
    }
  }

  /** What kept it from being sent was none of GitHub's answers to it. */
  async failed(pull: Pull, failure: RequestFailure): Promise<void> {
    const { results, timings } = this.#options;
    await results.postpone(pull, failureOf(failure), failure.retryAfterMs ?? timings.reevaluationPause);
  }

  /** Evaluated as they are sent, and no more of them: who waits is evaluated when it is sent. */
  async #evaluated(pulls: readonly Pull[], writer: InstallationWriter, page: object): Promise<PendingTransition[]> {
    const evaluated: PendingTransition[] = [];
    let left = this.budget(writer.installationId);
    for (const pull of pulls) {
      if (writer.isHeld) {
        break;
      }
      const pending = await this.#evaluate(pull, page);
      if (pending !== null) {
        evaluated.push(pending);
        const mutations = mutationsNeeded(pending.desired, pending.shown);
        left -= mutations;
        // What comes next takes about as much.
        if (left < mutations) {
          break;
        }
      }
    }
    return evaluated;
  }

  /** Null: there is nothing to do for it (any more). */
  async #evaluate(pull: Pull, page: object): Promise<PendingTransition | null> {
    const { evaluator, results } = this.#options;
    const { intent } = pull;
    if (intent === null) {
      return null;
    }
    try {
      const rules = await this.#rules.of(page, pull.repositoryId);
      if (rules === null) {
        await results.drop(pull);
        return null;
      }
      const { repository } = rules;
      const evaluated = await evaluator.evaluate(pull, repository, rules);
      const { desired } = evaluated;
      if (desired === null) {
        await results.drop(pull);
        return null;
      }
      return {
        pull,
        intent,
        repository,
        evaluated,
        desired,
        shown: pull.confirmed,
        seen: null,
        notes: [],
        writtenAt: null,
      };
    } catch (error) {
      await results.postpone(pull, failureOf(failureOfWork(error, this.#options.now())), this.#pauseOf(error));
      return null;
    }
  }

  /** Reads those that may show something else than we know, all with one query. */
  async #read(
    client: GitHubClient,
    all: readonly PendingTransition[],
    writer: InstallationWriter,
  ): Promise<PendingTransition[]> {
    const { appId, results, timings } = this.#options;
    const known = all.filter(({ intent }) => !intent.read && intent.sentAt === null);
    const unknown = all.filter(({ intent }) => intent.read || intent.sentAt !== null).slice(0, MOST_READ);
    if (unknown.length === 0) {
      return known;
    }
    let answers: Awaited<ReturnType<typeof readCurrentDisplay>>;
    try {
      const ids = unknown.map(({ evaluated }) => evaluated.facts.nodeId);
      answers = await readCurrentDisplay(client, ids, appId, AbortSignal.timeout(timings.requestTimeout));
    } catch (error) {
      await this.#retries.all(unknown, error, writer);
      return known;
    }
    const read: PendingTransition[] = [];
    for (const [index, pending] of unknown.entries()) {
      const now = answers[index] ?? null;
      if (now === null) {
        await results.drop(pending.pull);
      } else if (now instanceof GraphqlUnread) {
        await this.#retries.all([pending], now, writer);
      } else if (now.pull.state.head.sha !== pending.desired.headSha) {
        // What is on the commit that we took for the head was not read, so nothing may be written to it.
        await results.anotherHead(pending.pull, now.pull);
      } else if (isOutOfDate(pending, now) && this.#options.now() - pending.intent.createdAt < timings.settled) {
        const pause = timings.retryPauses[0] ?? timings.reevaluationPause;
        await results.postpone(pending.pull, BEHIND, pause);
      } else {
        read.push(withRead(pending, now));
      }
    }
    return [...known, ...read];
  }

  /** The writes of each; those that need none are confirmed. */
  async #prepare(
    client: GitHubClient,
    all: readonly PendingTransition[],
    writer: InstallationWriter,
  ): Promise<PreparedTransition[]> {
    const { results } = this.#options;
    const writing: PreparedTransition[] = [];
    for (const [, group] of Map.groupBy(all, ({ repository }) => repository.id)) {
      let prepared: readonly PreparedTransition[];
      try {
        prepared = await this.#writes.prepare(client, group, writer);
      } catch (error) {
        await this.#retries.all(group, error, writer);
        continue;
      }
      for (const each of prepared) {
        if (mutationCount(each.transition) > 0) {
          writing.push(each);
          continue;
        }
        const { pending } = each;
        const { desired, shown, evaluated } = pending;
        // What is to go is a label that the repository does not have.
        const absent = { labels: desired.gone, at: evaluated.facts.updatedAt };
        const { stage } = desired;
        const now = confirmedStateOf({ stage, labels: shown?.labels ?? [], absent, checks: shown?.checks ?? [] });
        await results.confirm(pending, pending.seen, now);
      }
    }
    return writing;
  }

  /** From now on each of them may have been applied, whatever becomes of us: that is stored before it is sent. */
  async #markSent(prepared: readonly PreparedTransition[]): Promise<PreparedTransition[]> {
    const { store, now } = this.#options;
    const marked: PreparedTransition[] = [];
    let waiting = [...prepared];
    while (waiting.length > 0) {
      const sentAt = now();
      const pulls = waiting.map(({ pending: { pull, intent } }) => ({
        ...pull,
        intent: { ...intent, sentAt, tries: intent.tries + 1 },
      }));
      const outcome = await store.commit({ pulls, now: sentAt });
      if (outcome.committed) {
        for (const { pending, transition } of waiting) {
          const { pull, intent } = pending;
          const sent: Intent = { ...intent, sentAt, tries: intent.tries + 1 };
          const row: Pull = { ...pull, intent: sent, version: pull.version + 1 };
          marked.push({ transition, pending: { ...pending, pull: row, intent: sent } });
        }
        return marked;
      }
      // Something new about that one: it stays due, and is evaluated anew in the next round.
      const { conflict } = outcome;
      waiting = waiting.filter(({ pending }) => !sameId(pending.pull, conflict));
    }
    return marked;
  }

  async #send(client: GitHubClient, batch: readonly PreparedTransition[], writer: InstallationWriter): Promise<void> {
    const { timings, log, results, now } = this.#options;
    const size = this.#sizeOf(writer.installationId);
    const transitions = batch.map(({ transition }) => transition);
    const mutations = transitions.reduce((sum, each) => sum + mutationCount(each), 0);
    let answers: readonly WriteAnswer[];
    let writtenAt: number | null = null;
    try {
      answers = await writer.write(() => {
        writtenAt = now();
        const send = () => sendTransitions(client, transitions, AbortSignal.timeout(timings.requestTimeout));
        return size.learnFrom(mutations, now, send);
      });
    } catch (error) {
      await this.#retries.all(
        batch.map(({ pending }) => pending),
        error,
        writer,
      );
      return;
    }
    log.info({ installation: writer.installationId, pulls: batch.length, mutations }, "sent");
    for (const [index, { pending, transition }] of batch.entries()) {
      const written = answers[index];
      const verdict = written === undefined ? null : verifyWritten(pending, transition, written);
      if (written === undefined || verdict === null) {
        throw new Error("There are fewer answers than transitions.");
      }
      if (verdict.right) {
        const sent = { ...pending, writtenAt };
        await results.confirm(sent, written.pull ?? pending.seen, verdict.shown, written.policyOid);
      } else {
        await this.#retries.refused(client, { pending, transition }, written, verdict.reason, writer);
      }
    }
  }

  #sizeOf(installationId: number): BatchSize {
    let size = this.#sizes.get(installationId);
    if (size === undefined) {
      size = new BatchSize({ target: this.#options.timings.requestTarget });
      this.#sizes.set(installationId, size);
    }
    return size;
  }

  #pauseOf(error: unknown): number {
    const { timings, now } = this.#options;
    return failureOfWork(error, now()).retryAfterMs ?? timings.reevaluationPause;
  }
}

function sameId(a: PullId, b: PullId): boolean {
  return a.repositoryId === b.repositoryId && a.number === b.number;
}

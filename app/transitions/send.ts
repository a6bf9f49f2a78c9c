/**
 * One round of moves: what may have been applied already is read, the difference is written in one request, and each
 * pull request is judged by its own read-back. A stage counts as reached, and the history says so, only then.
 */
import type { Logger } from "pino";
import { GraphqlUnread } from "../../src/github/graphql.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { MOST_READ, readShown } from "../../src/github/pulls/current-display.ts";
import { mutationCount, sendTransitions, type Written } from "../../src/github/pulls/transition.ts";
import { requestFailure } from "../../src/github/request-failure.ts";
import { confirmedStateOf, differs } from "../evaluation/desired-state.ts";
import type { Evaluator } from "../evaluation/evaluator.ts";
import type { Clients } from "../github-cache/clients.ts";
import type { LabelIds } from "../github-cache/label-ids.ts";
import type { Intent, Pull, PullId, Repository, Store } from "../store/model.ts";
import type { Timings } from "../work/timings.ts";
import { Writes, withinBudget } from "./plan.ts";
import type { InstallationWriter } from "./queue.ts";
import type { Outcomes } from "./result.ts";
import { describeFailure, Setbacks } from "./retry.ts";
import { type Candidate, isOutOfDate, judgeWritten, type Prepared, withRead } from "./verify.ts";

export interface TransitionSenderOptions {
  readonly store: Store;
  readonly clients: Clients;
  readonly evaluator: Evaluator;
  readonly labelIds: LabelIds;
  readonly outcomes: Outcomes;
  readonly appId: number;
  readonly log: Logger;
  readonly now: () => number;
  readonly timings: Timings;
  /** Where a person can read about a pull request; null: nowhere. */
  readonly detailsUrl: (repository: Repository, number: number) => string | null;
}

export class TransitionSender {
  readonly #options: TransitionSenderOptions;
  readonly #writes: Writes;
  readonly #setbacks: Setbacks;

  constructor(options: TransitionSenderOptions) {
    this.#options = options;
    this.#writes = new Writes(options);
    this.#setbacks = new Setbacks({ ...options, writes: this.#writes });
  }

  /** Never throws for GitHub's sake: what could not be done is put off or given up, each with its reason. */
  async round(pulls: readonly Pull[], writer: InstallationWriter): Promise<void> {
    const judged: Candidate[] = [];
    for (const pull of pulls) {
      const candidate = await this.#evaluator(pull);
      if (candidate !== null) {
        judged.push(candidate);
      }
    }
    if (judged.length === 0) {
      return;
    }
    let client: GitHubClient;
    try {
      client = await this.#options.clients.installation(writer.installationId);
    } catch (error) {
      await this.#setbacks.all(judged, error, writer);
      return;
    }
    const known = await this.#read(client, judged, writer);
    const todo: Candidate[] = [];
    for (const candidate of known) {
      if (differs(candidate.desired, candidate.shown)) {
        todo.push(candidate);
      } else {
        await this.#options.outcomes.confirm(candidate, candidate.seen, candidate.shown);
      }
    }
    const prepared = await this.#prepare(client, todo, writer);
    const batch = await this.#markSent(withinBudget(prepared, writer.budget));
    if (batch.length > 0) {
      await this.#send(client, batch, writer);
    }
  }

  /** Null: there is nothing to do for it (any more). */
  async #evaluator(pull: Pull): Promise<Candidate | null> {
    const { store, evaluator, outcomes } = this.#options;
    const repository = await store.repository(pull.repositoryId);
    if (pull.intent === null) {
      return null;
    }
    if (repository === null || repository.installationId === null) {
      await outcomes.drop(pull);
      return null;
    }
    const { intent } = pull;
    try {
      const evaluated = await evaluator.evaluate(pull, repository);
      const { desired } = evaluated;
      if (desired === null) {
        await outcomes.drop(pull);
        return null;
      }
      return { pull, intent, repository, evaluated, desired, shown: pull.shown, seen: null, notes: [] };
    } catch (error) {
      await outcomes.postpone(pull, describeFailure(requestFailure(error, this.#options.now())), this.#pauseOf(error));
      return null;
    }
  }

  /** Reads those that may show something else than we know, all with one query. */
  async #read(
    client: GitHubClient,
    candidates: readonly Candidate[],
    writer: InstallationWriter,
  ): Promise<Candidate[]> {
    const { appId, outcomes, timings } = this.#options;
    const known = candidates.filter(({ intent }) => !intent.read && intent.sentAt === null);
    const unknown = candidates.filter(({ intent }) => intent.read || intent.sentAt !== null).slice(0, MOST_READ);
    if (unknown.length === 0) {
      return known;
    }
    let answers: Awaited<ReturnType<typeof readShown>>;
    try {
      const ids = unknown.map(({ evaluated }) => evaluated.facts.nodeId);
      answers = await readShown(client, ids, appId, AbortSignal.timeout(timings.requestTimeout));
    } catch (error) {
      await this.#setbacks.all(unknown, error, writer);
      return known;
    }
    const read: Candidate[] = [];
    for (const [index, candidate] of unknown.entries()) {
      const now = answers[index] ?? null;
      if (now === null) {
        await outcomes.drop(candidate.pull);
      } else if (now instanceof GraphqlUnread) {
        await this.#setbacks.all([candidate], now, writer);
      } else if (now.pull.state.head.sha !== candidate.desired.headSha) {
        // What is on the commit that we took for the head was not read, so nothing may be written to it.
        await outcomes.anotherHead(candidate.pull, now.pull);
      } else if (isOutOfDate(candidate, now) && this.#options.now() - candidate.intent.createdAt < timings.settled) {
        const pause = timings.retryPauses[0] ?? timings.reevaluationPause;
        await outcomes.postpone(candidate.pull, "GitHub answered with what was there before our last write", pause);
      } else {
        read.push(withRead(candidate, now));
      }
    }
    return [...known, ...read];
  }

  /** The writes of each; those that need none are confirmed. */
  async #prepare(
    client: GitHubClient,
    candidates: readonly Candidate[],
    writer: InstallationWriter,
  ): Promise<Prepared[]> {
    const { outcomes } = this.#options;
    const writing: Prepared[] = [];
    for (const [, group] of Map.groupBy(candidates, ({ repository }) => repository.id)) {
      let prepared: readonly Prepared[];
      try {
        prepared = await this.#writes.prepare(client, group, writer);
      } catch (error) {
        await this.#setbacks.all(group, error, writer);
        continue;
      }
      for (const each of prepared) {
        if (mutationCount(each.transition) > 0) {
          writing.push(each);
          continue;
        }
        const { candidate } = each;
        const { desired, shown, evaluated } = candidate;
        // What is to go is a label that the repository does not have.
        const absent = { labels: desired.gone, at: evaluated.facts.updatedAt };
        const { stage } = desired;
        const now = confirmedStateOf({ stage, labels: shown?.labels ?? [], absent, checks: shown?.checks ?? [] });
        await outcomes.confirm(candidate, candidate.seen, now);
      }
    }
    return writing;
  }

  /** From now on each of them may have been applied, whatever becomes of us: that is stored before it is sent. */
  async #markSent(prepared: readonly Prepared[]): Promise<Prepared[]> {
    const { store, now } = this.#options;
    const marked: Prepared[] = [];
    let waiting = [...prepared];
    while (waiting.length > 0) {
      const sentAt = now();
      const pulls = waiting.map(({ candidate: { pull, intent } }) => ({
        ...pull,
        intent: { ...intent, sentAt, tries: intent.tries + 1 },
      }));
      const outcome = await store.commit({ pulls, now: sentAt });
      if (outcome.committed) {
        for (const { candidate, transition } of waiting) {
          const { pull, intent } = candidate;
          const sent: Intent = { ...intent, sentAt, tries: intent.tries + 1 };
          const row: Pull = { ...pull, intent: sent, version: pull.version + 1 };
          marked.push({ transition, candidate: { ...candidate, pull: row, intent: sent } });
        }
        return marked;
      }
      // Something new about that one: it stays due, and is judged anew in the next round.
      const { conflict } = outcome;
      waiting = waiting.filter(({ candidate }) => !sameId(candidate.pull, conflict));
    }
    return marked;
  }

  async #send(client: GitHubClient, batch: readonly Prepared[], writer: InstallationWriter): Promise<void> {
    const { timings, log, outcomes } = this.#options;
    const transitions = batch.map(({ transition }) => transition);
    const mutations = transitions.reduce((sum, each) => sum + mutationCount(each), 0);
    let answers: readonly Written[];
    try {
      answers = await writer.write(mutations, () =>
        sendTransitions(client, transitions, AbortSignal.timeout(timings.requestTimeout)),
      );
    } catch (error) {
      await this.#setbacks.all(
        batch.map(({ candidate }) => candidate),
        error,
        writer,
      );
      return;
    }
    log.info({ installation: writer.installationId, pulls: batch.length, mutations }, "sent");
    for (const [index, { candidate, transition }] of batch.entries()) {
      const written = answers[index];
      const verdict = written === undefined ? null : judgeWritten(candidate, transition, written);
      if (written === undefined || verdict === null) {
        throw new Error("There are fewer answers than transitions.");
      }
      if (verdict.right) {
        await outcomes.confirm(candidate, written.pull ?? candidate.seen, verdict.shown, written.policyOid);
      } else {
        await this.#setbacks.refused(client, { candidate, transition }, written, verdict.reason, writer);
      }
    }
  }

  #pauseOf(error: unknown): number {
    const { timings, now } = this.#options;
    return requestFailure(error, now()).retryAfterMs ?? timings.reevaluationPause;
  }
}

function sameId(a: PullId, b: PullId): boolean {
  return a.repositoryId === b.repositoryId && a.number === b.number;
}

/**
 * One round of moves: what may have been applied already is read, the difference is written in one request, and each
 * pull request is judged by its own read-back. A stage counts as reached, and the history says so, only then.
 */
import type { Logger } from "pino";
import type { NewLabel } from "../src/github/labels.ts";
import type { GitHubClient } from "../src/github/port.ts";
import type { PullSeen } from "../src/github/pull-fields.ts";
import { type RequestFailure, requestFailure } from "../src/github/request-failure.ts";
import { MOST_READ, readShown, type ShownNow } from "../src/github/shown.ts";
import {
  judgeLabels,
  mutationCount,
  sendTransitions,
  showsCheck,
  type Transition,
  type Written,
} from "../src/github/transition.ts";
import { stageLabel, stageOfLabel, triggerLabels } from "../src/lifecycle/display.ts";
import type { Policy } from "../src/lifecycle/policy.ts";
import type { Clients } from "./clients.ts";
import type { Lane } from "./effects.ts";
import type { Judge, Judgement } from "./judge.ts";
import type { KnownLabels, LabelIds } from "./label-ids.ts";
import type { Outcomes } from "./outcomes.ts";
import { differs, labelsNeeded, type Showing, shownCheck, shownOf, writesFor } from "./showing.ts";
import type { Intent, Pull, PullId, Repository, Shown, Store } from "./store/store.ts";
import type { Timings } from "./timings.ts";

export interface MoverOptions {
  readonly store: Store;
  readonly clients: Clients;
  readonly judge: Judge;
  readonly labelIds: LabelIds;
  readonly outcomes: Outcomes;
  readonly appId: number;
  readonly log: Logger;
  readonly now: () => number;
  readonly timings: Timings;
  /** Where a person can read about a pull request; null: nowhere. */
  readonly detailsUrl: (repository: Repository, number: number) => string | null;
}

/** A pull request on its way through a round. */
export interface Candidate {
  readonly pull: Pull;
  readonly intent: Intent;
  readonly repository: Repository;
  readonly judgement: Judgement;
  readonly showing: Showing;
  /** What GitHub shows as far as we know: confirmed earlier, or read just now. */
  readonly shown: Shown | null;
  /** What was read just now. */
  readonly seen: PullSeen | null;
  readonly notes: readonly string[];
}

interface Prepared {
  readonly candidate: Candidate;
  readonly transition: Transition;
}

export class Mover {
  readonly #options: MoverOptions;

  constructor(options: MoverOptions) {
    this.#options = options;
  }

  /** Never throws for GitHub's sake: what could not be done is put off or given up, each with its reason. */
  async round(pulls: readonly Pull[], lane: Lane): Promise<void> {
    const judged: Candidate[] = [];
    for (const pull of pulls) {
      const candidate = await this.#judge(pull);
      if (candidate !== null) {
        judged.push(candidate);
      }
    }
    if (judged.length === 0) {
      return;
    }
    let client: GitHubClient;
    try {
      client = await this.#options.clients.installation(lane.installationId);
    } catch (error) {
      await this.#failAll(judged, error, lane);
      return;
    }
    const known = await this.#read(client, judged, lane);
    const todo: Candidate[] = [];
    for (const candidate of known) {
      if (differs(candidate.showing, candidate.shown)) {
        todo.push(candidate);
      } else {
        await this.#options.outcomes.confirm(candidate, candidate.seen, candidate.shown);
      }
    }
    const prepared = await this.#prepare(client, todo, lane);
    const batch = await this.#markSent(withinBudget(prepared, lane.budget));
    if (batch.length > 0) {
      await this.#send(client, batch, lane);
    }
  }

  /** Null: there is nothing to do for it (any more). */
  async #judge(pull: Pull): Promise<Candidate | null> {
    const { store, judge, outcomes } = this.#options;
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
      const judgement = await judge.judge(pull, repository);
      const { showing } = judgement;
      if (showing === null) {
        await outcomes.drop(pull);
        return null;
      }
      return { pull, intent, repository, judgement, showing, shown: pull.shown, seen: null, notes: [] };
    } catch (error) {
      await outcomes.postpone(pull, describeFailure(requestFailure(error, this.#options.now())), this.#pauseOf(error));
      return null;
    }
  }

  /** Reads those that may show something else than we know, all with one query. */
  async #read(client: GitHubClient, candidates: readonly Candidate[], lane: Lane): Promise<Candidate[]> {
    const { appId, outcomes, timings } = this.#options;
    const known = candidates.filter(({ intent }) => !intent.read && intent.sentAt === null);
    const unknown = candidates.filter(({ intent }) => intent.read || intent.sentAt !== null).slice(0, MOST_READ);
    if (unknown.length === 0) {
      return known;
    }
    let answers: readonly (ShownNow | null)[];
    try {
      const ids = unknown.map(({ judgement }) => judgement.facts.nodeId);
      answers = await readShown(client, ids, appId, AbortSignal.timeout(timings.requestTimeout));
    } catch (error) {
      await this.#failAll(unknown, error, lane);
      return known;
    }
    const read: Candidate[] = [];
    for (const [index, candidate] of unknown.entries()) {
      const now = answers[index] ?? null;
      if (now === null) {
        await outcomes.drop(candidate.pull);
      } else if (now.pull.state.head.sha !== candidate.showing.headSha) {
        // What is on the commit that we took for the head was not read, so nothing may be written to it.
        await outcomes.anotherHead(candidate.pull, now.pull);
      } else {
        read.push(withRead(candidate, now));
      }
    }
    return [...known, ...read];
  }

  /** The writes of each, with the ids that they need; labels that are missing are made first. */
  async #prepare(client: GitHubClient, candidates: readonly Candidate[], lane: Lane): Promise<Prepared[]> {
    const { outcomes, detailsUrl } = this.#options;
    const prepared: Prepared[] = [];
    for (const [, group] of Map.groupBy(candidates, ({ repository }) => repository.id)) {
      let labels: KnownLabels;
      try {
        labels = await this.#labels(client, group, lane);
      } catch (error) {
        await this.#failAll(group, error, lane);
        continue;
      }
      for (const candidate of group) {
        const { showing, shown, repository, judgement, pull } = candidate;
        const transition = writesFor({
          number: pull.number,
          pullNodeId: judgement.facts.nodeId,
          repositoryNodeId: labels.repositoryNodeId,
          showing,
          shown,
          labelIds: labels.ids,
          detailsUrl: detailsUrl(repository, pull.number),
        });
        if (mutationCount(transition) === 0) {
          // What is to go is a label that the repository does not have.
          const absent = { labels: showing.gone, at: judgement.facts.updatedAt };
          const checks = shown?.checks ?? [];
          await outcomes.confirm(
            candidate,
            candidate.seen,
            shownOf({ stage: showing.stage, labels: shown?.labels ?? [], absent, checks }),
          );
        } else {
          prepared.push({ candidate, transition });
        }
      }
    }
    return prepared;
  }

  #labels(client: GitHubClient, group: readonly Candidate[], lane: Lane): Promise<KnownLabels> {
    const [first] = group;
    if (first === undefined) {
      throw new Error("A group without a pull request.");
    }
    const needed = [...new Set(group.flatMap(({ showing, shown }) => labelsNeeded(showing, shown)))];
    const { policy } = first.judgement;
    // All of a policy's labels at once: one request serves the repository's later moves, too.
    const adds = group.some(({ showing }) => showing.label !== null && needed.includes(showing.label));
    const create = adds ? stageLabelsOf(policy) : [];
    const find = adds ? policy.stages.flatMap((stage) => triggerLabels(stage.enter)) : [];
    const gone = needed.filter((name) => !create.some((each) => each.name === name));
    const write = <T>(send: () => Promise<T>): Promise<T> => lane.write(0, send);
    return this.#options.labelIds.resolve(client, first.repository, create, [...find, ...gone], gone, write);
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

  async #send(client: GitHubClient, batch: readonly Prepared[], lane: Lane): Promise<void> {
    const { timings, log, outcomes } = this.#options;
    const transitions = batch.map(({ transition }) => transition);
    const mutations = transitions.reduce((sum, each) => sum + mutationCount(each), 0);
    let answers: readonly Written[];
    try {
      answers = await lane.write(mutations, () =>
        sendTransitions(client, transitions, AbortSignal.timeout(timings.requestTimeout)),
      );
    } catch (error) {
      await this.#failAll(
        batch.map(({ candidate }) => candidate),
        error,
        lane,
      );
      return;
    }
    log.info({ installation: lane.installationId, pulls: batch.length, mutations }, "sent");
    for (const [index, { candidate, transition }] of batch.entries()) {
      const written = answers[index];
      const verdict = written === undefined ? null : judgeWritten(candidate, transition, written);
      if (written === undefined || verdict === null) {
        throw new Error("There are fewer answers than transitions.");
      }
      if (verdict.right) {
        await outcomes.confirm(candidate, written.pull ?? candidate.seen, verdict.shown);
      } else {
        await this.#refused(client, candidate, written, verdict.reason, lane);
      }
    }
  }

  async #refused(
    client: GitHubClient,
    candidate: Candidate,
    { errors, pull }: Written,
    reason: string,
    lane: Lane,
  ): Promise<void> {
    // An id that we know may be another label's by now: labels are renamed and deleted.
    const label = candidate.showing.label?.toLowerCase();
    const other =
      pull !== null && label !== undefined && !pull.labels.some((each) => each.name.toLowerCase() === label);
    if (other || errors.some((each) => each.type === "NOT_FOUND")) {
      await this.#options.labelIds.forget(candidate.repository.id);
    }
    const hopeless = errors.some((each) => each.type === "FORBIDDEN");
    await this.#failed(client, candidate, reason, hopeless, lane);
  }

  async #failAll(candidates: readonly Candidate[], error: unknown, lane: Lane): Promise<void> {
    const { outcomes, now, log, timings } = this.#options;
    const failure = requestFailure(error, now());
    log.warn(
      { installation: lane.installationId, pulls: candidates.length, kind: failure.kind, err: error },
      "not sent",
    );
    if (failure.kind === "rate_limit") {
      const pause = failure.retryAfterMs ?? timings.rateLimitPause;
      lane.holdUntil(now() + pause);
      for (const { pull } of candidates) {
        await outcomes.postpone(pull, describeFailure(failure), pause);
      }
      return;
    }
    for (const candidate of candidates) {
      const client = await this.#options.clients.installation(lane.installationId).catch(() => null);
      await this.#failed(client, candidate, describeFailure(failure), failure.kind === "permission", lane);
    }
  }

  /** Puts it off, or gives it up for now: then the old label is written back and a Retry button is shown. */
  async #failed(
    client: GitHubClient | null,
    candidate: Candidate,
    reason: string,
    hopeless: boolean,
    lane: Lane,
  ): Promise<void> {
    const { outcomes, timings } = this.#options;
    const tries = Math.max(candidate.intent.tries, 1);
    const pause = timings.retryPauses[tries - 1];
    if (!hopeless && pause !== undefined) {
      await outcomes.postpone({ ...candidate.pull, intent: { ...candidate.intent, tries } }, reason, pause);
      return;
    }
    const restored = client === null ? null : await this.#restore(client, candidate, reason, lane);
    await outcomes.block(candidate, reason, restored);
  }

  /** Best effort: what GitHub shows afterwards, or null when it cannot be said. */
  async #restore(client: GitHubClient, candidate: Candidate, reason: string, lane: Lane): Promise<Shown | null> {
    const { appId, timings, labelIds, detailsUrl, log, outcomes } = this.#options;
    const { judgement, repository, pull } = candidate;
    const signal = (): AbortSignal => AbortSignal.timeout(timings.requestTimeout);
    try {
      const [now] = await readShown(client, [judgement.facts.nodeId], appId, signal());
      if (now == null) {
        return null;
      }
      const showing = outcomes.blockedShowing(candidate, reason);
      if (now.pull.state.head.sha !== showing.headSha) {
        return null;
      }
      const { shown } = withRead({ ...candidate, showing }, now);
      const needed = labelsNeeded(showing, shown);
      const write = <T>(send: () => Promise<T>): Promise<T> => lane.write(0, send);
      const labels = await labelIds.resolve(client, repository, [], needed, needed, write);
      const transition = writesFor({
        number: pull.number,
        pullNodeId: judgement.facts.nodeId,
        repositoryNodeId: labels.repositoryNodeId,
        showing,
        shown,
        labelIds: labels.ids,
        detailsUrl: detailsUrl(repository, pull.number),
      });
      if (mutationCount(transition) === 0) {
        return shown;
      }
      const [written] = await lane.write(mutationCount(transition), () =>
        sendTransitions(client, [transition], signal()),
      );
      const verdict =
        written === undefined ? null : judgeWritten({ ...candidate, showing, shown }, transition, written);
      return verdict?.right === true ? verdict.shown : shown;
    } catch (error) {
      const names = { repository: `${repository.owner}/${repository.name}`, pull: pull.number };
      log.warn({ ...names, err: error }, "what a blocked move left behind could not be put right");
      return null;
    }
  }

  #pauseOf(error: unknown): number {
    const { timings, now } = this.#options;
    return requestFailure(error, now()).retryAfterMs ?? timings.lookPause;
  }
}

/** As many as fit; at least one, however many mutations it is. Changes nothing about their order. */
function withinBudget(prepared: readonly Prepared[], budget: number): Prepared[] {
  const batch: Prepared[] = [];
  let mutations = 0;
  for (const each of prepared) {
    mutations += mutationCount(each.transition);
    if (batch.length > 0 && mutations > budget) {
      break;
    }
    batch.push(each);
  }
  return batch;
}

/** The candidate with what was just read in place of what was known. */
function withRead(candidate: Candidate, now: ShownNow): Candidate {
  const { showing, pull, intent } = candidate;
  const sha = now.pull.state.head.sha;
  const checks = now.checks.map((read) => {
    const show = showing.checks.find((each) => each.name === read.name);
    return shownCheck(read, sha, show !== undefined && showsCheck(read, show) ? show : null);
  });
  const others = (pull.shown?.checks ?? []).filter((check) => check.sha !== sha);
  const names = new Set(now.pull.labels.map((label) => label.name.toLowerCase()));
  const gone = showing.gone.filter((name) => !names.has(name.toLowerCase()));
  const shown = shownOf({
    stage: pull.shown?.stage ?? null,
    labels: now.pull.labels,
    absent: { labels: gone, at: now.pull.state.updatedAt },
    checks: [...others, ...checks],
  });
  const still = showing.gone.filter((name) => names.has(name.toLowerCase()));
  const read: Candidate = { ...candidate, seen: now.pull, shown, showing: { ...showing, gone: still } };
  const lost = intent.sentAt !== null && !differs(read.showing, shown);
  return lost ? { ...read, notes: ["GitHub had applied the change although its answer did not say so"] } : read;
}

type Judged = { readonly right: true; readonly shown: Shown } | { readonly right: false; readonly reason: string };

function judgeWritten(candidate: Candidate, transition: Transition, written: Written): Judged {
  const { showing, shown, judgement } = candidate;
  const [error] = written.errors;
  const because = error === undefined ? "" : `: ${error.message}`;
  const wroteLabels = transition.removeLabelIds.length + transition.addLabelIds.length > 0;
  if (wroteLabels && written.pull === null) {
    return { right: false, reason: `the labels could not be written${because}` };
  }
  const labels = written.pull?.labels ?? shown?.labels ?? [];
  const gone = written.pull === null ? [] : showing.gone;
  // Of stage labels that are left as they are, any may be on it.
  const judged = showing.left ? labels.filter((each) => stageOfLabel(each.name) === null) : labels;
  const verdict = judgeLabels(judged, showing.left ? null : showing.label, gone);
  if (!verdict.right) {
    return { right: false, reason: `${verdict.reason}${because}` };
  }
  const checks = new Map((shown?.checks ?? []).map((check) => [`${check.sha} ${check.name}`, check]));
  for (const [index, { show }] of transition.checks.entries()) {
    const read = written.checks[index] ?? null;
    if (read === null || !showsCheck(read, show)) {
      return { right: false, reason: `the check run ${show.name} could not be written${because}` };
    }
    checks.set(`${transition.headSha} ${show.name}`, shownCheck(read, transition.headSha, show));
  }
  const absent = { labels: showing.gone, at: written.pull?.state.updatedAt ?? judgement.facts.updatedAt };
  return {
    right: true,
    shown: shownOf({ stage: showing.stage, labels, absent, checks: [...checks.values()] }),
  };
}

function stageLabelsOf(policy: Policy): NewLabel[] {
  return policy.stages.map((stage) => ({
    name: stageLabel(stage.name),
    color: stage.color,
    description: (stage.description ?? `Stagewright: the pull request is in the stage ${stage.name}`).slice(0, 100),
  }));
}

function describeFailure(failure: RequestFailure): string {
  switch (failure.kind) {
    case "temporary":
      return failure.status === null ? "GitHub's answer was lost" : `GitHub answered ${failure.status}`;
    case "rate_limit":
      return "GitHub's rate limit was reached";
    case "permission":
      return `the app may not do it: ${failure.message}`;
    case "rejected":
      return `GitHub refused it: ${failure.message}`;
  }
}

function sameId(a: PullId, b: PullId): boolean {
  return a.repositoryId === b.repositoryId && a.number === b.number;
}

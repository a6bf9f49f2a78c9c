/** What becomes of moves that were not confirmed: put off, or given up for now and what they left behind put right. */
import { GraphqlUnread } from "../../src/github/graphql.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { readCurrentDisplay } from "../../src/github/pulls/current-display.ts";
import type { LabelSeen } from "../../src/github/pulls/pull-fields.ts";
import {
  mutationCount,
  sendTransitions,
  type Transition,
  type WriteAnswer,
} from "../../src/github/pulls/transition.ts";
import type { LabelIds } from "../github-cache/label-ids.ts";
import type { ConfirmedState } from "../store/model.ts";
import { failureOfWork, notLost } from "../work/failure.ts";
import type { Runtime } from "../work/runtime.ts";
import type { InstallationWriter } from "../work/writer/installation-writer.ts";
import { failureOf, type TransitionFailure } from "./failure.ts";
import type { Writes } from "./plan.ts";
import type { TransitionResults } from "./result.ts";
import { type PendingTransition, type PreparedTransition, verifyWritten, withRead } from "./verify.ts";

export interface TransitionRetriesOptions extends Runtime {
  readonly writes: Writes;
  readonly labelIds: LabelIds;
  readonly results: TransitionResults;
  readonly appId: number;
}

export class TransitionRetries {
  readonly #options: TransitionRetriesOptions;

  constructor(options: TransitionRetriesOptions) {
    this.#options = options;
  }

  /** GitHub answered, and does not show what it is to show. */
  async refused(
    client: GitHubClient,
    { pending, transition }: PreparedTransition,
    { errors, pull }: WriteAnswer,
    reason: string,
    writer: InstallationWriter,
  ): Promise<void> {
    // An id that we know may be another label's by now: labels are renamed and deleted.
    const label = pending.desired.label?.toLowerCase();
    const other =
      pull !== null && label !== undefined && !pull.labels.some((each) => each.name.toLowerCase() === label);
    if (other || errors.some((each) => each.type === "NOT_FOUND")) {
      await this.#options.labelIds.forget(pending.repository.id);
    }
    if (other) {
      await this.#takeOff(client, pending, transition, pull.labels, writer);
    }
    const hopeless = errors.some((each) => each.type === "FORBIDDEN");
    const code = hopeless ? "permission" : "not_shown";
    await this.#failed(client, pending, { code, text: reason }, hopeless, writer);
  }

  /** Labels that got onto it because they bear now the id of the one it should have. Best effort. */
  async #takeOff(
    client: GitHubClient,
    { evaluated, repository, pull }: PendingTransition,
    transition: Transition,
    labels: readonly LabelSeen[],
    writer: InstallationWriter,
  ): Promise<void> {
    const before = new Set(evaluated.facts.labels.map((name) => name.toLowerCase()));
    const wrong = labels.filter(
      ({ name, nodeId }) => transition.addLabelIds.includes(nodeId) && !before.has(name.toLowerCase()),
    );
    if (wrong.length === 0) {
      return;
    }
    const names = { repository: `${repository.owner}/${repository.name}`, pull: pull.number };
    const labelsOff = wrong.map(({ name }) => name);
    const undo = { ...transition, removeLabelIds: wrong.map(({ nodeId }) => nodeId), addLabelIds: [], checks: [] };
    const { log, timings } = this.#options;
    try {
      await writer.write(() => sendTransitions(client, [undo], AbortSignal.timeout(timings.requestTimeout)));
      log.info({ ...names, labels: labelsOff }, "labels that bear the id of another now were taken off again");
    } catch (error) {
      notLost(error);
      log.warn({ ...names, labels: labelsOff, err: error }, "labels set by mistake could not be taken off again");
    }
  }

  /** There was no answer to what was asked or written for all of them. */
  async all(all: readonly PendingTransition[], error: unknown, writer: InstallationWriter): Promise<void> {
    const { results, now, log, timings } = this.#options;
    const failure = failureOfWork(error, now());
    log.warn({ installation: writer.installationId, pulls: all.length, kind: failure.kind, err: error }, "not sent");
    if (failure.kind === "rate_limit") {
      const pause = failure.retryAfterMs ?? timings.rateLimitPause;
      writer.holdUntil(now() + pause);
      for (const { pull } of all) {
        await results.postpone(pull, failureOf(failure), pause);
      }
      return;
    }
    for (const pending of all) {
      const client = await this.#options.clients.installation(writer.installationId).catch(() => null);
      await this.#failed(client, pending, failureOf(failure), failure.kind === "permission", writer);
    }
  }

  /** Puts it off, or gives it up for now: then the old label is written back and a Retry button is shown. */
  async #failed(
    client: GitHubClient | null,
    pending: PendingTransition,
    failure: TransitionFailure,
    hopeless: boolean,
    writer: InstallationWriter,
  ): Promise<void> {
    const { results, timings } = this.#options;
    const tries = Math.max(pending.intent.tries, 1);
    const pause = timings.retryPauses[tries - 1];
    if (!hopeless && pause !== undefined) {
      await results.postpone({ ...pending.pull, intent: { ...pending.intent, tries } }, failure, pause);
      return;
    }
    const restored = client === null ? null : await this.#restore(client, pending, failure.text, writer);
    await results.block(pending, failure, restored);
  }

  /** Best effort: what GitHub shows afterwards, or null when it cannot be said. */
  async #restore(
    client: GitHubClient,
    pending: PendingTransition,
    reason: string,
    writer: InstallationWriter,
  ): Promise<ConfirmedState | null> {
    const { appId, timings, writes, log, results } = this.#options;
    const { evaluated, repository, pull } = pending;
    const signal = (): AbortSignal => AbortSignal.timeout(timings.requestTimeout);
    try {
      const [now] = await readCurrentDisplay(client, [evaluated.facts.nodeId], appId, signal());
      if (now == null || now instanceof GraphqlUnread) {
        return null;
      }
      const desired = results.blockedState(pending, reason);
      if (now.pull.state.head.sha !== desired.headSha) {
        return null;
      }
      const { shown } = withRead({ ...pending, desired }, now);
      const transition = await writes.restoring(client, { ...pending, desired, shown }, writer);
      if (mutationCount(transition) === 0) {
        return shown;
      }
      const [written] = await writer.write(() => sendTransitions(client, [transition], signal()));
      const verdict = written === undefined ? null : verifyWritten({ ...pending, desired, shown }, transition, written);
      return verdict?.right === true ? verdict.shown : shown;
    } catch (error) {
      notLost(error);
      const names = { repository: `${repository.owner}/${repository.name}`, pull: pull.number };
      log.warn({ ...names, err: error }, "what a blocked move left behind could not be put right");
      return null;
    }
  }
}

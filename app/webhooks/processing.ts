/**
 * What is done about each kind of webhook: parse it, record what it says, ask for a reevaluation. No request is made here
 * (but for the policy that says which comments are answered, where that is not known), so processing does not fail for
 * GitHub's sake; what follows from the facts is decided when the pull request is evaluated.
 */
import { parseExactly } from "../../src/github/exact-json.ts";
import type { CommentSeen } from "../../src/github/pulls/snapshot-acts.ts";
import { readWebhook, type WebhookEvent } from "../../src/github/webhooks/webhook.ts";
import type { Delivery, Repository } from "../store/model.ts";
import { handleComment } from "./comments.ts";
import { handleCommit } from "./commits.ts";
import type { ProcessingContext, ProcessingOptions, WebhookOrigin } from "./context.ts";
import { EarlyEvents } from "./early-events.ts";
import { handleGranted, handleInstalled, handleUninstalled } from "./installations.ts";
import { handleDequeued, handleMergeGroup, handlePull } from "./pulls.ts";
import {
  forgetOrganization,
  handleDefaultBranch,
  handleLabels,
  handlePermissions,
  handleRepositoryGone,
  recordRepository,
} from "./repositories.ts";
import { handleGate, handleRun } from "./workflow-runs.ts";

/** In the place of a delivery: nothing was delivered. */
const FOUND = { id: "found by the sweep", event: "issue_comment", seq: 0, receivedAt: 0, payload: "" } as const;

export class WebhookProcessor {
  readonly #context: ProcessingContext;

  constructor(options: ProcessingOptions) {
    const early = new EarlyEvents();
    this.#context = {
      ...options,
      early,
      handleEarly: async (sha, origin) => {
        for (const event of early.take(origin.repository.id, sha)) {
          await handleCommit(event, { ...origin, foreign: true }, this.#context);
        }
      },
    };
  }

  /**
   * Returns false: the delivery is to be marked as done. Processing it again changes nothing. `content`: its payload, if
   * it has been parsed already.
   */
  async handle(delivery: Delivery, content?: unknown): Promise<boolean> {
    const { ourselves, log, wakeups, activity } = this.#context;
    const payload: unknown = content ?? parseExactly(delivery.payload);
    const read = readWebhook(delivery.event, payload, ourselves());
    const { sender, events, installationId } = read;
    const repository =
      read.repository === null ? null : await recordRepository(read.repository, installationId, this.#context);
    const foreign = sender === null || sender.kind !== "bot" || sender.login !== ourselves().botLogin;
    if (foreign && repository !== null) {
      await activity?.note(repository.id);
    }
    const key = repository === null ? {} : { repository: `${repository.owner}/${repository.name}` };
    log.debug(
      { delivery: delivery.id, event: delivery.event, events: events.map((event) => event.kind), ...key },
      "webhook read",
    );
    for (const event of events) {
      switch (event.kind) {
        case "installed":
          await handleInstalled(event, { installationId, receivedAt: delivery.receivedAt }, this.#context);
          break;
        case "granted":
          await handleGranted(installationId, this.#context);
          break;
        case "uninstalled":
          await handleUninstalled(event, installationId, this.#context);
          break;
        default:
          if (repository !== null) {
            await handleRepositoryEvent(event, { delivery, repository, foreign }, this.#context);
          } else if (event.kind === "permissions") {
            await forgetOrganization(read.organizationLogin, installationId, event.named, this.#context);
          }
      }
    }
    // What we did ourselves wakes nobody, unless it was recorded as news.
    if (events.some(({ kind }) => foreign || (kind !== "pull" && kind !== "commit"))) {
      wakeups.notify("pulls");
    }
    return false;
  }

  /** Comments that were found without an event; those that are known already change nothing. */
  async comments(repository: Repository, number: number, comments: readonly CommentSeen[]): Promise<void> {
    for (const comment of comments) {
      const origin = { delivery: FOUND, repository, foreign: true };
      await handleComment({ kind: "comment", number, comment }, origin, this.#context);
    }
    this.#context.wakeups.notify("pulls");
  }
}

function handleRepositoryEvent(
  event: Exclude<WebhookEvent, { kind: "installed" | "granted" | "uninstalled" }>,
  origin: WebhookOrigin,
  context: ProcessingContext,
): Promise<void> {
  switch (event.kind) {
    case "pull":
      return handlePull(event, origin, context);
    case "dequeued":
      return handleDequeued(event, origin, context);
    case "merge_group":
      return handleMergeGroup(event, origin, context);
    case "commit":
      return handleCommit(event, origin, context);
    case "comment":
      return handleComment(event, origin, context);
    case "run":
      return handleRun(event, origin, context);
    case "gate":
      return handleGate(event, origin, context);
    case "labels":
      return handleLabels(event, origin, context);
    case "default_branch":
      return handleDefaultBranch(origin, context);
    case "permissions":
      return handlePermissions(event, origin, context);
    case "repository_gone":
      return handleRepositoryGone(origin, context);
  }
}

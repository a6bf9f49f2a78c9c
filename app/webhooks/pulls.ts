/** Webhooks of pull requests: what they say is recorded, and where it means something new, a reevaluation asked for. */
import type { WebhookEvent } from "../../src/github/webhooks/webhook.ts";
import type { Change } from "../../src/lifecycle/facts/change.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import { sameFacts } from "../../src/lifecycle/facts/same-facts.ts";
import { audit } from "../audit/audit.ts";
import { newEffect } from "../effects/effect.ts";
import { dequeuedEffect } from "../effects/handlers/dequeued.ts";
import { meansTheSame } from "../evaluation/same-meaning.ts";
import { ensurePull, ensurePullWith } from "../reconciliation/ensure-pull.ts";
import { readAgain, sooner } from "../store/change-pull.ts";
import type { Pull, PullId } from "../store/model.ts";
import { type ProcessingContext, storeEffects, type WebhookOrigin } from "./context.ts";
import { contentOf } from "./replays.ts";

export async function handlePull(
  event: Extract<WebhookEvent, { kind: "pull" }>,
  origin: WebhookOrigin,
  context: ProcessingContext,
): Promise<void> {
  await context.labelIds.note(origin.repository.id, event.labels);
  await recordChange(event.change, origin, context, { readAnew: event.stageLabels && origin.foreign });
}

/** What the app itself took out is told of by what took it out. */
export async function handleDequeued(
  { number, reason, by }: Extract<WebhookEvent, { kind: "dequeued" }>,
  origin: WebhookOrigin,
  context: ProcessingContext,
): Promise<void> {
  if (reason === "MANUAL" && !origin.foreign) {
    return;
  }
  const id: PullId = { repositoryId: origin.repository.id, number };
  const about = { reason, by: by.login, occasion: contentOf(origin.delivery) };
  await storeEffects(origin, context, (installationId) => [dequeuedEffect(id, installationId, about, context.now())]);
}

/** What is shown on the group's commit is decided when all of its pull requests have been evaluated. */
export async function handleMergeGroup(
  { number, headSha, branch }: Extract<WebhookEvent, { kind: "merge_group" }>,
  origin: WebhookOrigin,
  context: ProcessingContext,
): Promise<void> {
  const { repository } = origin;
  if (repository.installationId === null) {
    return;
  }
  await ensurePull(context, repository, number);
  const at = context.now();
  const id: PullId = { repositoryId: repository.id, number };
  await storeEffects(origin, context, (installationId) => [
    newEffect(
      "merge_group",
      id,
      { installationId, occasion: { of: "merge group", headSha }, at },
      { headSha, branch, at },
    ),
  ]);
}

/**
 * Records what is told of a pull request, which may be the first that is known of it. `readAnew`: somebody changed labels
 * that only we set, so that what is on it is read again, whatever we knew.
 */
export async function recordChange(
  change: Change,
  origin: WebhookOrigin,
  context: ProcessingContext,
  { readAnew = false }: { readonly readAnew?: boolean } = {},
): Promise<void> {
  const { repository, delivery, foreign } = origin;
  const { store, now, log, ourselves, wakeups } = context;
  const written = await ensurePullWith(store, change.pull, repository.installationId, now, (row) => {
    const installationId = repository.installationId ?? row.installationId;
    const pull = { ...change.pull, installationId: installationId ?? 0 };
    const facts = record(row.facts, { ...change, pull });
    if (!readAnew && sameFacts(facts, row.facts) && row.installationId === installationId) {
      return null;
    }
    const at = now();
    const ours = !foreign && meansTheSame(facts, row.facts, ourselves());
    // It has been due since it was heard: how long that is tells how we keep up. What a sweep found was never delivered.
    const heardAt = delivery.receivedAt === 0 ? at : Math.min(delivery.receivedAt, at);
    const reevaluation = ours ? {} : { reevaluateAt: sooner(row.reevaluateAt, heardAt), reevaluationTries: 0 };
    const next: Pull = { ...row, installationId, facts, ...reevaluation };
    return { pull: readAnew ? readAgain(next, at) : next };
  });
  if (written !== null && written.reevaluateAt !== null && !foreign) {
    wakeups.notify("pulls");
  }
  log.info(
    {
      repository: `${repository.owner}/${repository.name}`,
      pull: change.pull.number,
      delivery: delivery.id,
      event: delivery.event,
      change: change.kind,
      changed: written !== null,
    },
    "recorded",
  );
  if (written !== null) {
    auditReviews(change, origin, context);
    await context.handleEarly(written.facts.head.sha, origin);
  }
}

function auditReviews(change: Change, { repository }: WebhookOrigin, { log }: ProcessingContext): void {
  for (const act of change.kind === "observed" || change.kind === "acts" ? change.acts : []) {
    if (act.kind === "review" && act.state !== "commented") {
      const { by, state, sha } = act;
      const name = `${repository.owner}/${repository.name}`;
      audit(log, "review.given", { repository: name, pull: change.pull.number, by, state, sha });
    }
  }
}

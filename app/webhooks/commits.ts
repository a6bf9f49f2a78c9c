/** Webhooks of commits (checks, statuses, runs, buttons): each concerns the pull requests that have it as head. */
import { buttonEffect, NO_PULL } from "../commands/button.ts";
import { pullKeyOf } from "../reconciliation/ensure-pull.ts";
import type { Repository } from "../store/model.ts";
import { type ProcessingContext, storeEffects, type WebhookOrigin } from "./context.ts";
import type { CommitWebhook } from "./early-events.ts";
import { recordChange } from "./pulls.ts";

export async function handleCommit(
  event: CommitWebhook,
  origin: WebhookOrigin,
  context: ProcessingContext,
): Promise<void> {
  if (event.what.kind === "run_pressed") {
    await recordRunPress(event, event.what, origin, context);
    return;
  }
  for (const number of await pullsOfCommit(event, origin.repository, context)) {
    await recordCommit(event, number, origin, context);
  }
}

async function pullsOfCommit(
  event: CommitWebhook,
  { id: repositoryId }: Repository,
  { store, early }: ProcessingContext,
): Promise<ReadonlySet<number>> {
  const heads = async (): Promise<readonly number[]> =>
    (await store.pullIds({ repositoryId, headSha: event.sha })).map((each) => each.number);
  const numbers = new Set([...(await heads()), ...event.pulls]);
  if (numbers.size > 0) {
    return numbers;
  }
  // Of a commit that is no head, or whose push is still on its way to us: it may be recorded this very moment.
  early.keep(repositoryId, event);
  return new Set(await heads());
}

/** One press is one, however many pull requests have this head, or none. */
async function recordRunPress(
  { sha, pulls }: CommitWebhook,
  pressed: Extract<CommitWebhook["what"], { kind: "run_pressed" }>,
  origin: WebhookOrigin,
  context: ProcessingContext,
): Promise<void> {
  const repositoryId = origin.repository.id;
  const heads = await context.store.pullIds({ repositoryId, headSha: sha });
  const number = heads[0]?.number ?? pulls[0] ?? NO_PULL;
  await storeEffects(origin, context, (installationId) => [
    buttonEffect({ repositoryId, number }, installationId, pressed, origin.delivery),
  ]);
}

async function recordCommit(
  { what }: CommitWebhook,
  number: number,
  origin: WebhookOrigin,
  context: ProcessingContext,
): Promise<void> {
  const { repository, delivery } = origin;
  const pull = pullKeyOf(repository, number);
  switch (what.kind) {
    case "checks":
      await recordChange({ pull, kind: "checks", checks: what.checks, suites: what.suites }, origin, context);
      break;
    case "acts":
      // A run that we started is about the pull request that it was started for, not about its own commit.
      if (!what.dispatched || what.acts.some((each) => each.by.login !== context.ourselves().botLogin)) {
        await recordChange({ pull, kind: "acts", acts: what.acts }, origin, context);
      }
      break;
    case "run_pressed":
      // Recorded once, see above.
      break;
    case "pressed":
      if (what.pull === null || what.pull === number) {
        await storeEffects(origin, context, (installationId) => [
          buttonEffect({ repositoryId: repository.id, number }, installationId, what, delivery),
        ]);
      }
      break;
  }
}

/** Webhooks of workflow runs and of their jobs that wait for an environment: who looks after those looks again. */
import type { WebhookEvent } from "../../src/github/webhooks/webhook.ts";
import type { ProcessingContext, WebhookOrigin } from "./context.ts";

export async function handleRun(
  { runId }: Extract<WebhookEvent, { kind: "run" }>,
  { repository }: WebhookOrigin,
  { store, now, wakeups }: ProcessingContext,
): Promise<void> {
  await store.starts.wakeRun(repository.id, runId, now());
  await store.gates.wakeRun(repository.id, runId, now());
  wakeups.notify("workflow-runs");
  wakeups.notify("deployment-gates");
}

export async function handleGate(
  event: Extract<WebhookEvent, { kind: "gate" }>,
  { repository }: WebhookOrigin,
  { store, now, wakeups }: ProcessingContext,
): Promise<void> {
  await store.gates.asked({ ...event, repositoryId: repository.id }, now());
  wakeups.notify("deployment-gates");
}

/** Webhooks of installations: where the app is, and what it may do there. */
import type { WebhookEvent } from "../../src/github/webhooks/webhook.ts";
import { watchFrom } from "../reconciliation/installed-since.ts";
import type { ProcessingContext } from "./context.ts";
import { recordRepository } from "./repositories.ts";

export async function handleInstalled(
  { repositories, since }: Extract<WebhookEvent, { kind: "installed" }>,
  { installationId, receivedAt }: { readonly installationId: number | null; readonly receivedAt: number },
  context: ProcessingContext,
): Promise<void> {
  const { store, log, now, wakeups, policies, installationPermissions } = context;
  if (installationId !== null) {
    await installationPermissions.forget(installationId);
  }
  for (const each of repositories) {
    const before = await store.repository(each.id);
    const repository = await recordRepository(each, installationId, context);
    if (before === null || before.installationId === null) {
      await watchFrom(store, repository.id, since ?? receivedAt);
      await policies.mayHaveChanged(repository);
    }
    if ((await store.requestReevaluation({ repositoryId: repository.id, open: true }, now())) > 0) {
      // What happened while the app was away is nowhere but on GitHub.
      await store.sweeps.request([repository.id], now());
      wakeups.notify("sweeps", repository.id);
    }
  }
  // What waited for another installation of the same repositories goes out through this one.
  wakeups.notify("effects");
  log.info({ installation: installationId, repositories: repositories.length }, "installed");
}

/** The app may do more or less than before: what the policies lack is said anew. */
export async function handleGranted(
  installationId: number | null,
  { store, installationPermissions, policies }: ProcessingContext,
): Promise<void> {
  if (installationId === null) {
    return;
  }
  await installationPermissions.forget(installationId);
  for (const repository of await store.repositories(installationId)) {
    await policies.mayHaveChanged(repository);
  }
}

/** Facts are kept: the app may come back. Nothing is sent meanwhile. */
export async function handleUninstalled(
  { repositoryIds }: Extract<WebhookEvent, { kind: "uninstalled" }>,
  installationId: number | null,
  { store, log }: ProcessingContext,
): Promise<void> {
  if (installationId === null) {
    return;
  }
  const all = await store.repositories(installationId);
  const gone = all.filter((each) => repositoryIds === null || repositoryIds.includes(each.id));
  for (const repository of gone) {
    await store.putRepository({ ...repository, installationId: null });
  }
  log.info({ installation: installationId, repositories: gone.length }, "uninstalled");
}

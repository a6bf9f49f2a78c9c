/** Webhooks of repositories: where they are, who may do what there, their policies and labels. */
import type { RepositorySeen, WebhookEvent } from "../../src/github/webhooks/webhook.ts";
import type { Repository } from "../store/model.ts";
import type { ProcessingContext, WebhookOrigin } from "./context.ts";

/** Remembers the repository as this payload shows it. */
export async function recordRepository(
  seen: RepositorySeen,
  installationId: number | null,
  {
    store,
    policies,
    wakeups,
  }: Pick<ProcessingContext, "store" | "wakeups"> & {
    readonly policies: Pick<ProcessingContext["policies"], "mayHaveChanged">;
  },
): Promise<Repository> {
  const before = await store.repository(seen.id);
  const now: Repository = {
    id: seen.id,
    nodeId: seen.nodeId === "" ? (before?.nodeId ?? "") : seen.nodeId,
    installationId: installationOf(before, seen, installationId),
    owner: seen.owner,
    name: seen.name,
    defaultBranch: seen.defaultBranch ?? before?.defaultBranch ?? "",
    private: seen.private,
  };
  if (before === null || JSON.stringify(before) !== JSON.stringify(now)) {
    await store.putRepository(now);
  }
  if (before !== null && before.installationId !== now.installationId) {
    // What is to be done there is another installation's from now on, whose owner may be somebody else.
    for (const topic of ["pulls", "transitions", "effects", "sweeps"] as const) {
      wakeups.notifyAll(topic);
    }
  }
  const moved = before !== null && (before.owner !== now.owner || before.name !== now.name);
  const other = before !== null && before.defaultBranch !== "" && before.defaultBranch !== now.defaultBranch;
  if (moved || other) {
    await policies.mayHaveChanged(now);
  }
  return now;
}

/**
 * GitHub counts installations up: of one owner's, a lower one was removed before, and what tells of it was on its way
 * meanwhile. Null: no token can be had for the repository.
 */
function installationOf(before: Repository | null, seen: RepositorySeen, named: number | null): number | null {
  const known = before?.installationId ?? null;
  if (known === null || named === null) return named ?? known;
  return before?.owner === seen.owner ? Math.max(known, named) : named;
}

export async function handleRepositoryGone({ repository }: WebhookOrigin, { store }: ProcessingContext): Promise<void> {
  await store.putRepository({ ...repository, installationId: null });
}

export async function handleDefaultBranch(
  { repository }: WebhookOrigin,
  { store, policies, now }: ProcessingContext,
): Promise<void> {
  if (await policies.mayHaveChanged(repository)) {
    await store.requestReevaluation({ repositoryId: repository.id, open: true }, now());
  }
}

export async function handleLabels(
  { onPulls }: Extract<WebhookEvent, { kind: "labels" }>,
  { repository, foreign }: WebhookOrigin,
  { labelIds, store, now, wakeups }: ProcessingContext,
): Promise<void> {
  if (foreign) {
    await labelIds.forget(repository.id);
  }
  if (onPulls) {
    await store.sweeps.request([repository.id], now());
    wakeups.notify("sweeps", repository.id);
  }
}

export async function handlePermissions(
  { of, named }: Extract<WebhookEvent, { kind: "permissions" }>,
  { repository }: WebhookOrigin,
  context: ProcessingContext,
): Promise<void> {
  if (of === "organization") {
    await forgetOrganization(repository.owner, repository.installationId, null, context);
  }
  await forgetPermissions(repository, named, context);
}

/** Forgets who is in an organization, and what its people may do in its repositories: teams give permissions, too. */
export async function forgetOrganization(
  login: string | null,
  installationId: number | null,
  named: string | null,
  context: ProcessingContext,
): Promise<void> {
  const { store, permissions } = context;
  if (login !== null) {
    await permissions.forgetOrganization(login);
  }
  for (const repository of installationId === null ? [] : await store.repositories(installationId)) {
    await forgetPermissions(repository, named, context);
  }
}

/** What rests on people is evaluated again: a gate that is open may have to close. */
async function forgetPermissions(
  repository: Repository,
  named: string | null,
  { store, permissions, policies, now }: ProcessingContext,
): Promise<void> {
  await permissions.forgetRepository(repository.id);
  await store.requestReevaluation({ repositoryId: repository.id, open: true, people: true }, now());
  if (named !== null) {
    await policies.namedMayHaveChanged(repository, named);
  }
}

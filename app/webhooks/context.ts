/** What the handlers of webhooks work with. */
import type { Logger } from "pino";
import type { Ourselves } from "../github-cache/clients.ts";
import type { InstallationPermissions } from "../github-cache/installation-permissions.ts";
import type { LabelIds } from "../github-cache/label-ids.ts";
import type { PermissionCache } from "../github-cache/permissions.ts";
import type { Policies } from "../policies/policy.ts";
import type { RepositoryActivity } from "../reconciliation/activity.ts";
import type { Delivery, NewEffect, Repository, Store } from "../store/model.ts";
import type { Wakeups } from "../work/wakeups.ts";
import type { EarlyEvents } from "./early-events.ts";

export interface ProcessingOptions {
  readonly store: Store;
  readonly permissions: PermissionCache;
  readonly labelIds: LabelIds;
  readonly policies: Policies;
  readonly installationPermissions: InstallationPermissions;
  readonly ourselves: () => Ourselves;
  readonly log: Logger;
  readonly now: () => number;
  readonly wakeups: Wakeups;
  /** Told of each repository in which something happens; default: nobody asks. */
  readonly activity?: Pick<RepositoryActivity, "note">;
}

export interface ProcessingContext extends ProcessingOptions {
  readonly early: EarlyEvents;
  /** Handles what was told of a commit before it was recorded as a pull request's head. */
  readonly handleEarly: (sha: string, origin: WebhookOrigin) => Promise<void>;
}

/** Where an event of a repository came from. */
export interface WebhookOrigin {
  readonly delivery: Pick<Delivery, "id" | "event" | "seq" | "receivedAt" | "payload">;
  readonly repository: Repository;
  /** Somebody else's doing, as far as we can tell. */
  readonly foreign: boolean;
}

/** Stores effects on the repository, if the app is installed there. What is known by its key is not done again. */
export async function storeEffects(
  { repository }: WebhookOrigin,
  { store, now, wakeups }: ProcessingContext,
  effects: (installationId: number) => NewEffect[],
): Promise<void> {
  if (repository.installationId !== null) {
    await store.commit({ effects: effects(repository.installationId), now: now() });
    wakeups.notify("effects");
  }
}

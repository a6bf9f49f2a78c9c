/** Checks and runs that GitHub told of before the push of their commit. What a restart forgets, the sweep reads. */
import { LRUCache } from "lru-cache";
import type { WebhookEvent } from "../../src/github/webhooks/webhook.ts";

/** Commits that no pull request is known to have as its head. */
const MOST_COMMITS = 2_000;

export type CommitWebhook = Extract<WebhookEvent, { kind: "commit" }>;

export class EarlyEvents {
  readonly #events = new LRUCache<string, readonly CommitWebhook[]>({ max: MOST_COMMITS });

  keep(repositoryId: number, event: CommitWebhook): void {
    const key = keyOf(repositoryId, event.sha);
    this.#events.set(key, [...(this.#events.get(key) ?? []), event]);
  }

  /** Returns what was kept for the commit, and forgets it. */
  take(repositoryId: number, sha: string): readonly CommitWebhook[] {
    const key = keyOf(repositoryId, sha);
    const events = this.#events.get(key) ?? [];
    this.#events.delete(key);
    return events;
  }
}

function keyOf(repositoryId: number, sha: string): string {
  return `${repositoryId} ${sha}`;
}

/** Takes up pull requests that were open before the app was installed, a page at a time. */
import { readOpenPulls } from "../../src/github/pulls/snapshot.ts";
import { noteLine } from "../store/history.ts";
import type { Repository } from "../store/model.ts";
import type { Runtime } from "../work/runtime.ts";
import { completed, recordSnapshot } from "./record-snapshot.ts";

export interface AdoptionOptions extends Runtime {
  readonly appId: number;
}

export interface AdoptRequest {
  readonly repository: Repository & { readonly installationId: number };
  /** Who asked for it, for the history. */
  readonly by: string;
  /** Opens a page after the first. */
  readonly after: string | null;
  /** Says what would be taken up, and takes up nothing. */
  readonly dryRun: boolean;
}

export interface Adopted {
  /** Taken up now, or on a dry run those that would be. */
  readonly adopted: readonly number[];
  /** How many of the page were known already. */
  readonly known: number;
  /** Opens the next page; null: this was the last. */
  readonly next: string | null;
}

/** One page of open pull requests. Null: GitHub does not show the repository. Throws what GitHub's client throws. */
export async function adoptPage(options: AdoptionOptions, request: AdoptRequest): Promise<Adopted | null> {
  const { store, clients, appId, now, timings, wakeups } = options;
  const { repository, by, after, dryRun } = request;
  const client = await clients.installation(repository.installationId);
  const signal = AbortSignal.timeout(timings.requestTimeout * 2);
  const askedAt = now();
  const page = await readOpenPulls(client, repository, { after }, appId, signal);
  if (page === null) {
    return null;
  }
  const adopted: number[] = [];
  for (const snapshot of page.snapshots) {
    const id = { repositoryId: repository.id, number: snapshot.number };
    if ((await store.pull(id)) !== null) {
      continue;
    }
    adopted.push(snapshot.number);
    if (!dryRun) {
      const whole = await completed(client, null, snapshot, { appId, since: 0 }, signal);
      await recordSnapshot({ store, appId, now, settled: timings.settled }, { snapshot: whole, repository, askedAt });
      await store.commit({ history: [noteLine(id, "note", `taken up: ${by} asked for it`, now())], now: now() });
    }
  }
  if (adopted.length > 0 && !dryRun) {
    wakeups.notify("pulls");
  }
  return { adopted, known: page.snapshots.length - adopted.length, next: page.next };
}

/** Now and then: where the app is installed is read again, and rows that are old enough go. */
import { setImmediate } from "node:timers/promises";
import { type InstalledRepository, listInstallations, listRepositories } from "../../src/github/installations.ts";
import type { Repository, Store } from "../store/model.ts";
import { failureOfWork } from "../work/failure.ts";
import type { Runtime } from "../work/runtime.ts";
import { installedSince, watchFrom } from "./installed-since.ts";
import { fullNameOf } from "./sweep.ts";

export type MaintenanceOptions = Runtime;

const PAGE = 500;
/** Of replicas that are gone, and of what was given back and nobody asked for since. */
const CLAIMS_KEPT_MS = 7 * 24 * 60 * 60_000;

/** Ids of repositories that are known to be installed since now. */
export async function readInstallations(options: MaintenanceOptions, stop: AbortSignal): Promise<readonly number[]> {
  const { store, clients, log, timings } = options;
  const signal = (): AbortSignal => AbortSignal.any([stop, AbortSignal.timeout(timings.requestTimeout * 4)]);
  // What is installed while the lists are read is not in them.
  const before = await installed(store);
  const covered = new Set<number>();
  const unread = new Set<number>();
  const fresh: number[] = [];
  for (const installation of await listInstallations(await clients.app(), signal())) {
    if (installation.suspended) {
      continue;
    }
    let found: readonly InstalledRepository[];
    try {
      found = await listRepositories(await clients.installation(installation.id), signal());
    } catch (error) {
      if (failureOfWork(error, options.now()).kind === "rate_limit") {
        throw error;
      }
      unread.add(installation.id);
      log.warn({ installation: installation.id, err: error }, "the repositories of an installation could not be read");
      continue;
    }
    for (const each of found) {
      covered.add(each.id);
      if ((await store.meta(goneKey(each.id))) ?? "") {
        await store.setMeta(goneKey(each.id), "");
      }
      if (await note(store, each, installation)) {
        fresh.push(each.id);
      }
    }
  }
  await forget(options, before, covered, unread);
  return fresh;
}

/** True: it was not known that the app is installed on it. */
async function note(
  store: Store,
  seen: InstalledRepository,
  { id: installationId, createdAt }: { readonly id: number; readonly createdAt: number },
): Promise<boolean> {
  const before = await store.repository(seen.id);
  const now: Repository = { ...seen, installationId };
  if (before !== null && JSON.stringify(sorted(before)) === JSON.stringify(sorted(now))) {
    return false;
  }
  await store.putRepository(now);
  if (before?.installationId === installationId) {
    return false;
  }
  if ((await installedSince(store, seen.id)) === null || before?.installationId === null) {
    await watchFrom(store, seen.id, createdAt);
  }
  return true;
}

function sorted(repository: Repository): [string, unknown][] {
  return Object.entries(repository).sort(([a], [b]) => (a < b ? -1 : 1));
}

async function installed(store: Store): Promise<Repository[]> {
  const all: Repository[] = [];
  for (;;) {
    const page = await store.installedRepositories(PAGE, all.at(-1)?.id);
    all.push(...page);
    if (page.length < PAGE) {
      return all;
    }
  }
}

/** Those that no installation covers any more. Facts are kept: the app may come back. */
async function forget(
  { store, log }: MaintenanceOptions,
  before: readonly Repository[],
  covered: ReadonlySet<number>,
  unread: ReadonlySet<number>,
): Promise<void> {
  for (const { id, installationId } of before) {
    if (installationId === null || covered.has(id) || unread.has(installationId)) {
      continue;
    }
    const repository = await store.repository(id);
    if (repository?.installationId === installationId) {
      await store.putRepository({ ...repository, installationId: null });
      log.info({ repository: fullNameOf(repository) }, "not installed any more");
    }
  }
}

/** Repositories on which the app has not been installed for long. */
async function longGone({
  store,
  now,
  timings,
}: Pick<MaintenanceOptions, "store" | "now" | "timings">): Promise<number[]> {
  const gone: number[] = [];
  for (const id of await store.forget.uninstalled()) {
    const since = await store.meta(goneKey(id));
    if (since === null || since === "") {
      await store.setMeta(goneKey(id), `${now()}`);
    } else if (Number(since) < now() - timings.keep.repositories) {
      gone.push(id);
    }
  }
  return gone;
}

/** Since when the app is not installed there; empty: it is. */
function goneKey(repositoryId: number): string {
  return `not installed since:${repositoryId}`;
}

/** Forgets what is of no use any more, in small steps between which everything else goes on. */
export async function prune({ store, log, now, timings }: MaintenanceOptions, stop: AbortSignal): Promise<void> {
  const { keep } = timings;
  const steps: Readonly<Record<string, () => Promise<number>>> = {
    deliveries: () => store.pruneDeliveries(now() - keep.deliveries),
    deadDeliveries: () => store.forget.deadDeliveries(now() - keep.deadDeliveries),
    effects: () => store.pruneEffects(now() - keep.effects),
    openEffects: () => store.forget.openEffects(now() - keep.openEffects),
    history: () => store.forget.history(now() - keep.history),
    cached: () => store.pruneCache(now() - keep.cache),
    starts: () => store.starts.prune(now() - keep.starts),
    gates: () => store.gates.prune(now() - keep.starts),
    runs: () => store.runs.prune(now() - keep.runs),
    claims: () => store.claims.prune(now() - CLAIMS_KEPT_MS),
    closedPulls: () => store.forget.pulls(now() - keep.closedPulls),
  };
  const forgotten: Record<string, number> = {};
  const gone = await longGone({ store, now, timings });
  const all = [
    ...Object.entries(steps),
    ...gone.map((id) => ["repositories", () => store.forget.repository(id)] as const),
  ];
  for (const [what, step] of all) {
    for (let count = await step(); count > 0 && !stop.aborted; count = await step()) {
      forgotten[what] = (forgotten[what] ?? 0) + count;
      await setImmediate();
    }
  }
  if (Object.keys(forgotten).length > 0) {
    log.info(forgotten, "old rows forgotten");
  }
}

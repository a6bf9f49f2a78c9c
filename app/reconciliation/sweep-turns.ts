/**
 * When repositories are swept: every ten minutes where something happened lately or was missed, else every six hours.
 * Each has its own place within these pauses, which follows from its id, so that many do not come at once; when it is
 * swept next is stored, so that whoever works for it next goes on with that.
 */
import { ClaimLost, type DueSweep, type Repository } from "../store/model.ts";
import type { DueQueue } from "../work/due-queue.ts";
import { failureOfWork } from "../work/failure.ts";
import type { Runtime } from "../work/runtime.ts";
import type { Timings } from "../work/timings.ts";
import { type PeopleOptions, reevaluatePeople } from "./people.ts";
import type { SweepReport } from "./sweep.ts";

type Pauses = Pick<Timings, "sweepEvery" | "sweepIdle" | "sweepActive" | "settled">;

/** Knuth's: the places of ids that follow one another are spread evenly. */
const GOLDEN = 2_654_435_761;

/** The first of a repository's turns after a time: one in each pause. */
export function turnAfter(repositoryId: number, at: number, every: number): number {
  const place = Math.floor(((Math.imul(repositoryId % 2 ** 32, GOLDEN) >>> 0) / 2 ** 32) * every);
  return (Math.floor((at - place) / every) + 1) * every + place;
}

export interface SweepQueueOptions extends Runtime {
  /** Not before. */
  readonly startsAt: () => number;
  readonly stopped: () => boolean;
  readonly sweep: (repository: Repository) => Promise<SweepReport>;
  /** It could not be swept, and is tried again after a pause. */
  readonly failed: (repository: Repository, error: unknown, times: { failures: number; pause: number }) => void;
}

/** Repositories on which the app is installed, each when its turn comes. */
export function sweepQueue(options: SweepQueueOptions): DueQueue<DueSweep> {
  const { store, startsAt } = options;
  return {
    what: "sweeps",
    topic: "sweeps",
    kind: null,
    idOf: ({ repository }) => String(repository.id),
    repositoryOf: ({ repository }) => repository.id,
    outlook: (until) => notBefore(startsAt(), until, () => store.due.sweeps.outlook(until)),
    due: (installationId, until, limit) => store.due.sweeps.of(installationId, until, limit),
    handle: async (due) => {
      for (const each of due) {
        await takeTurn(each, options);
      }
    },
    failed: async () => undefined,
  };
}

/** Repositories with pull requests that rest on who may do what, each when that is to be asked again. */
export function peopleQueue(options: PeopleOptions & Pick<SweepQueueOptions, "startsAt">): DueQueue<Repository> {
  const { store, startsAt, now, timings } = options;
  return {
    what: "evaluations that rest on people",
    topic: "sweeps",
    kind: null,
    idOf: ({ id }) => String(id),
    repositoryOf: ({ id }) => id,
    outlook: (until) => notBefore(startsAt(), until, () => store.due.people.outlook(until)),
    due: (installationId, until, limit) => store.due.people.of(installationId, until, limit),
    handle: async (due) => {
      for (const repository of due) {
        await reevaluatePeople(options, repository);
      }
    },
    failed: ({ id }) => store.sweeps.setPeopleAt(id, now() + timings.sweepRetryPause),
  };
}

async function notBefore<T extends { readonly nextAt: number | null }>(
  startsAt: number,
  until: number,
  outlook: () => Promise<T>,
): Promise<T | { readonly installations: readonly never[]; readonly nextAt: number }> {
  return until < startsAt ? { installations: [], nextAt: startsAt } : await outlook();
}

/** A failed sweep has its next turn sooner. Throws only what says that it is somebody else's, or what the store throws. */
async function takeTurn(due: DueSweep, options: SweepQueueOptions): Promise<void> {
  const { store, now, timings, stopped, sweep, failed } = options;
  const { repository } = due;
  const began = now();
  let report: SweepReport;
  try {
    report = await sweep(repository);
  } catch (error) {
    if (error instanceof ClaimLost) {
      throw error;
    }
    if (stopped()) {
      return;
    }
    const asked = failureOfWork(error, now()).retryAfterMs ?? 0;
    const pause = Math.max(asked, Math.min(timings.sweepRetryPause * 2 ** due.failures, timings.sweepEvery));
    const failures = due.failures + 1;
    failed(repository, error, { failures, pause });
    const at = now() + pause;
    await store.sweeps.settle(due, { failures, activeSince: 0, activeAt: at, idleAt: at });
    return;
  }
  const ended = now();
  if (report.repaired + report.taken_up + report.gone > 0) {
    // What it found was told by no event: others may not be told either.
    await store.sweeps.noteActivity(repository.id, ended, ended);
  }
  const activeSince = ended - timings.sweepActive;
  await store.sweeps.settle(due, {
    failures: 0,
    activeSince,
    ...turnsAfter(repository.id, began, ended, report, timings),
  });
}

function turnsAfter(
  id: number,
  began: number,
  ended: number,
  { unsettled }: SweepReport,
  { sweepEvery, sweepIdle, settled }: Pauses,
): { readonly activeAt: number; readonly idleAt: number } {
  if (unsettled > 0) {
    const soon = ended + Math.min(settled, sweepEvery);
    return { activeAt: soon, idleAt: soon };
  }
  // One that takes long rests as long.
  const rested = ended + (ended - began);
  return {
    activeAt: turnAfter(id, rested, sweepEvery),
    idleAt: turnAfter(id, rested, Math.max(sweepIdle, sweepEvery)),
  };
}

/**
 * A run as it was at one moment, to go on from without what led there: today's rules decide what comes next, and never
 * anew what an earlier version of them decided.
 */
import { apply, begin, type RunState } from "../../run/machine.ts";
import { type RunSnapshot, type StoredRun, UnreadableRun } from "./run-store.ts";
import { SessionTable } from "./session-table.ts";

/**
 * Rises when a run's state or its sessions take another form. `test/coordinator/hosting/snapshot.test.ts` holds a
 * recording of each version, and fails when the form changes without a new one.
 */
export const SNAPSHOT_VERSION = 1;

type Upgrade = (before: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

/** By the version that they read: each makes the next one of it. */
const UPGRADES: Readonly<Record<number, Upgrade>> = {};

export function snapshotOf(state: RunState, sessions: SessionTable): RunSnapshot {
  return { version: SNAPSHOT_VERSION, state, sessions: sessions.stored() };
}

export interface RestoredRun {
  readonly state: RunState;
  readonly sessions: SessionTable;
}

/** The run as it was when its last record was kept. @throws UnreadableRun */
export function restoreRun({ snapshot, records }: StoredRun): RestoredRun {
  const from = snapshot === null ? null : readSnapshot(snapshot);
  const sessions = new SessionTable(from?.sessions);
  let state = from?.state ?? null;
  for (const { event, opened, accepted } of records) {
    if (opened !== undefined) sessions.open(opened);
    if (accepted !== undefined) sessions.accept(accepted);
    if (state === null) {
      if (event.type !== "created") throw new UnreadableRun("what is stored of it does not begin with its creation");
      state = begin(event);
      continue;
    }
    try {
      state = apply(state, event);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new UnreadableRun(`what is stored of it does not lead anywhere: ${why}`, { cause: error });
    }
  }
  if (state === null) throw new UnreadableRun("nothing is stored of it");
  return { state, sessions };
}

/** The frame is checked; the rest was written by a version that is known. @throws UnreadableRun */
function readSnapshot(stored: unknown): RunSnapshot {
  if (typeof stored !== "object" || stored === null || !("version" in stored)) {
    throw new UnreadableRun("what is stored of it does not say its version");
  }
  let snapshot: Readonly<Record<string, unknown>> = { ...stored };
  for (;;) {
    if (isCurrent(snapshot)) return snapshot;
    const { version } = snapshot;
    const upgrade = typeof version === "number" ? UPGRADES[version] : undefined;
    if (upgrade === undefined) {
      throw new UnreadableRun(
        `it was stored in version ${String(stored.version)}, and this coordinator reads ${SNAPSHOT_VERSION}: it is of another version`,
      );
    }
    snapshot = upgrade(snapshot);
  }
}

function isCurrent(snapshot: object): snapshot is RunSnapshot {
  return (
    "version" in snapshot && snapshot.version === SNAPSHOT_VERSION && "state" in snapshot && "sessions" in snapshot
  );
}

/** Records a snapshot of a pull request, and notices where GitHub shows something else. */

import type { GitHubClient } from "../../src/github/port.ts";
import { readRest, type Snapshot } from "../../src/github/pulls/snapshot.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import { sameFacts } from "../../src/lifecycle/facts/same-facts.ts";
import { meansTheSame } from "../evaluation/same-meaning.ts";
import { readAgain, sooner } from "../store/change-pull.ts";
import type { Pull, Repository, Store } from "../store/model.ts";
import { contradicts, driftOf } from "./drift.ts";
import { ensurePullWith, pullKeyOf } from "./ensure-pull.ts";

export interface RecordSnapshotOptions {
  readonly store: Store;
  readonly appId: number;
  readonly now: () => number;
  /** Milliseconds: see `Timings.settled`. */
  readonly settled: number;
}

/** `unchanged`: there was nothing new; `repaired`: something had been missed, or is shown wrongly. */
export interface SnapshotRecorded {
  readonly outcome: "unchanged" | "repaired" | "taken_up";
  /** The facts say something else, which is too young to be doubted: it is to be seen again. */
  readonly unsettled: boolean;
}

export interface SnapshotSeen {
  readonly snapshot: Snapshot;
  readonly repository: Repository;
  /** When GitHub was asked for it. */
  readonly askedAt: number;
}

/** The snapshot with its older part, where that may hold something that is not known. */
export async function completed(
  client: GitHubClient,
  row: Pull | null,
  snapshot: Snapshot,
  { appId, since }: { readonly appId: number; readonly since: number },
  signal: AbortSignal,
): Promise<Snapshot> {
  const { cut } = snapshot;
  if (cut === null) {
    return snapshot;
  }
  const known = new Set(row?.facts.acts.map((act) => act.id) ?? []);
  const reaches = cut.oldestActs.every((act) => known.has(act.id));
  const comments = cut.oldestComment === null || cut.oldestComment <= since;
  return row !== null && reaches && comments && !cut.checks
    ? snapshot
    : await readRest(client, snapshot, appId, signal);
}

/** Writes only what is new. Whoever calls it notifies those who evaluate and send. */
export async function recordSnapshot(
  { store, now, settled }: RecordSnapshotOptions,
  seen: SnapshotSeen,
): Promise<SnapshotRecorded> {
  const { snapshot, repository, askedAt } = seen;
  const { installationId } = repository;
  const pull = { ...pullKeyOf(repository, snapshot.number), repository: snapshot.state.repository };
  let outcome: SnapshotRecorded["outcome"] = "unchanged";
  let unsettled = false;
  await ensurePullWith(store, pull, installationId, now, (row, isNew) => {
    outcome = "unchanged";
    let facts = record(row.facts, { ...snapshot, pull });
    const sure = askedAt - settled;
    const doubt = contradicts(facts, snapshot);
    unsettled = doubt && facts.updatedAt >= sure;
    if (doubt && !unsettled) {
      facts = record(facts, { ...snapshot, pull, asOf: sure });
    }
    const at = now();
    const differs = isNew || row.installationId !== installationId || !meansTheSame(facts, row.facts);
    // What is on its way is confirmed by itself, and what is blocked waits for its time.
    const quiet = row.intent === null && row.blocked === null && facts.state === "open";
    const drift = quiet ? driftOf(row.confirmed, snapshot) : [];
    if (!differs && drift.length === 0) {
      return sameFacts(facts, row.facts) ? null : { pull: { ...row, facts } };
    }
    outcome = isNew ? "taken_up" : "repaired";
    const next: Pull = {
      ...row,
      installationId,
      facts,
      reevaluateAt: sooner(row.reevaluateAt, at),
      reevaluationTries: 0,
    };
    const note = drift.length === 0 ? null : `found by the sweep: ${drift.join(", ")}`;
    return { pull: drift.length === 0 ? next : readAgain(next, at, isNew ? null : note) };
  });
  return { outcome, unsettled };
}

/** Keeps a start's check run on the pull request's head up to date. */
import type { Logger } from "pino";
import { type CheckTarget, createCheckRun, listCheckRuns, updateCheckRun } from "../../src/github/checks/check-run.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { newestId } from "../../src/ids.ts";
import type { StartCheck, StartedRun } from "../store/model.ts";
import { failureOfWork } from "../work/failure.ts";
import type { RepositoryAccess } from "../work/repository-steps.ts";
import { shownDigest, shownOfStart } from "./check-text.ts";
import type { Turn } from "./queue.ts";

/** The first of a line see each change of their place at once; the others are told again after this. */
const FIRST_OF_LINE = 3;
const SAME_PLACE_MS = 5 * 60_000;

export interface CheckOptions {
  readonly appId: number;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Writes it if it is to show something else. Null: there was nothing to write. Throws when GitHub is in trouble; what
 * the app may not write is only logged, since the run and its result do not depend on it.
 */
export async function showStart(
  start: StartedRun,
  turn: Turn | null,
  { appId, now, log }: CheckOptions,
  { repository, client, write, signal }: RepositoryAccess,
): Promise<StartCheck | null> {
  const { check } = start;
  const shown = shownOfStart(start, turn);
  const digest = shownDigest(shown);
  if (check?.digest === digest || isSilent(start, turn) || isPatient(turn, check, now())) {
    return null;
  }
  const { status, conclusion, name, title, summary, detailsUrl } = shown;
  const target: CheckTarget = {
    owner: repository.owner,
    repo: repository.name,
    headSha: start.sha,
    name,
    externalId: `stagewright-start:${start.key}`,
    detailsUrl,
  };
  const said = { status, conclusion, text: { title, summary, text: null } };
  const completed = shown.status === "completed";
  // One that has ended is not opened again: a new one takes its place.
  let id = check === null || (check.completed && !completed) ? null : check.id;
  try {
    // Its answer may have been lost when it was made.
    id ??= await unended(client, target, appId, signal);
    if (id === null) {
      ({ id } = await write((writer) => createCheckRun(writer, target, said, signal)));
    } else {
      const known = id;
      await write((writer) => updateCheckRun(writer, target, known, { ...said, detailsUrl }, signal));
    }
  } catch (error) {
    const failure = failureOfWork(error, now());
    if (failure.kind === "temporary" || failure.kind === "rate_limit") {
      throw error;
    }
    log.error({ start: start.key, err: error }, "the check run of a started run could not be written");
  }
  return { id, digest, at: now(), completed };
}

/** The newest of ours with this name and external id that has not ended; null: there is none. */
async function unended(
  client: GitHubClient,
  target: CheckTarget,
  appId: number,
  signal: AbortSignal,
): Promise<string | null> {
  const filter = { check_name: target.name, app_id: `${appId}`, filter: "all" } as const;
  const own = (await listCheckRuns(client, target, filter, signal)).filter(
    (run) => run.externalId === target.externalId && run.status !== "completed",
  );
  return newestId(own.map((run) => run.id));
}

/** It was dropped before it was ever shown, or it is about to be decided. */
function isSilent({ check, state, conclusion, runId, parked }: StartedRun, turn: Turn | null): boolean {
  const dropped = check === null && state === "done" && conclusion === "cancelled" && runId === null;
  return dropped || (state === "queued" && parked === "" && turn === null);
}

function isPatient(turn: Turn | null, check: StartCheck | null, now: number): boolean {
  const behind = turn !== null && !turn.go && turn.place > FIRST_OF_LINE;
  return behind && check !== null && now < check.at + SAME_PLACE_MS;
}

/**
 * How followers find their leader without being told its address: an in-progress check run on the run's commit.
 *
 * Anybody who may write check runs can write such a one, so what stands there is only a place to ask at: whoever
 * answers must prove that it leads this run (`coordinator/leader.ts`).
 */
import { z } from "zod";
import { compareIds } from "../../ids.ts";
import { HOST } from "../../plan/parsing/address.ts";
import { githubId, smallId } from "../id.ts";
import type { GitHubClient } from "../port.ts";
import type { RequestFailure } from "../request-failure.ts";
import { isNotModified } from "../workflows/attempt-jobs.ts";
import { type BeaconPlace, beaconName, externalId } from "./beacon-place.ts";
import { openCheck, type Pace } from "./checks.ts";
import type { OwnCheck } from "./own-check.ts";

export type Beacon =
  | { readonly lit: true; readonly check: OwnCheck /** @returns whether GitHub took it */; out(): Promise<boolean> }
  | { readonly lit: false; readonly failure: RequestFailure };

const CONCLUDE_MS = 10_000;
const LOOK_MS = 15_000;
/** What follows the run: the check run of the job that leads, or nothing; then host:port. */
const SHOWN = new RegExp(`^(\\d{0,20})/(${HOST}:\\d{1,5})$`);
const PER_PAGE = 100;
/** Of the newest: GitHub itself lists no more than a thousand for a commit. */
const PAGES = 10;
/** How often the pages after the first are read at most, where there are any. Milliseconds. */
const ALL_PAGES_EVERY_MS = 15_000;

const listed = z.object({
  check_runs: z.array(
    z.object({
      id: githubId,
      status: z.string(),
      external_id: z.string().nullable().optional(),
      app: z.object({ id: smallId }).nullish(),
    }),
  ),
});
type Listed = z.infer<typeof listed>["check_runs"];

/** Where this run's leader listens (host:port), and the check run of its job, if its tokens say that. */
export interface ShownLeader {
  readonly address: string;
  readonly job: string | null;
}

/** Shows where this run's leader listens. */
export async function lightBeacon(
  client: GitHubClient,
  place: BeaconPlace,
  { address, job }: ShownLeader,
  pace: Pace,
  signal: AbortSignal,
): Promise<Beacon> {
  const title = `the group ${place.group} meets at ${address}`;
  const text = {
    title: title.length > 140 ? `the group meets at ${address}` : title,
    summary: "Shown while the group runs: its agents find their coordinator by this check run.",
    text: null,
  };
  const target = {
    owner: place.owner,
    repo: place.repo,
    headSha: place.headSha,
    name: beaconName(place),
    externalId: externalId(place, `${job ?? ""}/${address}`),
    detailsUrl: null,
  };
  const opened = await openCheck(client, target, text, pace, signal);
  if (!opened.opened) return { lit: false, failure: opened.failure };
  const { check, appId } = opened;
  return {
    lit: true,
    check: { ...target, id: check.handle.id, appId },
    out: async () => {
      const over = { ...text, title: "the run is over" };
      const { concluded } = await check.conclude("neutral", over, [], AbortSignal.timeout(CONCLUDE_MS));
      return concluded;
    },
  };
}

/** Looks for the beacons of one run, again and again; what has not changed costs no rate limit. */
export class BeaconWatch {
  readonly #client: GitHubClient;
  readonly #place: BeaconPlace;
  readonly #now: () => number;
  /** Page by page, as GitHub last told it. */
  #pages: { readonly etag: string | null; readonly checks: Listed }[] = [];
  #readAllAt = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds of any clock that goes on */
  constructor(client: GitHubClient, place: BeaconPlace, now: () => number = () => performance.now()) {
    this.#client = client;
    this.#place = place;
    this.#now = now;
  }

  /** The addresses shown now: of each app and job the newest first. @throws what GitHub's API says */
  async addresses(signal: AbortSignal): Promise<readonly string[]> {
    const isFirstFull = await this.#read(1, signal);
    if (!isFirstFull) this.#pages.length = 1;
    else if (this.#now() - this.#readAllAt >= ALL_PAGES_EVERY_MS) {
      this.#readAllAt = this.#now();
      let page = 2;
      while (page <= PAGES && (await this.#read(page, signal))) page += 1;
      this.#pages.length = Math.min(page, PAGES);
    }
    return likeliestFirst(this.#pages.flatMap(({ checks }) => checks).flatMap((check) => this.#shown(check)));
  }

  /** @returns whether there may be more pages */
  async #read(page: number, signal: AbortSignal): Promise<boolean> {
    const before = this.#pages[page - 1];
    const etag = before?.etag ?? null;
    try {
      const answer = await this.#client.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
        owner: this.#place.owner,
        repo: this.#place.repo,
        ref: this.#place.headSha,
        check_name: beaconName(this.#place),
        status: "in_progress",
        filter: "all",
        per_page: PER_PAGE,
        page,
        headers: etag === null ? {} : { "if-none-match": etag },
        request: { signal: AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]) },
      });
      const found = answer.headers.etag;
      const checks = listed.parse(answer.data).check_runs;
      this.#pages[page - 1] = { etag: typeof found === "string" ? found : null, checks };
      return checks.length >= PER_PAGE;
    } catch (error) {
      if (before === undefined || !isNotModified(error)) throw error;
      return before.checks.length >= PER_PAGE;
    }
  }

  /** Who shows an address, and which; nothing for other check runs. */
  #shown({ id, status, external_id: external, app }: Listed[number]): readonly Shown[] {
    const prefix = externalId(this.#place, "");
    if (status !== "in_progress" || external?.startsWith(prefix) !== true) return [];
    const [, job, address] = SHOWN.exec(external.slice(prefix.length)) ?? [];
    return address === undefined ? [] : [{ id, by: `${app?.id}/${job}`, address }];
  }
}

interface Shown {
  readonly id: string;
  /** App and job, as far as they are said. */
  readonly by: string;
  readonly address: string;
}

/**
 * Each address once. A leader shows itself once: whoever shows many addresses comes with the newest of them beside the
 * others' newest, and with the rest after them.
 */
function likeliestFirst(shown: readonly Shown[]): readonly string[] {
  const counts = new Map<string, number>();
  const ranked = shown
    .toSorted((a, b) => compareIds(b.id, a.id))
    .map(({ address, by }) => {
      const rank = counts.get(by) ?? 0;
      counts.set(by, rank + 1);
      return { address, rank };
    });
  return [...new Set(ranked.toSorted((a, b) => a.rank - b.rank).map(({ address }) => address))];
}

/**
 * How followers find their leader without being told its address: an in-progress check run on the run's commit.
 *
 * Anybody who may write check runs can write such a one, so what stands there is only a place to ask at: whoever
 * answers must prove that it leads this run (`coordinator/leader.ts`).
 */
import { z } from "zod";
import type { AbandonedChecks } from "./abandoned-checks.ts";
import { openCheck, type Pace } from "./checks.ts";
import type { OwnCheck } from "./own-check.ts";
import type { GitHubClient } from "./port.ts";
import type { RequestFailure } from "./request-failure.ts";

/** Where the check run stands. */
export interface BeaconPlace {
  readonly owner: string;
  readonly repo: string;
  readonly headSha: string;
  /** The run's id: beacons of other runs on the same commit are not looked at. */
  readonly run: string;
  /** For people: which group's leader. */
  readonly group: string;
  readonly plan: string;
}

export type Beacon =
  | { readonly lit: true; readonly check: OwnCheck /** @returns whether GitHub took it */; out(): Promise<boolean> }
  | { readonly lit: false; readonly failure: RequestFailure };

const LONGEST_NAME = 100;
const CONCLUDE_MS = 10_000;
const ADDRESS = /^[A-Za-z0-9.:[\]-]{3,255}$/;

const listed = z.object({
  check_runs: z.array(z.object({ id: z.number(), status: z.string(), external_id: z.string().nullable().optional() })),
});

/** Shows where this run's leader listens. @param address host:port */
export async function lightBeacon(
  client: GitHubClient,
  place: BeaconPlace,
  address: string,
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
    name: nameOf(place),
    externalId: externalId(place, address),
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
  #etag: string | null = null;
  #addresses: readonly string[] = [];

  constructor(client: GitHubClient, place: BeaconPlace) {
    this.#client = client;
    this.#place = place;
  }

  /** The addresses shown now, newest first. @throws what GitHub's API says */
  async look(signal: AbortSignal): Promise<readonly string[]> {
    try {
      const answer = await this.#client.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
        owner: this.#place.owner,
        repo: this.#place.repo,
        ref: this.#place.headSha,
        check_name: nameOf(this.#place),
        status: "in_progress",
        filter: "all",
        per_page: 100,
        headers: this.#etag === null ? {} : { "if-none-match": this.#etag },
        request: { signal },
      });
      const etag = answer.headers.etag;
      this.#etag = typeof etag === "string" ? etag : null;
      const prefix = externalId(this.#place, "");
      this.#addresses = listed
        .parse(answer.data)
        .check_runs.filter(({ status }) => status === "in_progress")
        .toSorted((a, b) => b.id - a.id)
        .flatMap(({ external_id: id }) => (id?.startsWith(prefix) === true ? [id.slice(prefix.length)] : []))
        .filter((address) => ADDRESS.test(address));
    } catch (error) {
      if (!isNotModified(error)) throw error;
    }
    return this.#addresses;
  }
}

/** The beacons of one run, whoever lit them and wherever they say that the leader is. */
export function beaconsOf(place: BeaconPlace): AbandonedChecks {
  const { owner, repo, headSha } = place;
  return { owner, repo, headSha, name: nameOf(place), externalId: externalId(place, "") };
}

function nameOf({ group, plan }: BeaconPlace): string {
  const name = `leader / ${plan} (${group})`;
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}

function externalId({ run }: BeaconPlace, address: string): string {
  return `stagewright-leader/${run}/${address}`;
}

/** Octokit throws on 304, as on every status that is no success. */
function isNotModified(error: unknown): boolean {
  return typeof error === "object" && error !== null && "status" in error && error.status === 304;
}

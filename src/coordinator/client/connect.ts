/**
 * An agent's way to its coordinator, wherever that lives: in this process (solo), in this process for others, too
 * (leader), in another agent (follower), or at an address (the app, the command line's parent process).
 *
 * A run of one agent loads nothing of the network: it starts in a fraction of the time.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { COMES_BACK_MS, LEADER_SILENCE_MS } from "../../plan/liveness.ts";
import { jobIdentity, type RunKey, type RunSpec } from "../../run/types.ts";
import type { JobClaims, TokenVerifier } from "../admission/admission.ts";
import type { EndedJob, JobsPace, JobWatch, ListJobs } from "../admission/ended-jobs.ts";
import type { GroupJobs } from "../admission/jobs.ts";
import type { GroupRun } from "../hosting/group-run.ts";
import type { RunHost } from "../hosting/host.ts";
import type { CoordinatorPort } from "../protocol/port.ts";
import { WrongClock } from "../protocol/refusal.ts";
import { beginRun, InProcessCoordinator } from "./in-process.ts";

const FAREWELL_PAUSE_MS = 50;
const FAREWELL_ASK_MS = 10_000;
/** A leader that waits longer than this for others to hear the end says so. */
const FAREWELL_SAID_MS = 2_000;
/** Of many, so many are named. */
const NAMED = 20;

interface Tokens {
  /** This job's OIDC token for an audience. */
  readonly idToken: (audience: string) => Promise<string>;
  readonly verifier: (audience: string) => TokenVerifier;
  /** The id of the one job whose matrix is the group; null: jobs of several kinds meet in it. */
  readonly onlyJob: string | null;
  /** What GitHub calls the job of a check run; null where it cannot be asked. */
  readonly jobName: ((checkRunId: string, signal: AbortSignal) => Promise<string>) | null;
  /** Lists the jobs of this attempt; null where GitHub cannot be asked. */
  readonly listJobs: ListJobs | null;
}

/** The leader lists the jobs while it waits for them; a follower that finds no leader seldom: there may be many. */
const LEADERS_PACE: JobsPace = { firstMs: 10_000, everyMs: 30_000 };
const FOLLOWERS_PACE: JobsPace = { firstMs: 15_000, everyMs: 300_000 };

/** What a job's token for itself is made for: nobody takes it. */
const OWN_AUDIENCE = "stagewright-own-claims";
const OWN_TRIES = 4;
const OWN_PAUSE_MS = 2_000;
const OWN_CHECK_MS = 20_000;

export type CoordinatorLocation =
  | { readonly kind: "solo" }
  | {
      readonly kind: "url";
      readonly url: URL;
      /** An OIDC token for that address, or a shared secret. */
      readonly credential: () => Promise<string>;
    }
  | ({
      readonly kind: "leader";
      readonly listen: string;
      readonly advertise: string | null;
      /**
       * Tells the followers where (null: they know). Resolves with what takes that back. @throws why it cannot
       * @param job this job's check run; null where tokens do not say it
       */
      readonly announce: ((address: string, job: string | null) => Promise<() => Promise<void>>) | null;
    } & Tokens)
  | ({
      readonly kind: "follower";
      readonly addresses: (signal: AbortSignal) => Promise<readonly string[]>;
      /** Whether the plan itself says the addresses; else anybody may have. */
      readonly isTrusted: boolean;
    } & Tokens);

export interface ConnectOptions extends RunSpec {
  readonly location: CoordinatorLocation;
  /** Told after each change where the run is hosted here; must not throw. */
  readonly onChange?: (host: RunHost) => void;
  /** A line for the log: retries, waits, refused leaders, faults of a coordinator here. */
  readonly say: (text: string) => void;
  /** How often the attempt's jobs are listed while somebody is waited for. */
  readonly jobsPace?: JobsPace;
}

/** Whether the leader's job is over, as GitHub lists it; null: it is not listed. @throws what GitHub's API says */
export type LeaderIsOver = (signal: AbortSignal) => Promise<boolean | null>;

export interface Connection {
  readonly coordinator: CoordinatorPort;
  /** The run's host, where it is in this process. */
  readonly host: RunHost | null;
  /** How long the coordinator may be silent before an agent stops; null: the agent's own default. */
  readonly silenceMs: number | null;
  /** Null: there is no leader elsewhere, or GitHub cannot be asked for its job. */
  readonly leaderIsOver: LeaderIsOver | null;
  /** To be called when the agent's own part is over. A leader stays until the others know the end. */
  close(): Promise<void>;
}

/** @throws NoLeader, Refusal, WrongClock; Error with the reason when a leader cannot listen or be announced; the signal's reason */
export async function connect(options: ConnectOptions, signal: AbortSignal): Promise<Connection> {
  const { location } = options;
  switch (location.kind) {
    case "solo":
      return solo(options);
    case "url": {
      const { HttpCoordinator, sayRetries } = await import("./client.ts");
      const onRetry = sayRetries((text) => options.say(`warning: ${text}`));
      return {
        coordinator: new HttpCoordinator({ url: location.url, credential: location.credential, onRetry }),
        host: null,
        silenceMs: null,
        leaderIsOver: null,
        close: async () => undefined,
      };
    }
    case "leader":
      return await lead(options, location, signal);
    case "follower":
      return await follow(options, location, signal);
    default:
      return location satisfies never;
  }
}

function solo(options: ConnectOptions): Connection {
  const { onChange } = options;
  const run = beginRun(options, onChange === undefined ? {} : { onChange });
  const { host } = run;
  return {
    coordinator: new InProcessCoordinator(run),
    host,
    silenceMs: null,
    leaderIsOver: null,
    close: async () => host.close(),
  };
}

async function lead(
  options: ConnectOptions,
  location: Extract<CoordinatorLocation, { kind: "leader" }>,
  signal: AbortSignal,
): Promise<Connection> {
  const { key, onChange, say } = options;
  const { Runs } = await import("../hosting/runs.ts");
  const { serveLeader } = await import("../server/serve.ts");
  const onError = (error: unknown, what: string): void =>
    say(`warning: coordinator: ${what}: ${error instanceof Error ? error.message : String(error)}`);
  const runs = new Runs({
    store: null,
    onError,
    ...(onChange === undefined ? {} : { onChange: (run) => onChange(run.host) }),
  });
  const { listen, advertise, idToken, verifier } = location;
  const jobs = await groupJobs(key, location);
  const { checkRunId } = await persistently(() => jobs.own(), signal);
  const checkJob = (claims: JobClaims): Promise<void> => jobs.check(claims, AbortSignal.timeout(OWN_CHECK_MS));
  const serving = await serveLeader({ listen, advertise, idToken, verifier, key, checkJob, runs, onError, signal });
  try {
    say(`this agent coordinates the group, at ${serving.address}`);
    const run = await runs.open(options);
    run.reserveFirst();
    const takeBack = (await location.announce?.(serving.address, checkRunId)) ?? null;
    const watching = new AbortController();
    await watchFor(options, location, checkRunId, watching.signal, {
      pace: LEADERS_PACE,
      isWaiting: () => run.host.state.status === "assembling",
      found: (ended) => {
        const absent = ended.map(({ id, why }) => ({ id: jobIdentity(id), why }));
        run.host.commit({ event: { type: "not_coming", at: run.host.now, absent } });
      },
    });
    return {
      coordinator: new InProcessCoordinator(run, { checkRunId, repository: null }),
      host: run.host,
      silenceMs: null,
      leaderIsOver: null,
      close: async () => {
        watching.abort();
        await sayFarewell(run, location.listJobs, say);
        await takeBack?.().catch((error: unknown) => onError(error, "the address could not be taken back"));
        await serving.close();
      },
    };
  } catch (error) {
    await serving.close();
    throw error;
  }
}

/**
 * Stays until all have said that they heard the end who may still come for it; bounded, since nobody comes later than
 * that. That it was answered is not enough: an answer may be lost, and its agent asks again. Whose job is over does not
 * come, where GitHub says so.
 */
async function sayFarewell(
  { host, first }: GroupRun,
  listJobs: ListJobs | null,
  say: (text: string) => void,
): Promise<void> {
  const began = performance.now();
  let isSaid = false;
  while (host.isOver) {
    const untold = host.untold(COMES_BACK_MS).filter((agent) => agent !== first);
    const waited = performance.now() - began;
    if (untold.length === 0 || waited > COMES_BACK_MS) return;
    if (!isSaid && waited > FAREWELL_SAID_MS) {
      isSaid = true;
      const named = listed(untold);
      say(
        `the run is over; waiting for ${named} to say that it heard so, ${COMES_BACK_MS / 1000} s at most since last seen`,
      );
      const jobs = await listJobs?.(AbortSignal.timeout(FAREWELL_ASK_MS)).catch(() => []);
      host.noteOver(jobs?.filter(({ status }) => status === "completed").map(({ id }) => id) ?? []);
    }
    await sleep(FAREWELL_PAUSE_MS);
  }
}

async function follow(
  options: ConnectOptions,
  location: Extract<CoordinatorLocation, { kind: "follower" }>,
  signal: AbortSignal,
): Promise<Connection> {
  const { key, plan, agentCount, say } = options;
  const { addresses, isTrusted, verifier, idToken } = location;
  const { findLeader, NoLeader } = await import("./find-leader.ts");
  const { HttpCoordinator, sayRetries } = await import("./client.ts");
  const { followerAudience } = await import("../server/leader.ts");
  const timeoutMs = plan.assembly.timeoutMs;
  const jobs = await groupJobs(key, location);
  const hopeless = new AbortController();
  const searching = AbortSignal.any([signal, hopeless.signal]);
  const own = persistently(() => jobs.own(), searching);
  const watching = own.then(async ({ checkRunId }) => {
    const needed = plan.assembly.atLeast ?? agentCount;
    await watchFor(options, location, checkRunId, searching, {
      pace: FOLLOWERS_PACE,
      isWaiting: () => !hopeless.signal.aborted,
      found: (ended) => {
        const coming = agentCount - ended.length;
        if (coming < needed) hopeless.abort(new NoLeader(cannotMeet(coming, agentCount, ended)));
      },
    });
  });
  watching.catch((error: unknown) => {
    // It would take its own leader for a false one until the time is over. Why there is no token the search tells.
    if (error instanceof WrongClock) hopeless.abort(error);
  });
  const leader = await findLeader({ addresses, isTrusted, verifier, jobs, timeoutMs, say }, searching);
  hopeless.abort();
  say(`found the leader of the group at ${leader.url.host}`);
  const coordinator = new HttpCoordinator({
    url: leader.url,
    credential: () => idToken(followerAudience(leader.fingerprint)),
    agent: leader.agent,
    confirmsEnd: true,
    onRetry: sayRetries((text) => say(`warning: ${text}`)),
  });
  const leaderIsOver = overOf(location, leader.job);
  const close = async (): Promise<void> => leader.agent.destroy();
  return { coordinator, host: null, silenceMs: LEADER_SILENCE_MS, leaderIsOver, close };
}

function overOf({ listJobs }: Tokens, job: string | null): LeaderIsOver | null {
  if (listJobs === null || job === null) return null;
  return async (signal) => {
    const leader = (await listJobs(signal)).find(({ id }) => id === job);
    return leader === undefined ? null : leader.status === "completed";
  };
}

function cannotMeet(coming: number, size: number, ended: readonly EndedJob[]): string {
  return `only ${coming} of ${size} agents can be there: ${listed(ended.map(({ why }) => why))}`;
}

function listed(all: readonly string[]): string {
  const more = all.length > NAMED ? ` and ${all.length - NAMED} more` : "";
  return `${all.slice(0, NAMED).join(", ")}${more}`;
}

/** Watches for jobs of this matrix that are over, where it can be told which those are. */
async function watchFor(
  { agentCount, say, jobsPace }: ConnectOptions,
  { listJobs, onlyJob }: Tokens,
  own: string | null,
  signal: AbortSignal,
  { pace, ...rest }: Pick<JobWatch, "pace" | "isWaiting" | "found">,
): Promise<void> {
  if (listJobs === null || onlyJob === null || own === null) return;
  const { watchJobs } = await import("../admission/ended-jobs.ts");
  const group = { own, onlyJob, size: agentCount };
  void watchJobs({ list: listJobs, group, pace: jobsPace ?? pace, say, ...rest }, signal);
}

async function groupJobs(key: RunKey, { idToken, onlyJob, jobName }: Tokens): Promise<GroupJobs> {
  const { GroupJobs: Jobs } = await import("../admission/jobs.ts");
  const { ownClaims } = await import("../admission/admission.ts");
  return new Jobs({ key, own: async () => ownClaims(await idToken(OWN_AUDIENCE)), onlyJob, nameOf: jobName });
}

async function persistently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries >= OWN_TRIES || error instanceof WrongClock) throw error;
      await sleep(OWN_PAUSE_MS, undefined, { signal });
    }
  }
}

/** Where this job's run has its coordinator, and what must be refused before anything is tried. */
import { hostname } from "node:os";
import type { ListJobs } from "../../coordinator/admission/ended-jobs.ts";
import { reachableHost } from "../../coordinator/client/addresses.ts";
import type { CoordinatorLocation } from "../../coordinator/client/connect.ts";
import { runIdOf } from "../../coordinator/protocol/run-id.ts";
import type { BeaconPlace } from "../../github/checks/beacon-place.ts";
import { jobClient } from "../../github/client.ts";
import type { AttemptJobs } from "../../github/workflows/attempt-jobs.ts";
import { joinAddress, splitAddress } from "../../plan/parsing/address.ts";
import type { Plan } from "../../plan/plan.ts";
import type { RunKey } from "../../run/types.ts";
import type { Entry } from "../entry.ts";
import type { SavedState } from "../post-state.ts";
import { hasIdTokens, idToken, verifierFor } from "./id-token.ts";
import type { Inputs } from "./inputs.ts";
import type { Job } from "./job.ts";

/** More agents than this would spend the repository's API requests on looking for their leader. */
const MOST_BY_BEACON = 64;

export interface MeetingPlace {
  readonly location: CoordinatorLocation;
  /** Shows the group's result; the others show their own part. */
  readonly reports: boolean;
  /** Where other agents reach this one; null: nobody has to. */
  readonly address: string | null;
  /** What shows where the leader is, if it is found by that. */
  readonly beacon: BeaconPlace | null;
}

/** How many agents make the group. */
export function groupSizeOf(plan: Plan, inputs: Inputs): number {
  return plan.agentCount ?? inputs.agentCount ?? 1;
}

/** A line for each reason why this job cannot meet its group. */
export function placeProblems(plan: Plan, inputs: Inputs, job: Job, env: Entry["env"]): readonly string[] {
  const size = groupSizeOf(plan, inputs);
  if (size === 1 && inputs.coordinator === "") return [];
  if (job.fork) {
    return [
      "coordinator: this is a pull request from a fork, whose jobs get neither OIDC tokens nor write access: a group cannot meet there; with agent-count: 1 each job runs the plan on its own",
    ];
  }
  const problems: string[] = [];
  if (!hasIdTokens(env) && secretOf(env) === null) {
    problems.push(
      `coordinator: this job is one of ${size} agents of a group and gets no OIDC token to join it with; add \`permissions: { id-token: write }\` to it, or agent-count: 1 to run the plan in each job on its own`,
    );
  } else if (!hasIdTokens(env) && !isUrl(inputs.coordinator)) {
    problems.push("coordinator: a leader needs OIDC tokens; add `permissions: { id-token: write }` to the job");
  }
  if (!isUrl(inputs.coordinator) && leaderAddress(plan) === null) {
    if (size > MOST_BY_BEACON) {
      problems.push(
        `coordinator: more than ${MOST_BY_BEACON} agents need the leader's address in the plan (agents: [{address: "host:port"}]) or an app`,
      );
    }
    if (job.owner === null || job.headSha === null) {
      problems.push("coordinator: outside GitHub the leader's address must be in the plan (agents: [{address}])");
    }
  }
  return problems;
}

/**
 * Whether this agent is the first of its group. With roles, agents of several jobs meet, each with a matrix of its own
 * that counts from 0: then the first of the role that the plan names first.
 */
function leads({ roles }: Plan, { agentIndex, role }: Inputs): boolean {
  return agentIndex === 0 && (role === null || role === (Object.keys(roles)[0] ?? role));
}

/** Finds the place. @param entry whose environment holds the job's tokens */
export function meetingPlaceOf(
  key: RunKey,
  plan: Plan,
  inputs: Inputs,
  job: Job,
  entry: Entry,
  state: SavedState,
): MeetingPlace {
  const { env } = entry;
  const { coordinator } = inputs;
  if (coordinator === "" && groupSizeOf(plan, inputs) === 1)
    return { location: { kind: "solo" }, reports: true, address: null, beacon: null };
  const address = plan.agents[inputs.agentIndex]?.address ?? ownAddress(inputs.advertise);
  const mask = (value: string): void => {
    entry.masks.hold(value);
    entry.console.mask(value);
  };
  const token = (audience: string): Promise<string> => idToken(env, audience, mask);
  if (isUrl(coordinator)) {
    const url = new URL(coordinator);
    const secret = secretOf(env);
    const credential = hasIdTokens(env) ? () => token(url.origin) : async () => secret ?? "";
    return { location: { kind: "url", url, credential }, reports: false, address, beacon: null };
  }
  const known = leaderAddress(plan);
  // Who finds the leader by its check run may read check runs.
  const named = known === null && job.owner !== null && job.repo !== null ? { owner: job.owner, repo: job.repo } : null;
  const shared = {
    idToken: token,
    verifier: verifierFor(env),
    // Jobs of several kinds say the name of their group, or their roles.
    onlyJob: inputs.group === null && inputs.role === null ? job.id : null,
    jobName:
      named === null
        ? null
        : async (checkRunId: string, signal: AbortSignal): Promise<string> => {
            const { jobName } = await import("../../github/workflows/job-name.ts");
            return await jobName(await jobClient(inputs.githubToken), named, checkRunId, signal);
          },
    listJobs: jobsOf(job, inputs.githubToken),
  };
  const beacon: BeaconPlace = {
    owner: job.owner ?? "",
    repo: job.repo ?? "",
    headSha: job.headSha ?? "",
    run: runIdOf(key),
    group: key.group,
    plan: key.plan,
  };
  if (!leads(plan, inputs)) {
    const watch = (async () => {
      const { BeaconWatch } = await import("../../github/checks/leader-beacon.ts");
      return new BeaconWatch(await jobClient(inputs.githubToken), beacon);
    })();
    // Its failure is told by each look.
    watch.catch(() => undefined);
    const addresses =
      known === null ? async (signal: AbortSignal) => await (await watch).addresses(signal) : async () => [known];
    const followed = known === null ? beacon : null;
    return {
      location: { kind: "follower", addresses, isTrusted: known !== null, ...shared },
      reports: false,
      address,
      beacon: followed,
    };
  }
  const announce = async (at: string, ownJob: string | null): Promise<() => Promise<void>> => {
    const { lightBeacon } = await import("../../github/checks/leader-beacon.ts");
    const lit = await lightBeacon(
      await jobClient(inputs.githubToken),
      beacon,
      { address: at, job: ownJob },
      entry.pace,
      AbortSignal.timeout(60_000),
    );
    if (lit.lit) {
      // Should this process be killed, its post step puts it out.
      state.beacon(lit.check);
      return async () => {
        if (await lit.out()) state.beacon(null);
      };
    }
    throw new Error(
      `the group's leader on ${hostname()} could not show its address (${lit.failure.message}); add \`permissions: { checks: write }\` to the job, or name its address in the plan (agents: [{address: "host:port"}])`,
    );
  };
  const port = known === null ? 0 : splitAddress(known).port;
  return {
    location: {
      kind: "leader",
      listen: inputs.listen ?? `:${port ?? 0}`,
      advertise: known ?? inputs.advertise,
      announce: known === null ? announce : null,
      ...shared,
    },
    reports: true,
    address,
    beacon: known === null ? beacon : null,
  };
}

/** Lists the jobs of this attempt; null: GitHub cannot be asked. */
function jobsOf({ owner, repo, runId, attempt }: Job, token: string): ListJobs | null {
  if (owner === null || repo === null || token === "") return null;
  const attemptJobs = async (): Promise<AttemptJobs> => {
    const made = await import("../../github/workflows/attempt-jobs.ts");
    return new made.AttemptJobs(await jobClient(token), { owner, repo, runId, attempt });
  };
  let jobs: Promise<AttemptJobs> | null = null;
  return async (signal) => {
    jobs ??= attemptJobs();
    return await (await jobs).list(signal);
  };
}

/** Where others reach this agent. @param advertise host or host:port, as it was given */
function ownAddress(advertise: string | null): string {
  const { host, port } = splitAddress(advertise ?? "");
  return joinAddress(host ?? reachableHost(null), port);
}

/** host:port of the first agent as the plan says it; null when it does not, or without a port. */
function leaderAddress(plan: Plan): string | null {
  const address = plan.agents[0]?.address ?? null;
  return address !== null && splitAddress(address).port !== null ? address : null;
}

export function isUrl(coordinator: string): boolean {
  return coordinator !== "" && coordinator !== "leader";
}

/** Stands in for OIDC where there is none: outside GitHub. */
function secretOf(env: Entry["env"]): string | null {
  return env.STAGEWRIGHT_COORDINATOR_SECRET || null;
}

/**
 * Hosts runs for agents: the app as the coordinator of every group whose jobs name its address. An agent is let in by
 * its job's OIDC token, made for this app's address, and only from repositories that the app is installed on.
 */
import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { checkClaims, createTokenVerifier, type TokenVerifier } from "../../src/coordinator/admission/admission.ts";
import type { JobsPace } from "../../src/coordinator/admission/ended-jobs.ts";
import { DEFAULT_QUOTAS, type QuotaLimits, type QuotaName, Quotas } from "../../src/coordinator/admission/quotas.ts";
import type { GroupRun } from "../../src/coordinator/hosting/group-run.ts";
import { Runs } from "../../src/coordinator/hosting/runs.ts";
import { SessionTokens } from "../../src/coordinator/hosting/session-tokens.ts";
import type { JoinRequest } from "../../src/coordinator/protocol/port.ts";
import { Refusal, type RefusalCode } from "../../src/coordinator/protocol/refusal.ts";
import { runIdOf } from "../../src/coordinator/protocol/run-id.ts";
import { Forwarding } from "../../src/coordinator/replicas/forwarding.ts";
import type { Elsewhere } from "../../src/coordinator/replicas/owners.ts";
import { ReplicaSignature } from "../../src/coordinator/replicas/signature.ts";
import { type Caller, coordinatorHandler } from "../../src/coordinator/server/handler.ts";
import type { Pace } from "../../src/github/checks/checks.ts";
import { readInstallationId } from "../../src/github/installation.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { SingleFlight } from "../../src/single-flight.ts";
import { steadyNow } from "../../src/steady-clock.ts";
import type { Handler } from "../http/webhook.ts";
import { type HostedRunSeen, hostedRunSeen } from "../metrics/group-runs.ts";
import type { Store } from "../store/model.ts";
import { type RunApprovals, runApprovals, type SaidToRun } from "./approvals.ts";
import { RunChecks } from "./checks.ts";
import { decideElsewhere, decisionsEndpoint } from "./decisions-elsewhere.ts";
import { EndedJobs } from "./ended-jobs.ts";
import type { RunPlace } from "./note.ts";
import { ClaimedRuns, type ClaimedRunsOptions } from "./owners.ts";
import { TakeUp } from "./take-up.ts";

const ASK_MS = 10_000;
/** Runs whose place on GitHub is remembered until their check run is open. */
const MOST_PLACES = 10_000;
/** Signs session tokens: kept, so that sessions outlive the process, and hold at every replica. */
const SESSION_SECRET = "run-session-secret";
/** Signs what replicas pass on to each other. */
const REPLICA_SECRET = "replica-secret";

export interface HostRunsOptions {
  readonly store: Pick<Store, "runs" | "firstMeta" | "pullIds" | "starts" | "claims">;
  /** Where several replicas of the app share the store; null (default): this process has all runs. */
  readonly replicas?: RunReplicas | null;
  /** This app's own address: what agents name as their coordinator, and the audience of their tokens. */
  readonly publicUrl: string;
  /** Who issues the tokens of the jobs: github.com's, or a GitHub Enterprise Server's own. */
  readonly issuer: string;
  /** The app's installation on a repository; null: it is not installed there. */
  readonly installation: (repositoryId: number, fullName: string) => Promise<number | null>;
  readonly client: (installationId: number) => Promise<GitHubClient>;
  readonly pace: Pace;
  readonly onError: (error: unknown, what: string) => void;
  /** Checks tokens in place of the issuer's published keys (tests). */
  readonly verifier?: TokenVerifier;
  /** What one repository, installation and workflow run may have of it. */
  readonly quotas?: QuotaLimits;
  /** How often the jobs of a workflow run are listed while a group of it assembles. */
  readonly jobsPace?: JobsPace;
  readonly onRefused?: (code: RefusalCode) => void;
  readonly onQuota?: (quota: QuotaName) => void;
  /** Told after each change of a run. */
  readonly onChange?: (run: GroupRun) => void;
}

export interface RunReplicas extends Pick<ClaimedRunsOptions, "lease" | "requestMs"> {
  /** How often it is looked for runs that nobody has. Milliseconds; default 5 s. */
  readonly takeUpEveryMs?: number;
}

export interface HostedRuns {
  /** Answers `/api/runs/…`. */
  readonly handler: Handler;
  readonly runs: Runs;
  /** What people decide about them. */
  readonly approvals: RunApprovals;
  /** Of the runs in memory: those that go on, and those that ended some minutes ago. */
  seen(): Promise<readonly HostedRunSeen[]>;
  /** Resolves when what is to be shown on GitHub has been sent. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Any job on GitHub can get a token for this app: GitHub is asked about each of their repositories once in a minute. */
const ASKED_MS = 60_000;

/** The app's installation on a repository, as it is stored or else as GitHub says it; null: there is none. */
export function installationLookup(
  store: Pick<Store, "repository">,
  app: () => Promise<GitHubClient>,
): HostRunsOptions["installation"] {
  const asking = new SingleFlight<string, number | null>();
  const installations = new LRUCache<string, { readonly id: number | null }>({ max: MOST_PLACES, ttl: ASKED_MS });
  const ask = async (fullName: string): Promise<number | null> => {
    const [owner = "", name = ""] = fullName.split("/");
    return await readInstallationId(await app(), { owner, name }, AbortSignal.timeout(ASK_MS));
  };
  return async (repositoryId, fullName) => {
    const known = await store.repository(repositoryId);
    if (known?.installationId != null) return known.installationId;
    const name = `${repositoryId} ${fullName}`;
    const before = installations.get(name);
    if (before !== undefined) return before.id;
    return await asking.share(name, async () => {
      const id = await ask(fullName);
      installations.set(name, { id });
      return id;
    });
  };
}

/** Takes up the runs that the last process left, or that no other replica has, and answers from then on. */
export async function hostRuns(options: HostRunsOptions): Promise<HostedRuns> {
  const { store, onError, pace, onRefused, onQuota } = options;
  const replicas = options.replicas ?? null;
  const owners = replicas === null ? null : new ClaimedRuns({ claims: store.claims, ...replicas });
  const audience = new URL(options.publicUrl).origin;
  const verify = options.verifier ?? createTokenVerifier({ issuer: options.issuer, audience });
  const places = new LRUCache<string, RunPlace>({ max: MOST_PLACES });
  const checks = new RunChecks({
    store: store.runs,
    pullsOf: async (repositoryId, workflowRun, headSha) => {
      const started = await store.starts.ofRun(repositoryId, workflowRun);
      const heads = await store.pullIds({ repositoryId, headSha });
      return [...new Set([...(started === null ? [] : [started.number]), ...heads.map(({ number }) => number)])];
    },
    client: options.client,
    pace,
    owned: (run) => runs.owned(run),
    onError,
  });
  const ended = new EndedJobs({
    client: options.client,
    onError,
    ...(options.jobsPace === undefined ? {} : { pace: options.jobsPace }),
  });
  const quotas = new Quotas({
    limits: options.quotas ?? DEFAULT_QUOTAS,
    now: steadyNow,
    ...(onQuota === undefined ? {} : { onRefused: onQuota }),
  });
  const runs: Runs = new Runs({
    store: store.runs,
    onError,
    ...(owners === null ? {} : { owners }),
    onTaken: (run) => {
      const { plan, agentCount } = run.host.state;
      quotas.restore(run.id, run.key, agentCount, JSON.stringify(plan).length);
      checks.taken(run);
    },
    onLost: (run) => {
      quotas.gone(run.id);
      checks.lost(run);
      ended.lost(run);
    },
    onOver: (run) => checks.concluded(run),
    onUnreadable: (run, why) => checks.unreadable(run, why),
    onChange: (run) => {
      if (run.host.isOver) quotas.over(run.id);
      const place = places.get(run.id) ?? null;
      checks.update(run, place);
      ended.update(run, place);
      options.onChange?.(run);
    },
  });
  const authenticate = async (bearer: string): Promise<Caller> => {
    const claims = await verify(bearer);
    const { repository, repositoryId, checkRunId } = claims;
    const installationId = await options.installation(Number(repositoryId), repository);
    if (installationId === null) {
      throw new Refusal("not_installed", `this app is not installed on ${repository}: install it there first`);
    }
    quotas.belongs(repositoryId, installationId);
    return {
      repositoryId,
      admit: async (key) => {
        checkClaims(claims, key);
        places.set(runIdOf(key), { repository, installationId });
        return { checkRunId, repository };
      },
    };
  };
  const open = async (request: JoinRequest, bytes: number): Promise<GroupRun> => {
    const id = runIdOf(request.key);
    const found = await runs.find(id);
    if (found !== null) return found;
    const giveBack = quotas.begin(id, request.key, request.agentCount, bytes);
    try {
      return await runs.open(request);
    } catch (error) {
      // Another may have begun it meanwhile, in the same place.
      if (!runs.holds(id)) giveBack();
      throw error;
    }
  };
  const passing = owners === null || replicas === null ? null : await forwarding(options, replicas, owners);
  const handler = coordinatorHandler({
    open,
    find: (run) => runs.find(run),
    authenticate,
    spend: (repositoryId, what) => quotas.spend(repositoryId, what),
    tokens: new SessionTokens(await kept(store, SESSION_SECRET)),
    ...(passing === null ? {} : { replicas: passing }),
    onError,
    ...(onRefused === undefined ? {} : { onRefused }),
  });
  const takeUp =
    replicas === null
      ? null
      : new TakeUp({
          runs,
          store: store.runs,
          claims: store.claims,
          replica: replicas.lease.id,
          onError,
          ...(replicas.takeUpEveryMs === undefined ? {} : { everyMs: replicas.takeUpEveryMs }),
        });
  await (takeUp?.start() ?? runs.restore());
  const elsewhere = async (at: Elsewhere, act: SaidToRun): Promise<string | null> => {
    if (passing === null) throw at;
    return await decideElsewhere(at, act, passing);
  };
  const approvals = runApprovals({ store: store.runs, runs, checks, elsewhere });
  const decisions = passing === null ? null : decisionsEndpoint(passing, approvals.act, onError);
  return {
    handler: async (request, response) =>
      (await decisions?.(request, response)) === true || (await handler(request, response)),
    runs,
    approvals: underNoClaim(store, approvals),
    seen: async () => {
      const seen: HostedRunSeen[] = [];
      for await (const run of runs) seen.push(hostedRunSeen(run));
      return seen;
    },
    settled: () => checks.settled(),
    close: async () => {
      await takeUp?.close();
      checks.close();
      ended.close();
      await runs.close();
      passing?.close();
    },
  };
}

/** Whoever decides has a claim of an installation: what goes on with the run afterwards is not to rest on that. */
function underNoClaim({ claims }: Pick<Store, "claims">, approvals: RunApprovals): RunApprovals {
  return {
    ofPull: (pull) => claims.outside(() => approvals.ofPull(pull)),
    find: (run) => claims.outside(() => approvals.find(run)),
    act: (run, act) => claims.outside(() => approvals.act(run, act)),
  };
}

async function forwarding(options: HostRunsOptions, { lease }: RunReplicas, owners: ClaimedRuns): Promise<Forwarding> {
  const signature = new ReplicaSignature(await kept(options.store, REPLICA_SECRET), lease.id);
  return new Forwarding({ signature, owners, onError: options.onError });
}

/** Of processes that begin at once all take the same one. */
async function kept(store: Pick<Store, "firstMeta">, secret: string): Promise<string> {
  return await store.firstMeta(secret, randomBytes(32).toString("base64url"));
}

/**
 * The Probot app function, and the one list of all that works by itself and of how each kind of effect is carried out.
 * `main.ts` runs it for real; with Probot's own `createNodeMiddleware` it works, too. Webhooks are stored before they are
 * answered, so its own endpoint comes before Probot's; where only Probot's is reached, each event is stored all the same.
 */
import type { ApplicationFunction } from "probot";
import type { Registry } from "prom-client";
import { deliveryOrder } from "../src/github/webhooks/webhook.ts";
import { localUses } from "../src/github/workflows/local-uses.ts";
import { readPolicy } from "../src/lifecycle/policy/read-policy.ts";
import { answerHandler } from "./commands/answers/answer.ts";
import { holdProgressHandler } from "./commands/answers/hold-progress.ts";
import { buttonHandler } from "./commands/button.ts";
import { CommandExecutor } from "./commands/execute.ts";
import { RunDecider } from "./commands/run-decisions.ts";
import type { Config } from "./config.ts";
import { DeploymentGates } from "./deployment-gates/deployment-gates.ts";
import type { EffectHandlers } from "./effects/handler.ts";
import { HANDLERS } from "./effects/handlers/index.ts";
import { EffectRunner } from "./effects/runner.ts";
import { Evaluator } from "./evaluation/evaluator.ts";
import { mergeGroup } from "./evaluation/merge-groups/check.ts";
import { Reevaluation } from "./evaluation/reevaluate.ts";
import { createClients, type Ourselves } from "./github-cache/clients.ts";
import { Identity } from "./github-cache/identity.ts";
import { InstallationPermissions } from "./github-cache/installation-permissions.ts";
import { LabelIds } from "./github-cache/label-ids.ts";
import { PermissionCache } from "./github-cache/permissions.ts";
import { createEndpoints, type Endpoints } from "./http/endpoints.ts";
import type { Handler } from "./http/webhook.ts";
import { Metrics } from "./metrics/metrics.ts";
import { metered } from "./metrics/octokit.ts";
import type { RunApprovals } from "./plan-runs/approvals.ts";
import { PolicyCheck } from "./policies/check.ts";
import { PolicyLoader } from "./policies/loader.ts";
import type { Policies } from "./policies/policy.ts";
import { proposalHandler } from "./policies/proposal.ts";
import type { Reading } from "./policies/reader.ts";
import { YamlReader } from "./policies/reader.ts";
import { RepositoryActivity } from "./reconciliation/activity.ts";
import { Reconciliation } from "./reconciliation/reconciliation.ts";
import type { Replica, Store } from "./store/model.ts";
import { TransitionQueue } from "./transitions/queue.ts";
import { TransitionResults } from "./transitions/result.ts";
import { TransitionSender } from "./transitions/send.ts";
import { Inbox } from "./webhooks/inbox.ts";
import { WebhookProcessor } from "./webhooks/processing.ts";
import { sentByGitHub } from "./webhooks/replays.ts";
import { InProgress } from "./work/in-progress/in-progress.ts";
import { type JoinedReplicas, joinReplicas } from "./work/replicas/join.ts";
import { SharedProgress } from "./work/replicas/shared-progress.ts";
import { createRuntime, type Runtime } from "./work/runtime.ts";
import type { Wakeups } from "./work/wakeups.ts";
import { Workers } from "./work/workers.ts";
import { WorkflowRuns } from "./workflow-runs/workflow-runs.ts";

export interface AppOptions {
  readonly config: Config;
  readonly store: Store;
  readonly appId: number;
  readonly now?: () => number;
  /** Where its metrics are kept, with those of the process; default: a registry of its own. */
  readonly registry?: Registry;
  /** Shared with other apps of this process; default: one of its own, which ends with it. */
  readonly reader?: YamlReader;
  /** Why the app's tokens cannot be signed just now; null: they can be, as far as is known. */
  readonly signing?: () => string | null;
  /** This process among those that share its database; default: it has it to itself. */
  readonly replica?: Replica;
}

export interface App {
  readonly load: ApplicationFunction;
  /** Known once Probot has loaded it. */
  engine(): Engine;
  /** GitHub is asked again whether it takes the app's key. */
  keyChanged(): void;
  /** For a listener that serves nothing but health and metrics. */
  readonly monitoring: Handler;
  stop(): Promise<void>;
}

export function createApp(options: AppOptions): App {
  const { config, store, appId, now = Date.now, registry, reader: shared, signing = () => null } = options;
  const reader = shared ?? new YamlReader();
  let engine: Engine | undefined;
  let endpoints: Endpoints | undefined;
  let stopping = false;
  let identity: Identity | undefined;
  let joined: JoinedReplicas | null = null;

  const load: ApplicationFunction = async (probot, { addHandler }) => {
    const { log } = probot;
    const metrics = new Metrics({
      store,
      now,
      runs: async () => (await endpoints?.runs?.seen()) ?? null,
      claims: () => joined?.ownership.counts ?? null,
      ...(registry === undefined ? {} : { registry }),
    });
    const { requestTimeout } = config.timings;
    const who = new Identity({ appId, client: () => probot.auth(), log, now, requestTimeout });
    identity = who;
    const clients = createClients(async (installationId) => {
      await who.accepted();
      return metered(await probot.auth(installationId), installationId ?? null, metrics);
    });
    who.start();
    const { timings, databaseUrl: url } = config;
    const { replica } = options;
    joined = replica === undefined ? null : joinReplicas({ store, url, replica, log, now, timings });
    const runtime = createRuntime({ store, clients, log, now, timings, ...joined });
    const ownership = joined?.ownership;
    const lease =
      replica === undefined || ownership === undefined ? null : { id: replica.id, inForce: () => ownership.inForce() };
    const made = createEngine({
      runtime,
      ourselves: () => who.ourselves(),
      publicUrl: config.publicUrl,
      metrics,
      reading: reader.of,
      runs: async () => {
        // What was going on when the last process ended is taken up before.
        if (endpoints === undefined) throw new Error("the runs of groups are not taken up yet");
        return endpoints.runs?.approvals ?? null;
      },
    });
    engine = made;
    await made.start();
    const { inbox } = made;
    const ready = (): string | null => (stopping ? "stopping" : (who.refusal ?? signing()));
    endpoints = await createEndpoints({ ...runtime, config, appId, inbox, metrics, lease, ready });
    for (const handler of endpoints.handlers) {
      addHandler(handler);
    }
    probot.onAny(async ({ id, name, payload }) => {
      const text = JSON.stringify(payload);
      const order = deliveryOrder(name, payload);
      await inbox.accept({ id, event: name, payload: text, ...order, receivedAt: now() });
    });
  };

  return {
    load,
    engine: () => {
      if (engine === undefined) {
        throw new Error("The app is not loaded yet.");
      }
      return engine;
    },
    keyChanged: () => identity?.again(),
    monitoring: async (request, response) => (await endpoints?.monitoring(request, response)) ?? false,
    stop: async () => {
      stopping = true;
      identity?.stop();
      await Promise.all([endpoints?.runs?.close(), shared === undefined ? reader.close() : null, engine?.stop()]);
      await joined?.close();
    },
  };
}

export interface EngineOptions {
  readonly runtime: Runtime;
  readonly ourselves: () => Ourselves;
  /** Where this app can be reached by people; null: nowhere. */
  readonly publicUrl: string | null;
  /** Told what becomes of moves. */
  readonly metrics?: Pick<Metrics, "moved" | "transitioned" | "timed">;
  /** How repositories' files are read for an installation; default: here and at once, as simulations need it. */
  readonly reading?: (installationId: number) => Reading;
  /** Runs that this app hosts; null: it hosts none. Throws while that is not known. Default: none. */
  readonly runs?: () => Promise<RunApprovals | null>;
  /** In place of the repositories' own policy files. */
  readonly policies?: Policies;
}

export interface Engine {
  readonly inbox: Inbox;
  readonly effects: EffectRunner;
  readonly reconciliation: Reconciliation;
  /** Runs that are started for pull requests. */
  readonly workflowRuns: WorkflowRuns;
  /** Jobs that wait for an environment. */
  readonly deploymentGates: DeploymentGates;
  readonly wakeups: Wakeups;
  /** Takes up what was left when the process ended. */
  start(): Promise<void>;
  /** Ends what is going on; what waits stays stored. */
  stop(): Promise<void>;
  /** Resolves when there is nothing to do before some later time. */
  idle(): Promise<void>;
}

export function createEngine(options: EngineOptions): Engine {
  const { ourselves, publicUrl, runtime } = options;
  const { store, clients, log, now, timings, wakeups } = runtime;
  const { appId } = ourselves();
  const { requestTimeout } = timings;
  const reading = options.reading ?? (() => ({ policy: readPolicy, uses: localUses }));
  const read = (installationId: number) => reading(installationId).policy;
  const permissions = new PermissionCache({ store, log, now, keepMs: timings.keepPermissions });
  const labelIds = new LabelIds({ store, now, requestTimeout });
  const installationPermissions = new InstallationPermissions({ store, clients, now, requestTimeout });
  const check = new PolicyCheck({ ...runtime, installationPermissions, appId });
  const loader = new PolicyLoader({ ...runtime, read, show: (repository, state) => check.show(repository, state) });
  const policies = options.policies ?? loader;
  const readUses = (installationId: number) => reading(installationId).uses;
  const evaluator = new Evaluator({ store, clients, permissions, policies, ourselves, now, requestTimeout, readUses });
  const { ownership } = runtime;
  const inProgress = ownership.shared ? new SharedProgress({ store, log, ownership }) : new InProgress({ store, log });
  const workflowRuns = new WorkflowRuns({ ...runtime, inProgress, evaluator, ourselves });
  const deploymentGates = new DeploymentGates({ ...runtime, inProgress, evaluator, policies, appId });
  const results = new TransitionResults({ ...runtime, ourselves, metrics: options.metrics });
  const sender = new TransitionSender({
    ...runtime,
    evaluator,
    policies,
    labelIds,
    results,
    appId,
    detailsUrl: (repository, number) =>
      publicUrl === null ? null : `${publicUrl}/pulls/${repository.owner}/${repository.name}/${number}`,
  });
  const transitions = new TransitionQueue({ ...runtime, sender, inProgress });
  const refusal = (kind: string, installation: number) => installationPermissions.refusal(kind, installation);
  const decider = new RunDecider({ runs: options.runs ?? (async () => null), evaluator, log });
  const executor = new CommandExecutor({ ...runtime, evaluator, runs: decider });
  const handlers = {
    ...HANDLERS,
    answer: answerHandler(executor),
    button: buttonHandler(executor, evaluator, decider, sentByGitHub({ clients, timings, now })),
    hold_progress: holdProgressHandler(policies),
    merge_group: mergeGroup,
    proposed_policy: proposalHandler(check, read),
  } satisfies EffectHandlers;
  const effects = new EffectRunner({ ...runtime, ourselves, inProgress, handlers, refusal });
  const reevaluation = new Reevaluation({ ...runtime, evaluator, policies, inProgress });
  const processor = new WebhookProcessor({
    ...runtime,
    permissions,
    labelIds,
    policies,
    installationPermissions,
    ourselves,
    activity: new RepositoryActivity(runtime),
  });
  const reconciliation = new Reconciliation({
    ...runtime,
    appId,
    comments: (repository, number, comments) => processor.comments(repository, number, comments),
    people: (repository) => policies.namedMayHaveChanged(repository, null),
    swept: async (repository) => {
      await workflowRuns.reconcile(repository);
      await deploymentGates.reconcile(repository);
    },
  });
  const inbox = new Inbox({
    ...runtime,
    inProgress,
    handle: (delivery, content) => processor.handle(delivery, content),
  });
  const loading = policies === loader ? [loader.worker] : [];
  const workers = new Workers(inProgress, runtime, [
    transitions.worker,
    workflowRuns.worker,
    deploymentGates.worker,
    effects.worker,
    ...loading,
    reevaluation.worker,
    inbox.worker,
    reconciliation,
  ]);
  return {
    inbox,
    effects,
    reconciliation,
    workflowRuns,
    deploymentGates,
    wakeups,
    start: () =>
      workers.start({
        delivery: inbox.alone,
        reevaluation: reevaluation.alone,
        transition: transitions.alone,
        effect: effects.alone,
        "workflow-run": workflowRuns.alone,
        "deployment-gate": deploymentGates.alone,
      }),
    stop: () => workers.stop(),
    idle: () => workers.idle(),
  };
}

/** The rooms of the app, put together: deliveries come in, facts are kept, pull requests are looked at and moved. */
import { localUses } from "../../src/github/workflows/local-uses.ts";
import { readPolicy } from "../../src/lifecycle/policy/read-policy.ts";
import { answerHandler } from "../commands/answer.ts";
import { buttonHandler } from "../commands/button.ts";
import { Desk } from "../commands/execute.ts";
import { holdProgressHandler } from "../commands/hold-progress.ts";
import { Gates } from "../deployment-gates/deployment-gates.ts";
import type { EffectHandlers } from "../effects/handler.ts";
import { HANDLERS } from "../effects/handlers/index.ts";
import { Outbox } from "../effects/runner.ts";
import { Evaluator } from "../evaluation/evaluator.ts";
import { mergeGroup } from "../evaluation/merge-group-check.ts";
import { Reevaluation } from "../evaluation/reevaluate.ts";
import type { Ourselves } from "../github-cache/clients.ts";
import { InstallationPermissions } from "../github-cache/installation-permissions.ts";
import { LabelIds } from "../github-cache/label-ids.ts";
import { PermissionCache } from "../github-cache/permissions.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { PolicyCheck } from "../policies/check.ts";
import { PolicyLoader } from "../policies/loader.ts";
import type { Policies } from "../policies/policy.ts";
import { proposalHandler } from "../policies/proposal.ts";
import type { Reading } from "../policies/reader.ts";
import { Reconcile } from "../reconciliation/reconciliation.ts";
import { pullOf } from "../store/change-pull.ts";
import { TransitionQueue } from "../transitions/queue.ts";
import { TransitionResults } from "../transitions/result.ts";
import { TransitionSender } from "../transitions/send.ts";
import { Inbox } from "../webhooks/inbox.ts";
import { Listener } from "../webhooks/processing.ts";
import { sentByGitHub } from "../webhooks/replays.ts";
import { Starts } from "../workflow-runs/workflow-runs.ts";
import { InProgress } from "./in-progress.ts";
import { pause } from "./pause.ts";
import { createRuntime, type Runtime } from "./runtime.ts";
import { setPullAside } from "./set-aside.ts";
import type { Wakeups } from "./wakeups.ts";

export interface EngineOptions extends Omit<Runtime, "writers" | "wakeups"> {
  /** Default: one of its own. */
  readonly runtime?: Runtime;
  readonly ourselves: () => Ourselves;
  /** Where this app can be reached by people; null: nowhere. */
  readonly publicUrl: string | null;
  /** Told what becomes of moves. */
  readonly metrics?: Pick<Metrics, "moved" | "transitioned">;
  /** How repositories' files are read for an installation; default: here and at once, as simulations need it. */
  readonly reading?: (installationId: number) => Reading;
  /** In place of the repositories' own policy files. */
  readonly policies?: Policies;
}

export interface Engine {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly reconcile: Reconcile;
  /** Runs that are started for pull requests. */
  readonly starts: Starts;
  /** Jobs that wait for an environment. */
  readonly gates: Gates;
  readonly wakeups: Wakeups;
  /** Takes up what was left when the process ended. */
  start(): Promise<void>;
  /** Ends what is going on; what waits stays stored. */
  stop(): Promise<void>;
  /** Resolves when there is nothing to do before some later time. */
  idle(): Promise<void>;
}

export function createEngine(options: EngineOptions): Engine {
  const { ourselves, publicUrl } = options;
  const runtime = options.runtime ?? createRuntime(options);
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
  const inProgress = new InProgress({ store, log });
  const starts = new Starts({ ...runtime, inProgress, evaluator, ourselves });
  const gates = new Gates({ ...runtime, inProgress, evaluator, policies, appId });
  const outcomes = new TransitionResults({ ...runtime, ourselves, metrics: options.metrics });
  const sender = new TransitionSender({
    ...runtime,
    evaluator,
    policies,
    labelIds,
    outcomes,
    appId,
    detailsUrl: (repository, number) =>
      publicUrl === null ? null : `${publicUrl}/pulls/${repository.owner}/${repository.name}/${number}`,
  });
  const transitions = new TransitionQueue({ ...runtime, sender, inProgress });
  const refusal = (kind: string, installation: number) => installationPermissions.refusal(kind, installation);
  const desk = new Desk({ ...runtime, evaluator });
  const handlers = {
    ...HANDLERS,
    answer: answerHandler(desk),
    button: buttonHandler(desk, evaluator, sentByGitHub({ clients, timings, now })),
    hold_progress: holdProgressHandler(policies),
    merge_group: mergeGroup,
    proposed_policy: proposalHandler(check, read),
  } satisfies EffectHandlers;
  const outbox = new Outbox({ ...runtime, ourselves, inProgress, handlers, refusal });
  const reevaluation = new Reevaluation({ ...runtime, evaluator, policies, inProgress });
  const listener = new Listener({ ...runtime, permissions, labelIds, policies, installationPermissions, ourselves });
  const reconcile = new Reconcile({
    ...runtime,
    appId,
    comments: (repository, number, comments) => listener.comments(repository, number, comments),
    people: (repository) => policies.namedMayHaveChanged(repository, null),
    swept: async (repository) => {
      await starts.lookAgain(repository);
      await gates.lookAgain(repository);
    },
  });
  const inbox = new Inbox({
    ...runtime,
    inProgress,
    handle: (delivery, content) => listener.handle(delivery, content),
  });
  return {
    inbox,
    outbox,
    reconcile,
    starts,
    gates,
    wakeups,
    start: async () => {
      await inProgress.start({
        delivery: {
          attempt: (id) => inbox.alone(Number(id)),
          setAside: (id, why) => store.buryDelivery(Number(id), why),
        },
        reevaluation: {
          attempt: (id) => reevaluation.alone(pullOf(id)),
          setAside: (id, why) => setPullAside(store, pullOf(id), why, now),
        },
        transition: {
          attempt: (id) => transitions.alone(pullOf(id)),
          setAside: (id, why) => setPullAside(store, pullOf(id), why, now),
        },
        effect: { attempt: (id) => outbox.alone(Number(id)), setAside: (id, why) => outbox.setAside(Number(id), why) },
        "workflow-run": starts.worker,
        "deployment-gate": gates.worker,
      });
      await inbox.start();
      transitions.wake();
      await starts.start();
      await gates.start();
      outbox.wake();
      reevaluation.wake();
      if (policies === loader) {
        loader.wake();
      }
      reconcile.start();
    },
    stop: async () => {
      await inProgress.endRecovery();
      await reconcile.stop();
      await inbox.stop();
      await reevaluation.stop();
      await loader.stop();
      await outbox.stop();
      await Promise.all([starts.stop(), gates.stop()]);
      await transitions.stop();
      await inProgress.stop();
    },
    idle: async () => {
      for (;;) {
        await inbox.idle();
        const rooms = [inProgress, loader, reconcile, reevaluation, transitions, outbox, starts, gates];
        if (rooms.every((room) => room.idle) && inbox.backlog === 0) {
          return;
        }
        await pause(2);
      }
    },
  };
}

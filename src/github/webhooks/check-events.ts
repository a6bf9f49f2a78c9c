/** What webhooks about checks, statuses and workflow runs tell. */
import type { z } from "zod";
import { act, type CheckSeen } from "../../lifecycle/facts/change.ts";
import type { SuiteSeen } from "../../lifecycle/facts/suites.ts";
import { POLICY_CHECK_NAME } from "../../lifecycle/policy/policy-check.ts";
import { readRunButton } from "../../lifecycle/presentation/run-buttons.ts";
import type { AppIdentity, WebhookEvent } from "./events.ts";
import * as payloads from "./payloads.ts";
import { actorOf, checkStatus, pullNumbers, runResult, suiteSeen, WORKFLOWS_APP } from "./values.ts";

export function readCheckRun(payload: unknown, { appId }: AppIdentity): WebhookEvent[] {
  const event = payloads.checkRunEvent.parse(payload);
  const run = event.check_run;
  const app = run.app ?? run.check_suite?.app;
  const ours = app?.id === appId;
  const pulls = pullNumbers(run.pull_requests, event.repository.id);
  if (ours && run.name === POLICY_CHECK_NAME) {
    return event.action === "rerequested" ? [{ kind: "default_branch" }] : [];
  }
  if (ours && (event.action === "rerequested" || event.action === "requested_action")) {
    const identifier = event.action === "rerequested" ? "retry" : (event.requested_action?.identifier ?? "");
    const pressed = { by: actorOf(event.sender), identifier, check: run.name } as const;
    const ofRun = readRunButton(identifier) === null ? null : (run.external_id ?? "");
    const what =
      ofRun === null
        ? ({ kind: "pressed", ...pressed, pull: writtenFor(run.external_id) } as const)
        : ({ kind: "run_pressed", ...pressed, run: ofRun } as const);
    return [{ kind: "commit", sha: run.head_sha, pulls, what }];
  }
  if (ours) {
    // What we wrote ourselves was confirmed when we wrote it.
    return [];
  }
  const seen: CheckSeen = {
    name: run.name,
    appId: app?.id ?? 0,
    appSlug: app?.slug ?? "",
    status: checkStatus(run.status),
    conclusion: run.conclusion ?? null,
    sha: run.head_sha,
    at: run.completed_at ?? run.started_at ?? run.check_suite?.created_at ?? 0,
    ours,
    ...(run.check_suite?.node_id == null ? {} : { suite: run.check_suite.node_id }),
  };
  const suites = suiteSeen({ ...run.check_suite, head_sha: run.head_sha, app });
  return [{ kind: "commit", sha: run.head_sha, pulls, what: { kind: "checks", checks: [seen], suites } }];
}

/** As `app/evaluation/desired-state.ts` names them: `stagewright:7:…`. */
function writtenFor(externalId: string | null | undefined): number | null {
  const number = /^stagewright:(\d{1,9}):/.exec(externalId ?? "")?.[1];
  return number === undefined ? null : Number(number);
}

export function readCheckSuite(payload: unknown, { appId }: AppIdentity): WebhookEvent[] {
  const event = payloads.checkSuiteEvent.parse(payload);
  const suite = event.check_suite;
  const pulls = pullNumbers(suite.pull_requests, event.repository.id);
  if (suite.app?.id !== appId) {
    const suites = event.action === "completed" ? suiteSeen(suite) : [];
    return suites.length === 0
      ? []
      : [{ kind: "commit", sha: suite.head_sha, pulls, what: { kind: "checks", checks: [], suites } }];
  }
  if (event.action !== "rerequested") {
    return [];
  }
  const what = { kind: "pressed", by: actorOf(event.sender), identifier: "retry", check: "", pull: null } as const;
  return [{ kind: "commit", sha: suite.head_sha, pulls, what }];
}

export function readStatus(payload: unknown): WebhookEvent[] {
  const event = payloads.statusEvent.parse(payload);
  const pending = event.state === "pending";
  const seen: CheckSeen = {
    name: event.context,
    // A status does not say which app wrote it.
    appId: 0,
    appSlug: "",
    status: pending ? "in_progress" : "completed",
    conclusion: pending ? null : event.state === "success" ? "success" : "failure",
    sha: event.sha,
    at: event.updated_at ?? event.created_at,
    ours: false,
  };
  return [{ kind: "commit", sha: event.sha, pulls: [], what: { kind: "checks", checks: [seen], suites: [] } }];
}

/** A run's suite: more checks may come in it, from its beginning on. The run's date is not the suite's. */
function workflowSuite({
  action,
  workflow_run: run,
  workflow,
}: z.infer<typeof payloads.workflowRunEvent>): SuiteSeen[] {
  const path = run.path ?? workflow?.path;
  const finished = action === "completed" && runResult(run.conclusion ?? null) !== null;
  return run.check_suite_node_id == null || path == null
    ? []
    : [
        {
          id: run.check_suite_node_id,
          sha: run.head_sha,
          app: WORKFLOWS_APP,
          workflow: path.split("@", 1)[0] ?? path,
          finished,
          at: 0,
        },
      ];
}

export function readWorkflowRun(payload: unknown): WebhookEvent[] {
  const event = payloads.workflowRunEvent.parse(payload);
  const run = event.workflow_run;
  const result = runResult(run.conclusion ?? null);
  const path = run.path ?? event.workflow?.path;
  const pulls = pullNumbers(run.pull_requests, event.repository.id);
  const suites = workflowSuite(event);
  const news: WebhookEvent[] = [{ kind: "run", runId: run.id }];
  if (suites.length > 0) {
    news.push({ kind: "commit", sha: run.head_sha, pulls, what: { kind: "checks", checks: [], suites } });
  }
  if (event.action !== "completed" || result === null || path == null) {
    return news;
  }
  const done = act({
    kind: "workflow",
    at: run.updated_at,
    by: actorOf(run.actor ?? event.sender),
    // A reusable workflow's path carries the ref it was taken from.
    workflow: path.split("@", 1)[0] ?? path,
    runId: run.id,
    result,
    sha: run.head_sha,
  });
  const dispatched = run.event === "workflow_dispatch";
  return [...news, { kind: "commit", sha: run.head_sha, pulls, what: { kind: "acts", acts: [done], dispatched } }];
}

/**
 * What a webhook tells, in the words of the lifecycle. Nothing here decides anything: an event says where to look
 * again. Payloads of events or actions that tell nothing of interest give no news.
 */
import { z } from "zod";
import { act, type CheckSeen } from "../../lifecycle/facts/change.ts";
import type { Act } from "../../lifecycle/facts/facts.ts";
import type { SuiteSeen } from "../../lifecycle/facts/suites.ts";
import { STAGE_LABEL_PREFIX } from "../../lifecycle/policy/policy.ts";
import { POLICY_CHECK_NAME } from "../../lifecycle/policy/policy-check.ts";
import { POLICY_PATH } from "../../lifecycle/policy/read-policy.ts";
import { smallId } from "../id.ts";
import type { AppIdentity, WebhookContent, WebhookEvent } from "./events.ts";
import { readInstallation, readInstallationRepositories, readRepository } from "./installation.ts";
import * as payloads from "./payloads.ts";
import {
  actorOf,
  checkStatus,
  labelsSeen,
  observed,
  pullNumbers,
  repositorySeen,
  runResult,
  suiteSeen,
  WORKFLOWS_APP,
} from "./values.ts";

export type {
  AppIdentity,
  CommitEvent,
  RepositorySeen,
  WebhookContent,
  WebhookEvent,
} from "./events.ts";
export { actorOf, checkStatus, lifecycleRepository, runResult } from "./values.ts";

/**
 * The events that this app subscribes to, and how each is understood; the manifest lists the same ones, less
 * `installation` and its like, which GitHub sends to every app.
 */
const READERS: Readonly<Record<string, (payload: unknown, ourselves: AppIdentity) => readonly WebhookEvent[]>> = {
  pull_request: readPullRequest,
  pull_request_review: readReview,
  issue_comment: readComment,
  check_run: readCheckRun,
  check_suite: readCheckSuite,
  status: readStatus,
  workflow_run: readWorkflowRun,
  deployment_protection_rule: readProtectionRule,
  merge_group: readMergeGroup,
  label: readLabel,
  push: readPush,
  repository: readRepository,
  member: (payload) => [{ kind: "permissions", of: "repository", named: loginIn(payload) }],
  // Who is in a team changes often, and whether it is there does not change with it.
  membership: () => [{ kind: "permissions", of: "organization", named: null }],
  organization: (payload) => [{ kind: "permissions", of: "organization", named: loginIn(payload) }],
  team: (payload) => [{ kind: "permissions", of: "organization", named: teamIn(payload) }],
  team_add: (payload) => [{ kind: "permissions", of: "repository", named: teamIn(payload) }],
  installation: readInstallation,
  installation_repositories: readInstallationRepositories,
};

export const EVENTS_READ: readonly string[] = Object.keys(READERS);
/** GitHub sends these to every app; a manifest must not list them. */
export const EVENTS_ALWAYS_SENT: readonly string[] = ["installation", "installation_repositories"];

/** What a webhook tells. Throws a ZodError when a payload of an event that we read has not the expected shape. */
export function readWebhook(event: string, payload: unknown, ourselves: AppIdentity): WebhookContent {
  const reader = Object.hasOwn(READERS, event) ? READERS[event] : undefined;
  if (reader === undefined) {
    return { repository: null, installationId: null, organizationLogin: null, sender: null, events: [] };
  }
  const common = payloads.envelope.parse(payload);
  return {
    repository: common.repository == null ? null : repositorySeen(common.repository),
    installationId: common.installation?.id ?? null,
    organizationLogin: common.organization?.login ?? null,
    sender: common.sender == null ? null : actorOf(common.sender),
    events: reader(payload, ourselves),
  };
}

const people = z.object({
  action: z.string().nullish(),
  member: z.object({ login: z.string() }).nullish().catch(null),
  membership: z
    .object({ user: z.object({ login: z.string() }).nullish() })
    .nullish()
    .catch(null),
  team: z.object({ slug: z.string() }).nullish().catch(null),
  organization: z.object({ login: z.string() }).nullish().catch(null),
});

function loginIn(payload: unknown): string | null {
  const { member, membership } = people.parse(payload);
  return member?.login ?? membership?.user?.login ?? null;
}

/** What is given to a team is given to those below it, too, and of one that was renamed the old name is not told. */
function teamIn(payload: unknown): string | null {
  const { action, team, organization } = people.parse(payload);
  if (organization == null) {
    return null;
  }
  const one = (action === "created" || action === "deleted") && team != null;
  return `@${organization.login}/${one ? team.slug : ""}`;
}

const keyFields = z.object({
  repository: z.object({ id: smallId }).nullish().catch(null),
  installation: z.object({ id: smallId }).nullish().catch(null),
  pull_request: z.object({ number: z.number() }).nullish().catch(null),
  issue: z.object({ number: z.number() }).nullish().catch(null),
});

/** Deliveries with one key are handled in the order they came. Any JSON value has a key. */
export function orderKey(event: string, payload: unknown): string {
  const fields = keyFields.safeParse(payload);
  const { repository, installation, pull_request: pull, issue } = fields.data ?? {};
  const number = pull?.number ?? issue?.number;
  if (repository != null) {
    return number === undefined ? `${repository.id}` : `${repository.id}#${number}`;
  }
  return installation == null ? event : `installation ${installation.id}`;
}

function readPullRequest(payload: unknown): WebhookEvent[] {
  const event = payloads.pullRequestEvent.parse(payload);
  const { pull_request: pull, action } = event;
  const at = pull.updated_at;
  const by = actorOf(event.sender);
  const acts: Act[] = [];
  switch (action) {
    case "opened":
      acts.push(act({ kind: "opened", at: pull.created_at, by: actorOf(pull.user) }));
      break;
    case "labeled":
    case "unlabeled":
      // A label that was deleted from the repository has no name any more.
      if (event.label != null) {
        acts.push(act({ kind: action, at, by, label: event.label.name }));
      }
      break;
    case "synchronize":
      acts.push(
        act({
          kind: "pushed",
          at,
          by,
          before: event.before ?? "",
          sha: event.after ?? pull.head.sha,
          forced: false,
        }),
      );
      break;
    case "converted_to_draft":
      acts.push(act({ kind: "drafted", at, by }));
      break;
    case "ready_for_review":
      acts.push(act({ kind: "readied", at, by }));
      break;
    case "closed":
      acts.push(act({ kind: "closed", at: pull.closed_at ?? at, by, merged: pull.merged_at != null }));
      break;
    case "reopened":
      acts.push(act({ kind: "reopened", at, by }));
      break;
    case "edited":
      if (event.changes?.base != null) {
        acts.push(act({ kind: "base_changed", at, by, from: event.changes.base.ref.from, to: pull.base.ref }));
      }
      break;
    default:
      break;
  }
  const stageLabels =
    (action === "labeled" || action === "unlabeled") &&
    (event.label == null || event.label.name.toLowerCase().startsWith(STAGE_LABEL_PREFIX));
  const news: WebhookEvent = { kind: "pull", change: observed(event, acts), stageLabels, labels: labelsSeen(pull) };
  const reason = event.reason ?? "UNKNOWN_REMOVAL_REASON";
  return action === "dequeued" && !MERGED.has(reason)
    ? [news, { kind: "dequeued", number: pull.number, reason, by }]
    : [news];
}

/** Reasons for which a pull request leaves the merge queue for good. */
const MERGED: ReadonlySet<string> = new Set(["MERGE", "ALREADY_MERGED"]);

function readReview(payload: unknown): WebhookEvent[] {
  const event = payloads.reviewEvent.parse(payload);
  const { review, pull_request: pull } = event;
  const state = review.state.toLowerCase();
  const acts: Act[] = [];
  if (event.action === "dismissed") {
    acts.push(act({ kind: "review_dismissed", at: pull.updated_at, by: actorOf(event.sender), reviewId: review.id }));
  } else if (
    event.action === "submitted" &&
    (state === "approved" || state === "changes_requested" || state === "commented")
  ) {
    acts.push(
      act({
        kind: "review",
        at: review.submitted_at ?? pull.updated_at,
        by: actorOf(review.user),
        reviewId: review.id,
        state,
        sha: review.commit_id ?? pull.head.sha,
      }),
    );
  }
  return [{ kind: "pull", change: observed(event, acts), stageLabels: false, labels: labelsSeen(pull) }];
}

function readComment(payload: unknown): WebhookEvent[] {
  const event = payloads.commentEvent.parse(payload);
  const edited = event.action === "edited";
  if ((event.action !== "created" && !edited) || event.issue.pull_request === undefined) {
    return [];
  }
  const { comment } = event;
  return [
    {
      kind: "comment",
      number: event.issue.number,
      comment: {
        id: comment.id,
        nodeId: comment.node_id,
        at: comment.created_at,
        by: actorOf(edited ? event.sender : comment.user),
        body: comment.body ?? "",
        before: edited ? (event.changes?.body?.from ?? "") : null,
      },
    },
  ];
}

function readCheckRun(payload: unknown, { appId }: AppIdentity): WebhookEvent[] {
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
    const what = {
      kind: "pressed",
      by: actorOf(event.sender),
      identifier,
      check: run.name,
      pull: writtenFor(run.external_id),
    } as const;
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

function readCheckSuite(payload: unknown, { appId }: AppIdentity): WebhookEvent[] {
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

function readStatus(payload: unknown): WebhookEvent[] {
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

function readWorkflowRun(payload: unknown): WebhookEvent[] {
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

function readProtectionRule(payload: unknown): WebhookEvent[] {
  const event = payloads.protectionRuleEvent.parse(payload);
  if (event.action !== "requested") {
    return [];
  }
  const { environment, ref } = event;
  return [
    { kind: "gate", runId: event.deployment_callback_url, environment, ref: ref ?? "", event: event.event ?? "" },
  ];
}

/** Branches of a queue: `gh-readonly-queue/<base>/pr-<number>-<sha>`. */
const QUEUE_BRANCH = /^refs\/heads\/gh-readonly-queue\/.+\/pr-(?<number>\d{1,9})-[0-9a-f]+$/u;

function readMergeGroup(payload: unknown): WebhookEvent[] {
  const event = payloads.mergeGroupEvent.parse(payload);
  const { head_ref: ref, head_sha: headSha, base_ref: base } = event.merge_group;
  const number = QUEUE_BRANCH.exec(ref)?.groups?.number;
  if (event.action !== "checks_requested" || number === undefined) {
    return [];
  }
  return [{ kind: "merge_group", number: Number(number), headSha, branch: base.replace(/^refs\/heads\//u, "") }];
}

function readLabel(payload: unknown): WebhookEvent[] {
  const event = payloads.labelEvent.parse(payload);
  if (event.action === "deleted" || event.changes?.name != null) {
    return [{ kind: "labels", onPulls: true }];
  }
  const isStage = event.label.name.toLowerCase().startsWith(STAGE_LABEL_PREFIX);
  return isStage ? [{ kind: "labels", onPulls: false }] : [];
}

function readPush(payload: unknown): WebhookEvent[] {
  const event = payloads.pushEvent.parse(payload);
  const branch = event.repository.default_branch;
  const concerns = branch != null && event.ref === `refs/heads/${branch}`;
  return concerns && mayTouch(event, POLICY_PATH) ? [{ kind: "default_branch" }] : [];
}

/**
 * Whether a push may have changed this file. Only what lists everything it did says no: not a forced push, a new
 * branch, one with more commits than GitHub lists, nor a commit without files (a merge says nothing of its own).
 */
function mayTouch({ forced, created, commits }: z.infer<typeof payloads.pushEvent>, path: string): boolean {
  if (forced !== false || created !== false || commits.length === 0 || commits.length >= payloads.MOST_PUSH_COMMITS) {
    return true;
  }
  return commits.some(({ added, removed, modified }) => {
    const paths = [...added, ...removed, ...modified];
    return paths.length === 0 || paths.length >= payloads.MOST_PUSH_PATHS || paths.includes(path);
  });
}

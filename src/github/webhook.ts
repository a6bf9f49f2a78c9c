/**
 * What a webhook tells, in the words of the lifecycle. Nothing here decides anything: an event says where to look
 * again. Payloads of events or actions that tell nothing of interest give no news.
 */
import { z } from "zod";
import { act, type Change, type CheckSeen, type PullKey, UNKNOWN_ACTOR } from "../lifecycle/change.ts";
import type { Act, Actor, PullState } from "../lifecycle/facts.ts";
import { STAGE_LABEL_PREFIX } from "../lifecycle/policy.ts";
import { POLICY_CHECK_NAME } from "../lifecycle/policy-verdict.ts";
import { POLICY_PATH } from "../lifecycle/read-policy.ts";
import type { LabelSeen } from "./pull-fields.ts";
import * as payloads from "./webhook-payloads.ts";

export interface RepositorySeen {
  readonly id: number;
  readonly nodeId: string;
  readonly owner: string;
  readonly name: string;
  /** Null: the payload did not say. */
  readonly defaultBranch: string | null;
  readonly private: boolean;
}

/** Something new about a commit; it concerns every pull request that has it as head. */
export type CommitNews =
  | { readonly kind: "checks"; readonly checks: readonly CheckSeen[] }
  /** `dispatched`: of runs that somebody asked for with `workflow_dispatch`. */
  | { readonly kind: "acts"; readonly acts: readonly Act[]; readonly dispatched: boolean }
  /** Somebody pressed a button on one of our check runs, or re-ran it: then `identifier` is `retry`. */
  | {
      readonly kind: "pressed";
      readonly by: Actor;
      readonly identifier: string;
      readonly check: string;
      /** The pull request that the check run was written for; null: it does not say. */
      readonly pull: number | null;
    };

export type News =
  | {
      readonly kind: "pull";
      readonly change: Change;
      /** True: somebody else changed labels that only this app sets, so what is shown must be read again. */
      readonly stageLabels: boolean;
      /** Those on it, with their node ids. */
      readonly labels: readonly LabelSeen[];
    }
  /** `pulls`: those that the payload names; it leaves out those of forks. */
  | { readonly kind: "commit"; readonly sha: string; readonly pulls: readonly number[]; readonly what: CommitNews }
  | {
      readonly kind: "comment";
      readonly number: number;
      readonly comment: {
        readonly id: number;
        readonly nodeId: string;
        readonly at: number;
        readonly by: Actor;
        readonly body: string;
        /** Null: it was written just now; else what it said before it was edited, and `by` is who edited it. */
        readonly before: string | null;
      };
    }
  /** Something about a workflow's run has changed. */
  | { readonly kind: "run"; readonly runId: number }
  /** A job waits for an environment whose protection rule we are. */
  | {
      readonly kind: "gate";
      readonly runId: number;
      readonly environment: string;
      /** `refs/pull/7/merge`, or a branch with or without `refs/heads/`. */
      readonly ref: string;
      readonly event: string;
    }
  /** A merge queue asks for the checks of a group; `number`: the pull request that the group was made for. */
  | { readonly kind: "merge_group"; readonly number: number; readonly headSha: string; readonly branch: string }
  /**
   * The repository's labels have changed. `onPulls`: perhaps also which are on its pull requests, of which there is no
   * other event.
   */
  | { readonly kind: "labels"; readonly onPulls: boolean }
  | { readonly kind: "default_branch" }
  /** What was known of people's standing may be wrong now. */
  | { readonly kind: "standing"; readonly of: "repository" | "organization" }
  /** `since`: from when on the app sees what happens there; null: it saw it before. */
  | { readonly kind: "installed"; readonly repositories: readonly RepositorySeen[]; readonly since: number | null }
  /** The installation's permissions or events are others now. */
  | { readonly kind: "granted" }
  /** Null: from all repositories. */
  | { readonly kind: "uninstalled"; readonly repositoryIds: readonly number[] | null }
  | { readonly kind: "repository_gone" };

export interface Heard {
  readonly repository: RepositorySeen | null;
  readonly installationId: number | null;
  readonly organizationLogin: string | null;
  /** Who caused it; null: the payload does not say. */
  readonly sender: Actor | null;
  readonly news: readonly News[];
}

/** Who we are, so that our own doings are recognised. */
export interface Ourselves {
  readonly appId: number;
}

/**
 * The events that this app subscribes to, and how each is understood; the manifest lists the same ones, less
 * `installation` and its like, which GitHub sends to every app.
 */
const READERS: Readonly<Record<string, (payload: unknown, ourselves: Ourselves) => readonly News[]>> = {
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
  member: () => [{ kind: "standing", of: "repository" }],
  membership: () => [{ kind: "standing", of: "organization" }],
  organization: () => [{ kind: "standing", of: "organization" }],
  team: () => [{ kind: "standing", of: "organization" }],
  team_add: () => [{ kind: "standing", of: "repository" }],
  installation: readInstallation,
  installation_repositories: readInstallationRepositories,
};

export const EVENTS_READ: readonly string[] = Object.keys(READERS);
/** GitHub sends these to every app; a manifest must not list them. */
export const EVENTS_ALWAYS_SENT: readonly string[] = ["installation", "installation_repositories"];

/** What a webhook tells. Throws a ZodError when a payload of an event that we read has not the expected shape. */
export function readWebhook(event: string, payload: unknown, ourselves: Ourselves): Heard {
  const reader = Object.hasOwn(READERS, event) ? READERS[event] : undefined;
  if (reader === undefined) {
    return { repository: null, installationId: null, organizationLogin: null, sender: null, news: [] };
  }
  const common = payloads.envelope.parse(payload);
  return {
    repository: common.repository == null ? null : repositorySeen(common.repository),
    installationId: common.installation?.id ?? null,
    organizationLogin: common.organization?.login ?? null,
    sender: common.sender == null ? null : actorOf(common.sender),
    news: reader(payload, ourselves),
  };
}

const keyFields = z.object({
  repository: z.object({ id: z.number() }).nullish().catch(null),
  installation: z.object({ id: z.number() }).nullish().catch(null),
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

export function actorOf(user: payloads.User | null | undefined): Actor {
  return user == null ? UNKNOWN_ACTOR : { kind: user.type === "Bot" ? "bot" : "user", id: user.id, login: user.login };
}

function readPullRequest(payload: unknown): News[] {
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
  return [{ kind: "pull", change: observed(event, acts), stageLabels, labels: labelsSeen(pull) }];
}

function readReview(payload: unknown): News[] {
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

function readComment(payload: unknown): News[] {
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

function readCheckRun(payload: unknown, { appId }: Ourselves): News[] {
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
  };
  return [{ kind: "commit", sha: run.head_sha, pulls, what: { kind: "checks", checks: [seen] } }];
}

/** As `showing.ts` of the app names them: `stagewright:7:…`. */
function writtenFor(externalId: string | null | undefined): number | null {
  const number = /^stagewright:(\d{1,9}):/.exec(externalId ?? "")?.[1];
  return number === undefined ? null : Number(number);
}

function readCheckSuite(payload: unknown, { appId }: Ourselves): News[] {
  const event = payloads.checkSuiteEvent.parse(payload);
  const suite = event.check_suite;
  if (event.action !== "rerequested" || suite.app?.id !== appId) {
    return [];
  }
  const pulls = pullNumbers(suite.pull_requests, event.repository.id);
  const what = { kind: "pressed", by: actorOf(event.sender), identifier: "retry", check: "", pull: null } as const;
  return [{ kind: "commit", sha: suite.head_sha, pulls, what }];
}

function readStatus(payload: unknown): News[] {
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
  return [{ kind: "commit", sha: event.sha, pulls: [], what: { kind: "checks", checks: [seen] } }];
}

function readWorkflowRun(payload: unknown): News[] {
  const event = payloads.workflowRunEvent.parse(payload);
  const run = event.workflow_run;
  const result = runResult(run.conclusion ?? null);
  const path = run.path ?? event.workflow?.path;
  const news: News = { kind: "run", runId: run.id };
  if (event.action !== "completed" || result === null || path == null) {
    return [news];
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
  const pulls = pullNumbers(run.pull_requests, event.repository.id);
  const dispatched = run.event === "workflow_dispatch";
  return [news, { kind: "commit", sha: run.head_sha, pulls, what: { kind: "acts", acts: [done], dispatched } }];
}

function readProtectionRule(payload: unknown): News[] {
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

function readMergeGroup(payload: unknown): News[] {
  const event = payloads.mergeGroupEvent.parse(payload);
  const { head_ref: ref, head_sha: headSha, base_ref: base } = event.merge_group;
  const number = QUEUE_BRANCH.exec(ref)?.groups?.number;
  if (event.action !== "checks_requested" || number === undefined) {
    return [];
  }
  return [{ kind: "merge_group", number: Number(number), headSha, branch: base.replace(/^refs\/heads\//u, "") }];
}

function readLabel(payload: unknown): News[] {
  const event = payloads.labelEvent.parse(payload);
  if (event.action === "deleted" || event.changes?.name != null) {
    return [{ kind: "labels", onPulls: true }];
  }
  const isStage = event.label.name.toLowerCase().startsWith(STAGE_LABEL_PREFIX);
  return isStage ? [{ kind: "labels", onPulls: false }] : [];
}

function readPush(payload: unknown): News[] {
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

function readRepository(payload: unknown): News[] {
  const { action } = payloads.envelope.parse(payload);
  return action === "deleted" ? [{ kind: "repository_gone" }] : [];
}

function readInstallation(payload: unknown): News[] {
  const event = payloads.installationEvent.parse(payload);
  switch (event.action) {
    case "created":
    case "unsuspend":
    case "new_permissions_accepted":
      return [
        {
          kind: "installed",
          since: installedAt(event.action, event.installation),
          repositories: (event.repositories ?? []).map((each) =>
            briefRepository(each.id, each.full_name, each.node_id, each.private),
          ),
        },
        ...(event.action === "new_permissions_accepted" ? [{ kind: "granted" } as const] : []),
      ];
    case "deleted":
    case "suspend":
      return [{ kind: "uninstalled", repositoryIds: null }];
    default:
      return [];
  }
}

function installedAt(action: string, installation: z.infer<typeof payloads.installationEvent>["installation"]) {
  switch (action) {
    case "created":
      return installation.created_at ?? null;
    case "unsuspend":
      return installation.updated_at ?? null;
    default:
      return null;
  }
}

function readInstallationRepositories(payload: unknown): News[] {
  const event = payloads.installationRepositoriesEvent.parse(payload);
  const added = (event.repositories_added ?? []).flatMap((each) =>
    each.full_name === undefined ? [] : [briefRepository(each.id, each.full_name, each.node_id, each.private)],
  );
  const removed = (event.repositories_removed ?? []).map((each) => each.id);
  return [
    { kind: "installed", repositories: added, since: event.installation.updated_at ?? null },
    { kind: "uninstalled", repositoryIds: removed },
  ];
}

/** Null: it has not really ended (it waits for somebody's approval). */
export function runResult(conclusion: string | null): "success" | "failure" | "cancelled" | null {
  switch (conclusion) {
    case null:
    case "action_required":
      return null;
    case "success":
    case "neutral":
      return "success";
    case "cancelled":
    case "skipped":
      return "cancelled";
    default:
      return "failure";
  }
}

/** `waiting`, `requested` and `pending` are ways to be queued. */
export function checkStatus(status: string): CheckSeen["status"] {
  return status === "completed" || status === "in_progress" ? status : "queued";
}

function observed(
  event: z.infer<typeof payloads.pullRequestEvent> | z.infer<typeof payloads.reviewEvent>,
  acts: Act[],
): Change {
  const { pull_request: pull, repository, installation } = event;
  const key: PullKey = {
    installationId: installation?.id ?? 0,
    repository: lifecycleRepository(repositorySeen(repository)),
    number: pull.number,
  };
  const state: PullState = {
    repository: key.repository,
    nodeId: pull.node_id,
    title: pull.title,
    body: pull.body ?? "",
    author: actorOf(pull.user),
    state: pull.state,
    merged: pull.merged_at != null,
    draft: pull.draft ?? false,
    openedAt: pull.created_at,
    head: { sha: pull.head.sha, ref: pull.head.ref, repositoryId: pull.head.repo?.id ?? null },
    base: { sha: pull.base.sha, ref: pull.base.ref },
    labels: (pull.labels ?? []).map((each) => each.name),
    updatedAt: pull.updated_at,
  };
  return { kind: "observed", pull: key, state, acts };
}

function labelsSeen(pull: payloads.PullPayload): LabelSeen[] {
  return (pull.labels ?? []).flatMap(({ name, node_id: nodeId }) => (nodeId == null ? [] : [{ name, nodeId }]));
}

export function lifecycleRepository(repository: RepositorySeen): PullState["repository"] {
  const { id, owner, name, defaultBranch } = repository;
  return { id, owner, name, defaultBranch: defaultBranch ?? "", private: repository.private };
}

function repositorySeen(repository: payloads.RepositoryPayload): RepositorySeen {
  return {
    id: repository.id,
    nodeId: repository.node_id,
    owner: repository.owner.login ?? repository.owner.name ?? "",
    name: repository.name,
    defaultBranch: repository.default_branch ?? null,
    private: repository.private,
  };
}

function briefRepository(id: number, fullName: string, nodeId = "", isPrivate = false): RepositorySeen {
  const [owner = "", name = ""] = fullName.split("/");
  return { id, nodeId, owner, name, defaultBranch: null, private: isPrivate };
}

function pullNumbers(references: payloads.PullReferences, repositoryId: number): number[] {
  return (references ?? [])
    .filter((each) => each.base?.repo == null || each.base.repo.id === repositoryId)
    .map((each) => each.number);
}

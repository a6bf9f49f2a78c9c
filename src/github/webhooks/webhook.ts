/**
 * What a webhook tells, in the words of the lifecycle. Nothing here decides anything: an event says where to look
 * again. Payloads of events or actions that tell nothing of interest give no news.
 */
import { z } from "zod";
import { STAGE_LABEL_PREFIX } from "../../lifecycle/policy/policy.ts";
import { POLICY_PATH } from "../../lifecycle/policy/read-policy.ts";
import { smallId } from "../id.ts";
import { readCheckRun, readCheckSuite, readStatus, readWorkflowRun } from "./check-events.ts";
import type { AppIdentity, WebhookContent, WebhookEvent } from "./events.ts";
import { readInstallation, readInstallationRepositories, readRepository } from "./installation.ts";
import * as payloads from "./payloads.ts";
import { readComment, readPullRequest, readReview } from "./pull-events.ts";
import { actorOf, repositorySeen } from "./values.ts";

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

/** Where a delivery stands in line. */
export interface DeliveryOrder {
  /** Deliveries with one key are handled in the order they came. */
  readonly key: string;
  /** Whose it is; null: of no installation. */
  readonly installationId: number | null;
}

/** Any JSON value has a place. */
export function deliveryOrder(event: string, payload: unknown): DeliveryOrder {
  const fields = keyFields.safeParse(payload);
  const { repository, installation, pull_request: pull, issue } = fields.data ?? {};
  const number = pull?.number ?? issue?.number;
  const installationId = installation?.id ?? null;
  if (repository != null) {
    return { key: number === undefined ? `${repository.id}` : `${repository.id}#${number}`, installationId };
  }
  return { key: installationId === null ? event : `installation ${installationId}`, installationId };
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

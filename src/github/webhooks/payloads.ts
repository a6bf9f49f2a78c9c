/** What we read of GitHub's webhook payloads: no field more than is used, whatever else GitHub sends. */
import { z } from "zod";
import { githubId, smallId } from "../id.ts";

/** An ISO date as milliseconds since the epoch. */
export const payloadDate = z.string().transform((text, context) => {
  const at = Date.parse(text);
  if (Number.isNaN(at)) {
    context.addIssue({ code: "custom", message: "expected an ISO date" });
    return z.NEVER;
  }
  return at;
});

const id = smallId;
const sha = z.string().min(1).max(64);

export const user = z.object({ id, login: z.string(), type: z.string().nullish() });
export type User = z.infer<typeof user>;

export const repository = z.object({
  id,
  node_id: z.string(),
  name: z.string(),
  owner: z.object({ login: z.string().nullish(), name: z.string().nullish() }),
  default_branch: z.string().nullish(),
  private: z.boolean(),
});

/** What most payloads have in common. */
export const envelope = z.object({
  action: z.string().nullish(),
  repository: repository.nullish(),
  installation: z.object({ id }).nullish(),
  organization: z.object({ id, login: z.string() }).nullish(),
  sender: user.nullish(),
});

const branch = z.object({ ref: z.string(), sha, repo: z.object({ id }).nullish() });

export const pullRequest = z.object({
  node_id: z.string(),
  number: z.number().int().positive(),
  title: z.string(),
  body: z.string().nullish(),
  user: user.nullish(),
  state: z.enum(["open", "closed"]),
  merged_at: payloadDate.nullish(),
  closed_at: payloadDate.nullish(),
  draft: z.boolean().nullish(),
  created_at: payloadDate,
  updated_at: payloadDate,
  head: branch,
  base: branch,
  labels: z.array(z.object({ name: z.string(), node_id: z.string().nullish() })).nullish(),
});

const known = z.object({ repository, installation: z.object({ id }).nullish(), sender: user.nullish() });

export const pullRequestEvent = known.extend({
  action: z.string(),
  pull_request: pullRequest,
  label: z.object({ name: z.string() }).nullish(),
  before: sha.nullish(),
  after: sha.nullish(),
  /** Of `dequeued`: `CI_FAILURE`, `MANUAL`, … */
  reason: z.string().nullish(),
  changes: z.object({ base: z.object({ ref: z.object({ from: z.string() }) }).nullish() }).nullish(),
});

export const reviewEvent = known.extend({
  action: z.string(),
  pull_request: pullRequest,
  review: z.object({
    id: githubId,
    user: user.nullish(),
    state: z.string(),
    commit_id: sha.nullish(),
    submitted_at: payloadDate.nullish(),
  }),
});

export const commentEvent = known.extend({
  action: z.string(),
  issue: z.object({ number: z.number().int().positive(), pull_request: z.unknown().optional() }),
  changes: z.object({ body: z.object({ from: z.string().nullish() }).nullish() }).nullish(),
  comment: z.object({
    id: githubId,
    node_id: z.string(),
    user: user.nullish(),
    body: z.string().nullish(),
    created_at: payloadDate,
  }),
});

const pullReferences = z
  .array(
    z.object({ number: z.number().int().positive(), base: z.object({ repo: z.object({ id }).nullish() }).nullish() }),
  )
  .nullish();

export const checkRunEvent = known.extend({
  action: z.string(),
  requested_action: z.object({ identifier: z.string().nullish() }).nullish(),
  check_run: z.object({
    name: z.string(),
    head_sha: sha,
    external_id: z.string().nullish(),
    status: z.string(),
    conclusion: z.string().nullish(),
    started_at: payloadDate.nullish(),
    completed_at: payloadDate.nullish(),
    app: z.object({ id, slug: z.string().nullish() }).nullish(),
    check_suite: z
      .object({
        node_id: z.string().nullish(),
        status: z.string().nullish(),
        conclusion: z.string().nullish(),
        created_at: payloadDate.nullish(),
        updated_at: payloadDate.nullish(),
        app: z.object({ id, slug: z.string().nullish() }).nullish(),
      })
      .nullish(),
    pull_requests: pullReferences,
  }),
});

export const checkSuiteEvent = known.extend({
  action: z.string(),
  check_suite: z.object({
    head_sha: sha,
    node_id: z.string().nullish(),
    status: z.string().nullish(),
    conclusion: z.string().nullish(),
    updated_at: payloadDate.nullish(),
    app: z.object({ id, slug: z.string().nullish() }).nullish(),
    pull_requests: pullReferences,
  }),
});

export const statusEvent = known.extend({
  sha,
  context: z.string(),
  state: z.string(),
  created_at: payloadDate,
  updated_at: payloadDate.nullish(),
});

export const workflowRunEvent = known.extend({
  action: z.string(),
  workflow: z.object({ path: z.string().nullish() }).nullish(),
  workflow_run: z.object({
    id: githubId,
    path: z.string().nullish(),
    event: z.string().nullish(),
    head_sha: sha,
    check_suite_node_id: z.string().nullish(),
    conclusion: z.string().nullish(),
    updated_at: payloadDate,
    actor: user.nullish(),
    pull_requests: pullReferences,
  }),
});

/** Where an app answers for a run; the payload names the run nowhere else. */
const CALLBACK = /^\/actions\/runs\/(\d{1,20})\/deployment_protection_rule$/u;

/**
 * The run's id in place of the callback's address, which must be one of the payload's own repository: an address is
 * never taken from outside, it is made anew of repository and run.
 */
export const protectionRuleEvent = known
  .extend({
    action: z.string(),
    environment: z.string().min(1).max(255),
    event: z.string().max(100).nullish(),
    ref: z.string().max(1_000).nullish(),
    deployment_callback_url: z.string().max(2_000),
    repository: repository.extend({ url: z.string().max(1_000) }),
  })
  .transform((event, context) => {
    const { deployment_callback_url: url, repository: own } = event;
    const base = own.url.replace(/(?<!\/)\/+$/u, "");
    const id = githubId.safeParse(url.startsWith(base) ? CALLBACK.exec(url.slice(base.length))?.[1] : undefined);
    if (!id.success) {
      const message = "expected the address of a run of this repository";
      context.addIssue({ code: "custom", message, path: ["deployment_callback_url"] });
      return z.NEVER;
    }
    return { ...event, deployment_callback_url: id.data };
  });

export const mergeGroupEvent = known.extend({
  action: z.string(),
  merge_group: z.object({ head_sha: sha, head_ref: z.string().max(1_000), base_ref: z.string().max(1_000) }),
});

export const labelEvent = known.extend({
  action: z.string(),
  label: z.object({ name: z.string() }),
  changes: z.object({ name: z.object({ from: z.string() }).nullish() }).nullish(),
});

/** GitHub lists no more commits of a push. */
export const MOST_PUSH_COMMITS = 2048;
/** Ours, well below the 3,000 files that GitHub lists of a commit elsewhere. */
export const MOST_PUSH_PATHS = 1_000;

const paths = z.array(z.string()).nullish();
const pushedCommit = z
  .object({ added: paths, removed: paths, modified: paths })
  .transform(({ added, removed, modified }) => ({
    added: added ?? [],
    removed: removed ?? [],
    modified: modified ?? [],
  }));

export const pushEvent = known.extend({
  ref: z.string(),
  after: z.string(),
  forced: z.boolean().nullish(),
  created: z.boolean().nullish(),
  commits: z
    .array(pushedCommit)
    .nullish()
    .transform((commits) => commits ?? []),
});

const brief = z.object({ id, node_id: z.string(), full_name: z.string(), private: z.boolean() });

/** Dates of installations have come as text and as seconds since the epoch. */
const installationDate = z
  .union([payloadDate, z.number().transform((seconds) => seconds * 1000)])
  .nullish()
  .catch(null);
const installation = z.object({ id, created_at: installationDate, updated_at: installationDate });

export const installationEvent = z.object({
  action: z.string(),
  installation,
  repositories: z.array(brief).nullish(),
});

export const installationRepositoriesEvent = z.object({
  action: z.string(),
  installation,
  repositories_added: z.array(brief.partial({ node_id: true, full_name: true, private: true })).nullish(),
  repositories_removed: z.array(z.object({ id })).nullish(),
});

export type PullPayload = z.infer<typeof pullRequest>;
export type RepositoryPayload = z.infer<typeof repository>;
export type PullReferences = z.infer<typeof pullReferences>;

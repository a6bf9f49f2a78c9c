/** Which changes of the world start a workflow, and as what: event, ref and commit as GitHub defines them. */
import picomatch from "picomatch";
import type { Change } from "../world/changes.ts";
import { changedFiles, mergeBase, zeroSha } from "../world/code/git.ts";
import type { PullRequest, Repository, WorkflowRun } from "../world/model/index.ts";
import type { World } from "../world/world.ts";
import type { TriggerFilter } from "./definition/definition.ts";

/** What a run of the change would be. */
export interface Trigger {
  readonly event: string;
  /** The activity; null where the event has none. */
  readonly type: string | null;
  readonly repository: Repository;
  /** GITHUB_REF */
  readonly ref: string;
  /** GITHUB_SHA: the workflow file comes from here. */
  readonly sha: string;
  readonly headSha: string;
  readonly headBranch: string | null;
  readonly pullNumbers: readonly number[];
  /** The branch or tag that `branches` and `tags` look at; null: they do not apply. */
  readonly filteredRef: string | null;
  /** Changed paths; null: `paths` does not apply. */
  readonly paths: readonly string[] | null;
  /** `workflow_run`: the other workflow's name, and its run. */
  readonly workflow: string | null;
  readonly after: WorkflowRun | null;
  /** The run's code comes from a fork: read-only token, no secrets, no OIDC. */
  readonly untrusted: boolean;
}

/** GitHub's defaults where `types` is not given. */
const DEFAULT_TYPES: Readonly<Record<string, readonly string[]>> = {
  pull_request: ["opened", "synchronize", "reopened"],
  pull_request_target: ["opened", "synchronize", "reopened"],
};

function pathsBetween(world: World, from: string, to: string): readonly string[] {
  const before = world.commits.get(from)?.files ?? new Map();
  const after = world.commits.get(to)?.files ?? new Map();
  return changedFiles(before, after).map((change) => change.path);
}

function ofPull(world: World, event: string, type: string, repository: Repository, pull: PullRequest): Trigger | null {
  // With conflicts there is no merge commit, and GitHub starts nothing.
  if (pull.mergeCommitSha === null) return null;
  return {
    event,
    type,
    repository,
    ref: `refs/pull/${pull.number}/merge`,
    sha: pull.mergeCommitSha,
    headSha: pull.head.sha,
    headBranch: pull.head.ref,
    pullNumbers: [pull.number],
    filteredRef: `refs/heads/${pull.base.ref}`,
    // As GitHub shows a pull request: since it left its base.
    paths: pathsBetween(world, mergeBase(world, pull.base.sha, pull.head.sha) ?? pull.base.sha, pull.head.sha),
    workflow: null,
    after: null,
    untrusted: pull.head.repositoryId !== repository.id,
  };
}

/** A trigger that runs on the default branch's newest commit. */
function onDefaultBranch(event: string, type: string | null, repository: Repository): Trigger | null {
  const sha = repository.refs.get(`refs/heads/${repository.defaultBranch}`);
  if (sha === undefined) return null;
  return {
    event,
    type,
    repository,
    ref: `refs/heads/${repository.defaultBranch}`,
    sha,
    headSha: sha,
    headBranch: repository.defaultBranch,
    pullNumbers: [],
    filteredRef: null,
    paths: null,
    workflow: null,
    after: null,
    untrusted: false,
  };
}

const present = (triggers: readonly (Trigger | null)[]): readonly Trigger[] => triggers.filter((one) => one !== null);

/** What a change may start. What a job's own token does starts nothing but dispatches: GitHub's rule against loops. */
export function triggersOf(world: World, change: Change): readonly Trigger[] {
  if (change.kind === "repository_dispatch") {
    return present([onDefaultBranch("repository_dispatch", change.eventType, change.repository)]);
  }
  if (change.actor.via === "job" && change.kind !== "workflow_run") return [];
  switch (change.kind) {
    case "pull_request": {
      const { repository, pull, action } = change;
      const base = repository.refs.get(`refs/heads/${pull.base.ref}`);
      const ordinary = ofPull(world, "pull_request", action, repository, pull);
      if (base === undefined || ordinary === null) return present([ordinary]);
      const ref = `refs/heads/${pull.base.ref}`;
      return [ordinary, { ...ordinary, event: "pull_request_target", ref, sha: base, untrusted: false }];
    }
    case "pull_request_review":
      return present([ofPull(world, "pull_request_review", change.action, change.repository, change.pull)]);
    case "issue_comment":
      return present([onDefaultBranch("issue_comment", change.action, change.repository)]);
    case "push":
      if (change.after === zeroSha) return [];
      return [
        {
          event: "push",
          type: null,
          repository: change.repository,
          ref: change.ref,
          sha: change.after,
          headSha: change.after,
          headBranch: change.ref.replace(/^refs\/(heads|tags)\//, ""),
          pullNumbers: [],
          filteredRef: change.ref,
          paths: change.ref.startsWith("refs/tags/") ? null : pathsBetween(world, change.before, change.after),
          workflow: null,
          after: null,
          untrusted: false,
        },
      ];
    case "workflow_run": {
      const trigger = onDefaultBranch("workflow_run", change.action, change.repository);
      if (trigger === null) return [];
      const filteredRef = change.run.headBranch === null ? null : `refs/heads/${change.run.headBranch}`;
      return [{ ...trigger, workflow: change.workflow.name, after: change.run, filteredRef }];
    }
    case "merge_group": {
      if (change.action !== "checks_requested") return [];
      const { headRef, headSha, baseRef } = change.group;
      const trigger = onDefaultBranch("merge_group", change.action, change.repository);
      const filteredRef = baseRef.startsWith("refs/") ? baseRef : `refs/heads/${baseRef}`;
      if (trigger === null) return [];
      return [
        {
          ...trigger,
          ref: headRef,
          sha: headSha,
          headSha,
          headBranch: headRef.replace("refs/heads/", ""),
          filteredRef,
        },
      ];
    }
    default:
      return [];
  }
}

/** What in a commit's message keeps a push or a pull request from starting anything. */
const SKIP = /\[(skip ci|ci skip|no ci|skip actions|actions skip)\]/;

/** Whether the newest commit asks for no workflows. */
export function skipped(world: World, trigger: Trigger): boolean {
  if (trigger.event !== "push" && trigger.event !== "pull_request") return false;
  return SKIP.test(world.commits.get(trigger.headSha)?.message ?? "");
}

/** GitHub's filter patterns: later ones win, `!` takes away. */
function selects(patterns: readonly string[], text: string): boolean {
  let selected = false;
  for (const pattern of patterns) {
    const negative = pattern.startsWith("!");
    if (picomatch.isMatch(text, negative ? pattern.slice(1) : pattern, { dot: true })) selected = !negative;
  }
  return selected;
}

function selectsRef(filter: TriggerFilter, ref: string): boolean {
  const branch = ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : null;
  const tag = ref.startsWith("refs/tags/") ? ref.slice("refs/tags/".length) : null;
  if (branch !== null) {
    if (filter.branches !== null) return selects(filter.branches, branch);
    if (filter.branchesIgnore !== null) return !selects(filter.branchesIgnore, branch);
    // Only tags are listed: branches are not meant.
    return filter.tags === null && filter.tagsIgnore === null;
  }
  if (tag === null) return true;
  if (filter.tags !== null) return selects(filter.tags, tag);
  if (filter.tagsIgnore !== null) return !selects(filter.tagsIgnore, tag);
  return filter.branches === null && filter.branchesIgnore === null;
}

/** Whether a workflow's filter for this event takes the trigger. */
export function accepts(filter: TriggerFilter, trigger: Trigger): boolean {
  const types = filter.types ?? DEFAULT_TYPES[trigger.event] ?? null;
  if (types !== null && trigger.type !== null && !types.includes(trigger.type)) return false;
  if (trigger.filteredRef !== null && !selectsRef(filter, trigger.filteredRef)) return false;
  if (filter.workflows !== null && (trigger.workflow === null || !filter.workflows.includes(trigger.workflow)))
    return false;
  if (trigger.paths === null) return true;
  const { paths, pathsIgnore } = filter;
  if (paths !== null) return trigger.paths.some((path) => selects(paths, path));
  if (pathsIgnore !== null) return trigger.paths.some((path) => !selects(pathsIgnore, path));
  return true;
}

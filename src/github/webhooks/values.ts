/** Parts that payloads of several events share, in the words of the lifecycle. */
import type { z } from "zod";
import { type Change, type CheckSeen, type PullKey, UNKNOWN_ACTOR } from "../../lifecycle/facts/change.ts";
import type { Act, Actor, PullState } from "../../lifecycle/facts/facts.ts";
import type { SuiteSeen } from "../../lifecycle/facts/suites.ts";
import type { LabelSeen } from "../pulls/pull-fields.ts";
import type { RepositorySeen } from "./events.ts";
import type * as payloads from "./payloads.ts";

export function actorOf(user: payloads.User | null | undefined): Actor {
  return user == null ? UNKNOWN_ACTOR : { kind: user.type === "Bot" ? "bot" : "user", id: user.id, login: user.login };
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

/** Whose suites workflow runs are. */
export const WORKFLOWS_APP = "github-actions";

/** The suite, where the payload tells enough of it. */
export function suiteSeen(suite: {
  readonly node_id?: string | null | undefined;
  readonly head_sha: string;
  readonly status?: string | null | undefined;
  readonly conclusion?: string | null | undefined;
  readonly updated_at?: number | null | undefined;
  readonly app?: { readonly slug?: string | null | undefined } | null | undefined;
}): SuiteSeen[] {
  const { node_id: id, head_sha: sha, updated_at: at } = suite;
  const finished = suiteFinished(suite.status ?? "", suite.conclusion ?? null);
  return id == null || at == null ? [] : [{ id, sha, app: suite.app?.slug ?? "", workflow: null, finished, at }];
}

/** What waits for somebody's approval has not really ended. In lower case. */
export function suiteFinished(status: string, conclusion: string | null): boolean {
  return status === "completed" && conclusion !== "action_required";
}

export function observed(
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

export function labelsSeen(pull: payloads.PullPayload): LabelSeen[] {
  return (pull.labels ?? []).flatMap(({ name, node_id: nodeId }) => (nodeId == null ? [] : [{ name, nodeId }]));
}

export function lifecycleRepository(repository: RepositorySeen): PullState["repository"] {
  const { id, owner, name, defaultBranch } = repository;
  return { id, owner, name, defaultBranch: defaultBranch ?? "", private: repository.private };
}

export function repositorySeen(repository: payloads.RepositoryPayload): RepositorySeen {
  return {
    id: repository.id,
    nodeId: repository.node_id,
    owner: repository.owner.login ?? repository.owner.name ?? "",
    name: repository.name,
    defaultBranch: repository.default_branch ?? null,
    private: repository.private,
  };
}

export function briefRepository(id: number, fullName: string, nodeId = "", isPrivate = false): RepositorySeen {
  const [owner = "", name = ""] = fullName.split("/");
  return { id, nodeId, owner, name, defaultBranch: null, private: isPrivate };
}

export function pullNumbers(references: payloads.PullReferences, repositoryId: number): number[] {
  return (references ?? [])
    .filter((each) => each.base?.repo == null || each.base.repo.id === repositoryId)
    .map((each) => each.number);
}

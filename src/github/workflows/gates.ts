/** Environments whose protection rule is this app: jobs that wait there, and our answers. */
import { z } from "zod";
import { smallId } from "../id.ts";
import type { GitHubClient } from "../port.ts";
import type { RepositoryPlace } from "./workflows.ts";

/** Of a comment, by GitHub's limit. */
export const LONGEST_COMMENT = 1_024;
/** GitHub takes ten comments on a deployment; the verdict's own is one of them. */
export const MOST_COMMENTS = 9;

export interface GateAnswer {
  readonly runId: string;
  readonly environment: string;
  /** Null: only a comment on why it waits. */
  readonly verdict: "approved" | "rejected" | null;
  readonly comment: string;
}

/**
 * Answers for every job of the run that waits for the environment. The address is made of the repository and the run:
 * one that somebody else names is never written to. Throws what the client throws; 422: nothing waits for our answer.
 */
export async function answerGate(
  client: GitHubClient,
  { owner, name }: RepositoryPlace,
  { runId, environment, verdict, comment }: GateAnswer,
  signal: AbortSignal,
): Promise<void> {
  await client.request("POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule", {
    owner,
    repo: name,
    run_id: runId,
    environment_name: environment,
    ...(verdict === null ? {} : { state: verdict }),
    comment: comment.slice(0, LONGEST_COMMENT),
    request: { signal },
  });
}

const pending = z.array(z.object({ environment: z.object({ name: z.string() }) }));

/** Names of the environments that jobs of this run wait for, whoever guards them. */
export async function pendingEnvironments(
  client: GitHubClient,
  { owner, name }: RepositoryPlace,
  runId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const answer = await client.request("GET /repos/{owner}/{repo}/actions/runs/{run_id}/pending_deployments", {
    owner,
    repo: name,
    run_id: runId,
    request: { signal },
  });
  return pending.parse(answer.data).map((each) => each.environment.name);
}

const rules = z.object({
  custom_deployment_protection_rules: z
    .array(z.object({ enabled: z.boolean(), app: z.object({ id: smallId }) }))
    .nullish(),
});

/** Whether this app is a protection rule of the environment, and in force. */
export async function guards(
  client: GitHubClient,
  { owner, name }: RepositoryPlace,
  environment: string,
  appId: number,
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await client.request(
    "GET /repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules",
    { owner, repo: name, environment_name: environment, request: { signal } },
  );
  const found = rules.parse(answer.data).custom_deployment_protection_rules ?? [];
  return found.some((rule) => rule.enabled && rule.app.id === appId);
}

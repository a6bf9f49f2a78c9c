/** Events of our own that start workflows: `repository_dispatch`. */
import type { GitHubClient } from "../port.ts";

export interface DispatchInput {
  readonly owner: string;
  readonly repo: string;
  /** At most 100 characters. */
  readonly eventType: string;
  /** At most ten members, 64 KB in all. */
  readonly payload: Readonly<Record<string, string>>;
}

/** GitHub answers without telling what was started, so whoever listens tells doubled events by their payload. */
export async function sendRepositoryDispatch(
  client: GitHubClient,
  { owner, repo, eventType, payload }: DispatchInput,
  signal: AbortSignal,
): Promise<void> {
  await client.request("POST /repos/{owner}/{repo}/dispatches", {
    owner,
    repo,
    event_type: eventType,
    client_payload: payload,
    request: { signal },
  });
}

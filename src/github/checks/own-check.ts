/** Whether a check run is the one that we opened: its number alone may have come from anybody. */
import { z } from "zod";
import { smallId } from "../id.ts";
import type { GitHubClient } from "../port.ts";
import type { RequestFailure } from "../request-failure.ts";
import { bounded, type Pace, persistently } from "./checks.ts";

export interface OwnCheck {
  readonly owner: string;
  readonly repo: string;
  readonly id: string;
  readonly name: string;
  readonly headSha: string;
  readonly externalId: string;
  /** Null: GitHub did not say whose it is when it was opened. */
  readonly appId: number | null;
}

const shown = z.object({
  name: z.string(),
  head_sha: z.string(),
  external_id: z.string().nullish(),
  status: z.string(),
  app: z.object({ id: smallId }).nullish(),
});

/** `open`: it is ours and still in progress; `completed`: ours, and nothing is left to do. */
export type OwnCheckState =
  | { readonly kind: "open" | "completed" }
  /** Not ours: what differs. */
  | { readonly kind: "foreign"; readonly differs: string }
  | { readonly kind: "unknown"; readonly failure: RequestFailure };

/** Looks at it on GitHub, again where that may help. */
export async function stateOfOwnCheck(
  client: GitHubClient,
  own: OwnCheck,
  pace: Pace,
  signal: AbortSignal,
): Promise<OwnCheckState> {
  const asked = await persistently(pace, signal, async () => {
    const answer = await client.request("GET /repos/{owner}/{repo}/check-runs/{check_run_id}", {
      owner: own.owner,
      repo: own.repo,
      check_run_id: own.id,
      request: bounded(signal),
    });
    return shown.parse(answer.data);
  });
  if (!asked.ok) return { kind: "unknown", failure: asked.failure };
  const { name, head_sha: headSha, external_id: externalId, status, app } = asked.value;
  const differs = [
    name === own.name ? [] : ["name"],
    headSha === own.headSha ? [] : ["commit"],
    externalId === own.externalId ? [] : ["external id"],
    own.appId === null || app?.id === own.appId ? [] : ["app"],
  ].flat();
  if (differs.length > 0) return { kind: "foreign", differs: differs.join(", ") };
  return { kind: status === "completed" ? "completed" : "open" };
}

/** Whether a check run is the one that we opened: its number alone may have come from anybody. */
import type { GitHubClient } from "../port.ts";
import type { RequestFailure } from "../request-failure.ts";
import { type CheckCommit, getCheckRun } from "./check-run.ts";
import { type Pace, persistently } from "./checks.ts";

export interface OwnCheck extends CheckCommit {
  readonly id: string;
  readonly name: string;
  readonly externalId: string;
  /** Null: GitHub did not say whose it is when it was opened. */
  readonly appId: number | null;
}

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
  const asked = await persistently(pace, signal, () => getCheckRun(client, own, own.id, signal));
  if (!asked.ok) return { kind: "unknown", failure: asked.failure };
  const { name, headSha, externalId, status, appId } = asked.value;
  const differs = [
    name === own.name ? [] : ["name"],
    headSha === own.headSha ? [] : ["commit"],
    externalId === own.externalId ? [] : ["external id"],
    own.appId === null || appId === own.appId ? [] : ["app"],
  ].flat();
  if (differs.length > 0) return { kind: "foreign", differs: differs.join(", ") };
  return { kind: status === "completed" ? "completed" : "open" };
}

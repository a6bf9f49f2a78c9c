/** A pull request as GitHub knows it now, and the answers to what an evaluation asks about people and files. */

import { askPermission, readFiles, withAnswer } from "../../github/permissions.ts";
import type { GitHubClient } from "../../github/port.ts";
import { readSnapshot, type Snapshot } from "../../github/pulls/snapshot.ts";
import { readTimeline } from "../../github/pulls/timeline.ts";
import { requestFailure } from "../../github/request-failure.ts";
import { readRunOrigin } from "../../github/workflows/run-origin.ts";
import { type Simulation, simulatePolicy } from "../../lifecycle/evaluation/simulate.ts";
import { type Facts, type Lookup, NO_PERMISSIONS, type Permissions } from "../../lifecycle/facts/facts.ts";
import { ordersOf } from "../../lifecycle/facts/order-in-second.ts";
import { record } from "../../lifecycle/facts/record.ts";
import type { Policy } from "../../lifecycle/policy/policy.ts";
import { stageOfLabel } from "../../lifecycle/presentation/display.ts";
import { oneLine } from "../../report/escape.ts";
import { UsageError } from "../exit.ts";
import type { PullAddress } from "../github-client.ts";
import { sayLookup } from "./simulation-json.ts";

/** Each round of questions may lead to further ones. */
const MOST_ROUNDS = 10;
const REQUEST_TIMEOUT_MS = 15_000;
/** No app has it: what the app itself has written is known by nobody's id here. */
const NO_APP = -1;

export interface SimulatedPull {
  readonly facts: Facts;
  readonly simulation: Simulation;
  /** What could not be asked, each with GitHub's words: it stays unknown, so it grants nothing. */
  readonly warnings: readonly string[];
}

/** What the app would do now. Only reads. @throws UsageError when GitHub does not show the pull request */
export async function simulatePull(client: GitHubClient, pull: PullAddress, policy: Policy): Promise<SimulatedPull> {
  let facts = await readPull(client, pull);
  let permissions: Permissions = NO_PERMISSIONS;
  const refused = new Map<string, string>();
  for (let round = 0; ; round += 1) {
    const known = permissions;
    const simulation = simulatePolicy({ policy, facts, before: null, shown: shownStage(facts), answer: () => known });
    const open = simulation.unknown.filter((lookup) => !refused.has(JSON.stringify(lookup)));
    if (open.length === 0 || round === MOST_ROUNDS) return { facts, simulation, warnings: [...refused.values()] };
    for (const lookup of open) {
      try {
        if (lookup.kind === "files") facts = await withFiles(client, pull, facts);
        else if (lookup.kind === "timeline") facts = await withOrder(client, facts, lookup.at);
        else if (lookup.kind === "suites") facts = await readPull(client, pull, facts);
        else if (lookup.kind === "run") facts = await withOrigin(client, facts, lookup);
        else permissions = withAnswer(permissions, lookup, await askPermission(client, place(pull), lookup, soon()));
      } catch (error) {
        refused.set(JSON.stringify(lookup), `${sayLookup(lookup)}: ${said(error)}`);
      }
    }
  }
}

async function readPull(client: GitHubClient, pull: PullAddress, known: Facts | null = null): Promise<Facts> {
  const name = `${pull.owner}/${pull.repo}#${pull.number}`;
  let snapshot: Snapshot | null;
  try {
    snapshot = await readSnapshot(client, place(pull), pull.number, NO_APP, soon());
  } catch (error) {
    throw new UsageError(`${name}: ${said(error)}`);
  }
  if (snapshot === null) throw new UsageError(`${name}: there is no such pull request, or the token may not see it`);
  const key = { installationId: 0, repository: snapshot.state.repository, number: pull.number };
  return record(known, { ...snapshot, pull: key });
}

async function withFiles(client: GitHubClient, pull: PullAddress, facts: Facts): Promise<Facts> {
  const files = await readFiles(client, place(pull), pull.number, soon());
  const key = { installationId: 0, repository: facts.repository, number: pull.number };
  return record(facts, { kind: "files", pull: key, sha: facts.head.sha, baseRef: facts.base.ref, files });
}

async function withOrder(client: GitHubClient, facts: Facts, at: number): Promise<Facts> {
  const asOf = Date.now();
  const timeline = await readTimeline(client, facts.nodeId, at, soon());
  if (timeline === null) throw new Error("GitHub does not show its timeline.");
  const { state, items } = timeline;
  const key = { installationId: 0, repository: facts.repository, number: facts.number };
  const orders = ordersOf(items, [at], facts.acts);
  return record(facts, { kind: "timeline", pull: key, state, asOf, acts: [], orders });
}

/** Which runs the app started is known to the app alone, and none of them reports on the pull request's own commits. */
async function withOrigin(
  client: GitHubClient,
  facts: Facts,
  { runId, sha, workflow, startedOnly }: Extract<Lookup, { kind: "run" }>,
): Promise<Facts> {
  const { repository, number, head, base } = facts;
  const known = { runId, sha, baseRef: null };
  const key = { installationId: 0, repository, number };
  if (startedOnly) {
    const origin = { ...known, origin: "not_started", detail: "the app did not start it" } as const;
    return record(facts, { kind: "run_origins", pull: key, origins: [origin] });
  }
  const question = { repository, runId, sha, workflow, number, head, baseRef: base.ref };
  const found = await readRunOrigin(client, question, { timeoutMs: REQUEST_TIMEOUT_MS });
  const { ofBase, ...told } = found ?? { origin: "untold" as const, detail: "GitHub does not know it", ofBase: false };
  const origin = { ...known, ...told, baseRef: ofBase ? base.ref : null };
  return record(facts, { kind: "run_origins", pull: key, origins: [origin] });
}

function place(pull: PullAddress): { readonly owner: string; readonly name: string } {
  return { owner: pull.owner, name: pull.repo };
}

/** The stage that its label shows; null: none, or several. */
function shownStage(facts: Facts): string | null {
  const shown = facts.labels.flatMap((label) => stageOfLabel(label) ?? []);
  return shown.length === 1 ? (shown[0] ?? null) : null;
}

/** What GitHub said, and what to do about it. */
function said(error: unknown): string {
  const failure = requestFailure(error, Date.now());
  const remedy = {
    permission: "; the token needs to read the repository, its collaborators and the organization's teams",
    rate_limit: "; try again later",
    temporary: "; try again",
    rejected: "",
  }[failure.kind];
  return oneLine(`GitHub could not be asked: ${failure.message}${remedy}`);
}

function soon(): AbortSignal {
  return AbortSignal.timeout(REQUEST_TIMEOUT_MS);
}

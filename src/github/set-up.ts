/** What a repository's set-up lacks for plans and gates, as far as a token may see it. Reads only. */
import { z } from "zod";
import type { Finding } from "../agent/machine/check.ts";
import type { GitHubClient } from "./port.ts";
import { requestFailure } from "./request-failure.ts";
import type { RepositoryPlace } from "./workflows/workflows.ts";

export interface WantedSetUp {
  /** Agents of the group that are to run at once; null: not said. */
  readonly agents: number | null;
  /** Labels that a runner must have to take a job of it; none: runners are not looked at. */
  readonly labels: readonly string[];
}

export interface SetUpInspection {
  /** What is as it should be, and what cannot be seen, in words. */
  readonly notes: readonly string[];
  readonly findings: readonly Finding[];
  /** How far this machine's clock is from GitHub's, in milliseconds, to the second; null: it did not say. */
  readonly clockOffsetMs: number | null;
}

const repository = z.object({ full_name: z.string(), default_branch: z.string(), private: z.boolean() });
const environments = z.object({
  environments: z
    .array(z.object({ name: z.string(), protection_rules: z.array(z.object({ type: z.string() })).optional() }))
    .optional(),
});
const runners = z.object({
  runners: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      busy: z.boolean(),
      labels: z.array(z.object({ name: z.string() })),
    }),
  ),
});
const PAGE = 100;

/** Asks one thing after the other; what one answer forbids does not keep the others from being looked at. */
export async function inspectSetUp(
  client: GitHubClient,
  place: RepositoryPlace,
  wanted: WantedSetUp,
): Promise<SetUpInspection> {
  const notes: string[] = [];
  const findings: Finding[] = [];
  const at = { owner: place.owner, repo: place.name };
  let clockOffsetMs: number | null = null;
  const ask = async (
    what: string,
    permission: string,
    route: string,
    take: (data: unknown) => void,
  ): Promise<boolean> => {
    try {
      const { data, headers } = await client.request(route, { ...at, per_page: PAGE });
      const date = Date.parse(String(headers.date));
      if (Number.isFinite(date)) clockOffsetMs = date - Date.now();
      take(data);
      return true;
    } catch (error) {
      findings.push(findingOf(what, permission, error));
      return false;
    }
  };
  const isSeen = await ask("repository", "metadata: read", "GET /repos/{owner}/{repo}", (data) => {
    const { full_name: name, default_branch: branch } = repository.parse(data);
    notes.push(`repository ${name}: seen; its policy is read from ${branch}`);
  });
  if (!isSeen) return { notes, findings, clockOffsetMs };
  await ask("check runs", "checks: read", "GET /repos/{owner}/{repo}/commits/HEAD/check-runs", () => {
    notes.push("check runs: seen (whether the token may write them shows only when one is written: checks: write)");
  });
  await ask("jobs", "actions: read", "GET /repos/{owner}/{repo}/actions/runs", () => {
    notes.push("workflow runs: seen (a group learns of jobs that failed before their step)");
  });
  await ask("environments", "actions: read", "GET /repos/{owner}/{repo}/environments", (data) => {
    notes.push(...environmentNotes(environments.parse(data).environments ?? []));
  });
  if (wanted.labels.length > 0) {
    await ask("runners", "administration: read", "GET /repos/{owner}/{repo}/actions/runners", (data) => {
      const finding = tooFewRunners(runners.parse(data).runners, wanted);
      if (finding === null) notes.push(`runners: enough with ${wanted.labels.join(", ")} are online`);
      else findings.push(finding);
    });
  }
  return { notes, findings, clockOffsetMs };
}

function environmentNotes(found: NonNullable<z.infer<typeof environments>["environments"]>): readonly string[] {
  if (found.length === 0) return ["environments: none, so gates have no jobs to release"];
  return found.slice(0, PAGE).map(({ name, protection_rules: rules = [] }) => {
    const types = [...new Set(rules.map(({ type }) => type))];
    const guarded = types.some(
      (type) => type !== "branch_policy" && type !== "wait_timer" && type !== "required_reviewers",
    );
    const what = types.length === 0 ? "no protection rules" : types.join(", ");
    return `environment ${name}: ${what}${guarded ? "" : "; no app guards it, so its jobs do not wait for a stage"}`;
  });
}

function tooFewRunners(found: z.infer<typeof runners>["runners"], { agents, labels }: WantedSetUp): Finding | null {
  const fitting = found.filter(({ labels: has }) => labels.every((label) => has.some(({ name }) => name === label)));
  const online = fitting.filter(({ status }) => status === "online");
  const wanted = agents ?? 1;
  if (online.length >= wanted) return null;
  const offline = fitting.filter(({ status }) => status !== "online").map(({ name }) => name);
  const also = offline.length === 0 ? "" : `; offline: ${offline.slice(0, 10).join(", ")}`;
  return {
    category: "resource",
    what: `runners ${labels.join(", ")}`,
    message: `${online.length} online, ${wanted} agents run at once${also}`,
    remedy: "start runners with these labels, or ask for fewer agents: a group with too few never assembles",
  };
}

function findingOf(what: string, permission: string, error: unknown): Finding {
  const failure = requestFailure(error, Date.now());
  const { status, message } = failure;
  if (status === 401) {
    return {
      category: "authentication",
      what,
      message: "the token is refused",
      remedy: "make a new one: this is over or revoked",
    };
  }
  switch (failure.kind) {
    case "permission":
      return {
        category: "permission",
        what,
        message: status === 404 ? "it does not exist, or the token may not see it" : message,
        remedy: `give the token ${permission}`,
      };
    case "rate_limit":
      return {
        category: "resource",
        what,
        message: "the token's requests of this hour are used up",
        remedy: "try again later",
      };
    case "temporary":
      return {
        category: "network",
        what,
        message,
        remedy: "see whether GitHub is reached from here (proxy, name servers)",
      };
    case "rejected":
      return { category: "configuration", what, message, remedy: "look at the repository's name" };
    default:
      return failure.kind satisfies never;
  }
}

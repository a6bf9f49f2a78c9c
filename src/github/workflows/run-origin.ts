/**
 * Who wrote what a finished run executed. GitHub takes a workflow's file from the default branch for some events; for
 * others it comes with the commit, or (of a pull request) with its merge into the base branch. What is the same blob in
 * the head and in the base branch is the same in their merge, whatever their history.
 */
import { z } from "zod";
import type { Origin } from "../../lifecycle/facts/run-origin.ts";
import { clip, oneLine } from "../../report/escape.ts";
import { isOnBranch } from "../branches.ts";
import { readGraphql } from "../graphql.ts";
import { smallId } from "../id.ts";
import type { GitHubClient } from "../port.ts";
import { localUses } from "./local-uses.ts";
import { type RunSeen, readRun } from "./workflows.ts";

export interface RunQuestion {
  readonly repository: {
    readonly id: number;
    readonly owner: string;
    readonly name: string;
    readonly defaultBranch: string;
  };
  readonly runId: string;
  /** The commit and the workflow file that the run was about, as it was told. */
  readonly sha: string;
  readonly workflow: string;
  /** The pull request whose evidence it would be. */
  readonly number: number;
  readonly head: { readonly ref: string; readonly repositoryId: number | null };
  readonly baseRef: string;
}

export interface OriginFound {
  readonly origin: Extract<Origin, "default_branch" | "unchanged" | "changed" | "untold">;
  readonly detail: string;
  /** Whether the answer rests on the base branch. */
  readonly ofBase: boolean;
}

/** Their workflow file is the default branch's, whatever commit they report on. */
const FROM_DEFAULT_BRANCH: ReadonlySet<string> = new Set([
  "workflow_run",
  "repository_dispatch",
  "schedule",
  "pull_request_target",
]);
/** Their workflow file is that of the commit. */
const FROM_COMMIT: ReadonlySet<string> = new Set(["push", "workflow_dispatch"]);
/** Their workflow file is that of the head merged into the base branch. */
const FROM_MERGE: ReadonlySet<string> = new Set(["pull_request", "pull_request_review", "pull_request_review_comment"]);

/** GitHub nests reusable workflows and composite actions ten deep. */
const DEEPEST = 11;
const MOST_FILES = 40;
const LARGEST_FILE_BYTES = 1_048_576;
/** A run is made this long at most after the event that set it off; usually it takes some seconds. */
const RUN_FOLLOWS_MS = 24 * 60 * 60_000;
const RUN_SOON_FOLLOWS_MS = 5 * 60_000;
/** Pull requests with the same head branch that are looked at. */
const MOST_SIBLINGS = 50;

/** `localUses`, or what does the same elsewhere. */
export type ReadUses = (content: string) => ReturnType<typeof localUses> | Promise<ReturnType<typeof localUses>>;

export interface RunOriginOptions {
  /** Of each request. */
  readonly timeoutMs: number;
  /** How the repository's files are read; default: here and at once. */
  readonly uses?: ReadUses;
}

/** How GitHub is asked. */
interface Ways {
  readonly client: GitHubClient;
  readonly signal: () => AbortSignal;
  readonly uses: ReadUses;
}

/** A few requests. Throws what the client throws; null where GitHub does not know the run. */
export async function readRunOrigin(
  client: GitHubClient,
  question: RunQuestion,
  { timeoutMs, uses = localUses }: RunOriginOptions,
): Promise<OriginFound | null> {
  const ways: Ways = { client, signal: () => AbortSignal.timeout(timeoutMs), uses };
  const { repository, runId, sha, workflow } = question;
  const run = await readRun(client, repository, runId, ways.signal());
  if (run === null) {
    return null;
  }
  if (run.headSha !== sha || run.path !== workflow) {
    return untold(`run ${runId} was about another commit or file`, false);
  }
  if (FROM_DEFAULT_BRANCH.has(run.event) || (await isDispatchedOnDefaultBranch(ways, run, question))) {
    return { origin: "default_branch", detail: "", ofBase: false };
  }
  if (FROM_COMMIT.has(run.event)) {
    return await compareFiles(ways, question, null);
  }
  if (!FROM_MERGE.has(run.event)) {
    return untold(`where runs on ${oneLine(run.event)} take their file from is not known here`, false);
  }
  if (run.headBranch !== question.head.ref || run.headRepositoryId === null) {
    return untold("it ran for another branch than this pull request's", false);
  }
  return run.headRepositoryId === question.head.repositoryId
    ? await compareFiles(ways, question, run)
    : untold("it ran for another repository's branch", false);
}

/** A tag may bear the branch's name: the commit must be on the branch. */
async function isDispatchedOnDefaultBranch(
  { client, signal }: Ways,
  run: RunSeen,
  { repository }: RunQuestion,
): Promise<boolean> {
  const { defaultBranch: branch } = repository;
  return (
    run.event === "workflow_dispatch" &&
    branch !== "" &&
    run.headBranch === branch &&
    (await isOnBranch(client, repository, { branch, sha: run.headSha }, signal()))
  );
}

const objectSeen = z.object({ __typename: z.string(), oid: z.string() });
const contentSeen = objectSeen.extend({
  byteSize: z.number().nullish(),
  isTruncated: z.boolean().nullish(),
  text: z.string().nullish(),
});
const siblingSeen = z.object({
  number: z.number(),
  updatedAt: z.string().transform((text) => Date.parse(text)),
  baseRefName: z.string(),
  headRepository: z.object({ databaseId: smallId.nullish() }).nullish(),
  timelineItems: z.object({
    nodes: z.array(z.object({ createdAt: z.string().transform((text) => Date.parse(text)) }).nullable()).nullish(),
  }),
});
const baseSeen = z.object({ target: z.object({ oid: z.string() }).nullish() }).nullish();
const siblingsSeen = z.object({
  pageInfo: z.object({ hasNextPage: z.boolean() }),
  nodes: z.array(siblingSeen.nullable()).nullish(),
});
type Siblings = z.infer<typeof siblingsSeen>;

const SIBLINGS = `siblings: pullRequests(
      headRefName: $branch, first: ${MOST_SIBLINGS}, states: [OPEN, CLOSED, MERGED],
      orderBy: { field: UPDATED_AT, direction: DESC }
    ) {
      pageInfo { hasNextPage }
      nodes {
        number updatedAt baseRefName headRepository { databaseId }
        timelineItems(last: 1, itemTypes: [BASE_REF_CHANGED_EVENT]) { nodes { ... on BaseRefChangedEvent { createdAt } } }
      }
    }`;

/** `run`: it took its files from a merge, so which merge that was matters, too. */
async function compareFiles(ways: Ways, question: RunQuestion, run: RunSeen | null): Promise<OriginFound> {
  const { sha, workflow, baseRef } = question;
  const seen = new Set<string>();
  let level = [workflow];
  let base: string | null = null;
  for (let depth = 0; level.length > 0; depth += 1) {
    for (const path of level) {
      seen.add(path);
    }
    if (depth === DEEPEST || seen.size > MOST_FILES) {
      return untold("it calls more workflows and actions than are followed", true);
    }
    const answer = await readFiles(ways, question, { level, base, siblings: depth === 0 && run !== null });
    if (answer === null) {
      return untold(`there is no branch ${baseRef} to compare with`, true);
    }
    const other = run === null || depth > 0 ? null : foreignMerge(answer.siblings, question, run);
    if (other !== null) {
      return other;
    }
    base = answer.base;
    const next = new Set<string>();
    for (const { path, head, own, content } of answer.files) {
      const name = `\`${clip(oneLine(path === "" ? "." : path), 200)}\``;
      if (head === null && own === null) {
        return untold(`${name} is in neither the commit nor ${baseRef}`, true);
      }
      if (head === null || own === null || head.oid !== own.oid || head.__typename !== own.__typename) {
        const detail = `${name} of ${sha.slice(0, 7)} is not that of ${baseRef}: the pull request changes it, or its branch is out of date`;
        return { origin: "changed", detail, ofBase: true };
      }
      const called = content === null ? [] : await usesOf(content, ways.uses);
      if (called === null) {
        return untold(`what ${name} calls cannot be read`, true);
      }
      for (const each of called) {
        next.add(each);
      }
    }
    level = [...next].filter((path) => !seen.has(path));
  }
  return { origin: "unchanged", detail: "", ofBase: true };
}

/**
 * Runs of several pull requests with one head report on the same commit, and GitHub does not say which of them a run
 * was for: one into another branch, or into another at the time, had other files merged.
 */
function foreignMerge(siblings: Siblings, question: RunQuestion, run: RunSeen): OriginFound | null {
  const { number, baseRef, head } = question;
  const nodes = (siblings.nodes ?? []).flatMap((each) => (each === null ? [] : [each]));
  const since = run.createdAt - RUN_FOLLOWS_MS;
  const own = nodes.find((each) => each.number === number);
  const oldest = nodes.at(-1);
  if (own === undefined || (siblings.pageInfo.hasNextPage && (oldest === undefined || oldest.updatedAt >= since))) {
    return untold("which pull requests have this head branch was not told in full", true);
  }
  const moved = own.timelineItems.nodes ?? [];
  if (moved.some((each) => each === null || each.createdAt >= run.createdAt - RUN_SOON_FOLLOWS_MS)) {
    return {
      origin: "changed",
      detail: `it was set off before the base branch was changed to ${baseRef}`,
      ofBase: true,
    };
  }
  const other = nodes.find(
    (each) =>
      each.number !== number &&
      each.updatedAt >= since &&
      each.headRepository?.databaseId === head.repositoryId &&
      (each.baseRefName !== baseRef || (each.timelineItems.nodes ?? []).length > 0),
  );
  return other === undefined
    ? null
    : {
        origin: "changed",
        detail: `#${other.number} has the same head and another base branch, and the run may have been for that one`,
        ofBase: true,
      };
}

interface FilePair {
  readonly path: string;
  readonly head: z.infer<typeof objectSeen> | null;
  readonly own: z.infer<typeof objectSeen> | null;
  /** The file, or an action's metadata, in the base branch; null: there is none. */
  readonly content: z.infer<typeof contentSeen> | null;
}

/** Each path in the commit and in the base branch. Null: there is no such branch. */
async function readFiles(
  { client, signal }: Ways,
  { repository, sha, baseRef, head }: RunQuestion,
  {
    level,
    base,
    siblings,
  }: { readonly level: readonly string[]; readonly base: string | null; readonly siblings: boolean },
): Promise<{ readonly base: string; readonly siblings: Siblings; readonly files: readonly FilePair[] } | null> {
  const at = base ?? `refs/heads/${baseRef}`;
  const variables: Record<string, string> = {};
  const fields = level.map((path, index) => {
    variables[`h${index}`] = `${sha}:${path}`;
    variables[`b${index}`] = `${at}:${path}`;
    const inside = path === "" ? "" : `${path}/`;
    variables[`y${index}`] = `${at}:${inside}action.yml`;
    variables[`z${index}`] = `${at}:${inside}action.yaml`;
    return `h${index}: object(expression: $h${index}) { __typename oid }
    b${index}: object(expression: $b${index}) { ...Content }
    y${index}: object(expression: $y${index}) { ...Content }
    z${index}: object(expression: $z${index}) { ...Content }`;
  });
  const declared = Object.keys(variables).map((name) => `, $${name}: String!`);
  const query = `query RunFiles($owner: String!, $name: String!, $base: String!${siblings ? ", $branch: String!" : ""}${declared.join("")}) {
  repository(owner: $owner, name: $name) {
    base: ref(qualifiedName: $base) { target { oid } }
    ${siblings ? SIBLINGS : ""}
    ${fields.join("\n    ")}
  }
}
fragment Content on GitObject { __typename oid ... on Blob { byteSize isTruncated text } }`;
  const { owner, name } = repository;
  const common = { owner, name, base: `refs/heads/${baseRef}`, ...(siblings ? { branch: head.ref } : {}) };
  const { data } = await readGraphql(client, query, { ...common, ...variables }, signal());
  const found = z.record(z.string(), z.unknown()).nullish().parse(data?.repository);
  const tip = baseSeen.parse(found?.base)?.target?.oid ?? null;
  if (found == null || tip === null) {
    return null;
  }
  const object = (alias: string) => contentSeen.nullish().parse(found[alias]) ?? null;
  return {
    base: base ?? tip,
    siblings: siblings ? siblingsSeen.parse(found.siblings) : { pageInfo: { hasNextPage: false }, nodes: [] },
    files: level.map((path, index) => {
      const own = object(`b${index}`);
      const metadata = object(`y${index}`) ?? object(`z${index}`);
      const content = own?.__typename === "Blob" ? own : metadata;
      return { path, head: objectSeen.nullish().parse(found[`h${index}`]) ?? null, own, content };
    }),
  };
}

/** Null: it cannot be told. */
async function usesOf(
  { __typename, byteSize, isTruncated, text }: z.infer<typeof contentSeen>,
  read: ReadUses,
): Promise<readonly string[] | null> {
  const whole = __typename === "Blob" && isTruncated === false && text != null;
  return whole && (byteSize ?? 0) <= LARGEST_FILE_BYTES ? await read(text) : null;
}

function untold(detail: string, ofBase: boolean): OriginFound {
  return { origin: "untold", detail, ofBase };
}

/** A repository's policy file as its default branch (or a commit) has it now: one query, whatever else is to be known with it. */
import { z } from "zod";
import { type GraphqlError, sendGraphql } from "../graphql.ts";
import { smallId } from "../id.ts";
import type { GitHubClient } from "../port.ts";

export interface PolicyFile {
  /** Git's hash of the content. */
  readonly oid: string;
  /** Bytes. */
  readonly size: number;
  /** Null: it was not read, because it is larger than asked for. */
  readonly content: string | Uint8Array | null;
}

export interface PolicyFileSeen {
  readonly repository: { readonly id: number; readonly private: boolean };
  /** Empty: there is no commit yet. */
  readonly branch: string;
  /** The commit that was read; null: there is none yet. */
  readonly head: string | null;
  /** Null: there is no such file. */
  readonly file: PolicyFile | null;
  /** How many approving reviews the branch's protection and rulesets ask for before a merge; null: GitHub did not say. */
  readonly reviewsRequired: number | null;
}

const RULES = `refUpdateRule { requiredApprovingReviewCount }
      rules(first: 100) { nodes { parameters { ... on PullRequestParameters { requiredApprovingReviewCount } } } }`;

/** `rules`: what is asked about the branch besides; older servers do not know of it, and do not take the question. */
function queryWith(rules: string, commit: string | null): string {
  const declared = commit === null ? "" : ", $commit: GitObjectID!";
  const proposed =
    commit === null
      ? ""
      : "proposed: object(oid: $commit) { ... on Commit { oid file(path: $path) { type object { ...FileFields } } } }";
  return `query PolicyFile($owner: String!, $name: String!, $path: String!${declared}) {
  repository(owner: $owner, name: $name) {
    databaseId isPrivate
    ${proposed}
    defaultBranchRef {
      name
      target { ... on Commit { oid file(path: $path) { type object { ...FileFields } } } }
      ${rules}
    }
  }
}
fragment FileFields on Blob { oid byteSize isBinary isTruncated text }`;
}

const blob = z.object({
  oid: z.string().min(1),
  byteSize: z.number(),
  isBinary: z.boolean().nullish(),
  isTruncated: z.boolean(),
  text: z.string().nullish(),
});
const count = z.number().nullish();
const target = z.object({
  oid: z.string(),
  file: z.object({ type: z.string(), object: z.unknown() }).nullish(),
});
const answer = z.object({
  databaseId: smallId,
  isPrivate: z.boolean(),
  proposed: target.nullish(),
  defaultBranchRef: z
    .object({
      name: z.string(),
      target: target.nullish(),
      refUpdateRule: z.object({ requiredApprovingReviewCount: count }).nullish(),
      rules: z
        .object({
          nodes: z
            .array(z.object({ parameters: z.object({ requiredApprovingReviewCount: count }).nullish() }).nullable())
            .nullish(),
        })
        .nullish(),
    })
    .nullish(),
});
const contents = z.object({ content: z.string(), encoding: z.literal("base64") });

/**
 * Reads `path` on the default branch, or at this `commit` of the repository or of its forks. Null: there is no such repository, or the app may not see it. Content beyond
 * `mostBytes` is not read. One query; a further request where GitHub shortened the text (from about half a MiB on), or
 * where it does not tell this app about the branch's rules. Throws what the client throws, and an Error when GitHub gives only part of an answer.
 */
export async function readPolicyFile(
  client: GitHubClient,
  { owner, name }: { readonly owner: string; readonly name: string },
  path: string,
  mostBytes: number,
  signal: AbortSignal,
  commit: string | null = null,
): Promise<PolicyFileSeen | null> {
  const variables = { owner, name, path, ...(commit === null ? {} : { commit }) };
  let rules = true;
  let { data, errors } = await sendGraphql(client, queryWith(RULES, commit), variables, signal);
  if (errors.some(isFailure)) {
    // A field that failed is null, too: it cannot be told from a file that is not there.
    rules = false;
    ({ data, errors } = await sendGraphql(client, queryWith("", commit), variables, signal));
  }
  const failed = errors.find(isFailure);
  if (failed !== undefined) {
    throw new Error(`GitHub did not say what ${path} of ${owner}/${name} is: ${failed.message}`);
  }
  if (data?.repository == null) {
    return null;
  }
  const { databaseId: id, isPrivate, defaultBranchRef: ref, proposed } = answer.parse(data.repository);
  const at = commit === null ? ref?.target : proposed;
  if (commit !== null && at == null) {
    throw new Error(`GitHub does not know the commit ${commit} of ${owner}/${name}.`);
  }
  const head = at?.oid ?? null;
  const entry = at?.file ?? null;
  const counts = [ref?.refUpdateRule, ...(ref?.rules?.nodes ?? []).map((rule) => rule?.parameters)];
  const seen = {
    repository: { id, private: isPrivate },
    branch: ref?.name ?? "",
    head,
    reviewsRequired: rules ? Math.max(0, ...counts.map((each) => each?.requiredApprovingReviewCount ?? 0)) : null,
  };
  // A folder or a submodule of that name is no policy.
  if (head === null || entry === null || entry.type !== "blob") {
    return { ...seen, file: null };
  }
  const { oid, byteSize: size, isTruncated, text } = blob.parse(entry.object);
  if (size > mostBytes) {
    return { ...seen, file: { oid, size, content: null } };
  }
  // GraphQL gives no text that is not UTF-8 as it is.
  const whole = !isTruncated && text != null && Buffer.byteLength(text) === size;
  const content = whole ? text : await readContents(client, { owner, name }, path, head, signal);
  return { ...seen, file: { oid, size, content } };
}

function isFailure({ type }: GraphqlError): boolean {
  return type !== "NOT_FOUND";
}

async function readContents(
  client: GitHubClient,
  repository: { readonly owner: string; readonly name: string },
  path: string,
  ref: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { data } = await client.request("GET /repos/{owner}/{repo}/contents/{path}", {
    owner: repository.owner,
    repo: repository.name,
    path,
    ref,
    request: { signal },
  });
  return Buffer.from(contents.parse(data).content, "base64");
}

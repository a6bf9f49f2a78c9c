/** What every query and every read-back asks of a pull request, and how it becomes our own words. */
import { z } from "zod";
import { UNKNOWN_ACTOR } from "../../lifecycle/facts/change.ts";
import type { Actor, PullState } from "../../lifecycle/facts/facts.ts";
import { smallId } from "../id.ts";
import { payloadDate } from "../webhooks/payloads.ts";

export const ACTOR_FIELDS = `fragment ActorFields on Actor {
  __typename login
  ... on User { databaseId }
  ... on Bot { databaseId }
  ... on Mannequin { databaseId }
}`;

export const PULL_FIELDS = `fragment PullFields on PullRequest {
  id number title body state merged isDraft createdAt updatedAt
  headRefOid headRefName headRepository { databaseId }
  baseRefOid baseRefName
  author { ...ActorFields }
  labels(first: 100) { nodes { id name } }
  repository { databaseId name isPrivate owner { login } defaultBranchRef { name } }
}
${ACTOR_FIELDS}`;

export const CHECK_FIELDS = `fragment CheckFields on CheckRun {
  id name status conclusion title summary text externalId
}`;

export const actor = z.object({ __typename: z.string(), login: z.string(), databaseId: smallId.nullish() }).nullish();

/** GraphQL says a bot's login without the suffix that REST and people write. */
export function graphqlActor(given: z.infer<typeof actor>): Actor {
  if (given == null || given.databaseId == null) {
    return UNKNOWN_ACTOR;
  }
  const { login, databaseId: id } = given;
  return given.__typename === "Bot"
    ? { kind: "bot", id, login: login.endsWith("[bot]") ? login : `${login}[bot]` }
    : { kind: "user", id, login };
}

export const pullFields = z.object({
  id: z.string(),
  number: z.number(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(["OPEN", "CLOSED", "MERGED"]),
  merged: z.boolean(),
  isDraft: z.boolean(),
  createdAt: payloadDate,
  updatedAt: payloadDate,
  headRefOid: z.string(),
  headRefName: z.string(),
  headRepository: z.object({ databaseId: smallId.nullish() }).nullish(),
  baseRefOid: z.string(),
  baseRefName: z.string(),
  author: actor,
  labels: z.object({ nodes: z.array(z.object({ id: z.string(), name: z.string() }).nullable()).nullish() }).nullish(),
  repository: z.object({
    databaseId: smallId,
    name: z.string(),
    isPrivate: z.boolean(),
    owner: z.object({ login: z.string() }),
    defaultBranchRef: z.object({ name: z.string() }).nullish(),
  }),
});

export interface LabelSeen {
  readonly name: string;
  readonly nodeId: string;
}

export interface PullSeen {
  readonly number: number;
  readonly state: PullState;
  readonly labels: readonly LabelSeen[];
}

export function pullSeen(fields: z.infer<typeof pullFields>): PullSeen {
  const { repository } = fields;
  const labels = (fields.labels?.nodes ?? []).flatMap((each) =>
    each === null ? [] : [{ name: each.name, nodeId: each.id }],
  );
  return {
    number: fields.number,
    labels,
    state: {
      repository: {
        id: repository.databaseId,
        owner: repository.owner.login,
        name: repository.name,
        defaultBranch: repository.defaultBranchRef?.name ?? "",
        private: repository.isPrivate,
      },
      nodeId: fields.id,
      title: fields.title,
      body: fields.body ?? "",
      author: graphqlActor(fields.author),
      state: fields.state === "OPEN" ? "open" : "closed",
      merged: fields.merged,
      draft: fields.isDraft,
      openedAt: fields.createdAt,
      head: {
        sha: fields.headRefOid,
        ref: fields.headRefName,
        repositoryId: fields.headRepository?.databaseId ?? null,
      },
      base: { sha: fields.baseRefOid, ref: fields.baseRefName },
      labels: labels.map((each) => each.name),
      updatedAt: fields.updatedAt,
    },
  };
}

export const checkFields = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string().transform((text) => text.toLowerCase()),
  conclusion: z
    .string()
    .nullish()
    .transform((text) => text?.toLowerCase() ?? null),
  title: z.string().nullish(),
  summary: z.string().nullish(),
  text: z.string().nullish(),
  externalId: z.string().nullish(),
});

/** A check run of ours, as GitHub says it is. */
export interface CheckRead {
  readonly nodeId: string;
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly title: string;
  readonly summary: string;
  readonly text: string;
}

export function checkRead(fields: z.infer<typeof checkFields>): CheckRead {
  const { id, name, status, conclusion, title, summary, text } = fields;
  return { nodeId: id, name, status, conclusion, title: title ?? "", summary: summary ?? "", text: text ?? "" };
}

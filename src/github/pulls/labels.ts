/** The labels of a repository by name: mutations take ids. */
import { z } from "zod";
import { readGraphql, sendGraphql } from "../graphql.ts";
import type { GitHubClient } from "../port.ts";

export interface RepositoryLabels {
  /** Node id of the repository. */
  readonly repositoryNodeId: string;
  /** Name as asked for -> node id; null: there is no such label. */
  readonly ids: Readonly<Record<string, string | null>>;
}

export interface NewLabel {
  readonly name: string;
  /** Six hexadecimal digits. */
  readonly color: string;
  /** At most 100 characters. */
  readonly description: string;
}

const found = z.object({ id: z.string() }).nullish();
const repository = z.looseObject({ id: z.string() });
const created = z.object({ label: z.object({ id: z.string(), name: z.string() }).nullish() }).nullish();

/** One query. Null: there is no such repository, or the app may not see it. */
export async function findLabels(
  client: GitHubClient,
  owner: string,
  name: string,
  labels: readonly string[],
  signal: AbortSignal,
): Promise<RepositoryLabels | null> {
  const declared = labels.map((_, index) => `, $l${index}: String!`).join("");
  const fields = labels.map((_, index) => `    l${index}: label(name: $l${index}) { id }`);
  const query = [
    `query Labels($owner: String!, $repository: String!${declared}) {`,
    "  repository(owner: $owner, name: $repository) {",
    "    id",
    ...fields,
    "  }",
    "}",
  ].join("\n");
  const variables = Object.fromEntries(labels.map((label, index) => [`l${index}`, label]));
  const answer = await readGraphql(client, query, { owner, repository: name, ...variables }, signal);
  const read = answer.data?.repository;
  if (read == null) {
    return null;
  }
  const parsed = repository.parse(read);
  return {
    repositoryNodeId: parsed.id,
    ids: Object.fromEntries(labels.map((label, index) => [label, found.parse(parsed[`l${index}`])?.id ?? null])),
  };
}

/**
 * Makes labels, one request. Returns the ids of those made; for the others why not (somebody made one meanwhile, or the
 * app may not).
 */
export async function createLabels(
  client: GitHubClient,
  repositoryNodeId: string,
  labels: readonly NewLabel[],
  signal: AbortSignal,
): Promise<{ readonly ids: Readonly<Record<string, string>>; readonly problems: Readonly<Record<string, string>> }> {
  const declared = labels.map((_, index) => `$l${index}: CreateLabelInput!`);
  const fields = labels.map((_, index) => `  l${index}: createLabel(input: $l${index}) { label { id name } }`);
  const query = [`mutation Labels(${declared.join(", ")}) {`, ...fields, "}"].join("\n");
  const variables = Object.fromEntries(
    labels.map(({ name, color, description }, index) => [
      `l${index}`,
      { repositoryId: repositoryNodeId, name, color, description },
    ]),
  );
  const answer = await sendGraphql(client, query, variables, signal);
  const ids: Record<string, string> = {};
  const problems: Record<string, string> = {};
  for (const [index, label] of labels.entries()) {
    const id = created.parse(answer.data?.[`l${index}`])?.label?.id;
    if (id === undefined) {
      const error = answer.errors.find((each) => each.alias === `l${index}` || each.alias === null);
      problems[label.name] = error?.message ?? "GitHub gave no reason";
    } else {
      ids[label.name] = id;
    }
  }
  return { ids, problems };
}

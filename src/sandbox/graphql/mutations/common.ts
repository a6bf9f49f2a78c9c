/** What mutations share: finding the things that their ids name. */
import {
  type CheckRun,
  type Comment,
  type Label,
  type PullRequest,
  type Repository,
  type Review,
  repository,
} from "../../world/index.ts";
import { type Context, failure, notResolved } from "../define.ts";

export interface Input<T> {
  readonly input: T & { readonly clientMutationId?: string | null };
}

export function pullBy(context: Context, id: string): PullRequest {
  const node = context.world.nodes.get(id);
  if (node?.type !== "PullRequest") throw notResolved(id);
  return node.value;
}

export function repositoryBy(context: Context, id: string): Repository {
  const node = context.world.nodes.get(id);
  if (node?.type !== "Repository") throw notResolved(id);
  return node.value;
}

export function labelBy(context: Context, id: string): Label {
  const node = context.world.nodes.get(id);
  if (node?.type !== "Label") throw notResolved(id);
  return node.value;
}

export function checkRunBy(context: Context, id: string): CheckRun {
  const node = context.world.nodes.get(id);
  if (node?.type !== "CheckRun") throw notResolved(id);
  return node.value;
}

export function reviewBy(context: Context, id: string): Review {
  const node = context.world.nodes.get(id);
  if (node?.type !== "Review") throw notResolved(id);
  return node.value;
}

export function commentBy(context: Context, id: string): Comment {
  const node = context.world.nodes.get(id);
  if (node?.type !== "Comment") throw notResolved(id);
  return node.value;
}

export function repoOf(context: Context, thing: { readonly repositoryId: number }): Repository {
  return repository(context.world, thing.repositoryId);
}

/** @throws GraphQLError UNPROCESSABLE */
export function time(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw failure("UNPROCESSABLE", `${JSON.stringify(text)} is not a valid DateTime`);
  return at;
}

/** Leaves out what is null or undefined. */
export function given<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const kept: { [K in keyof T]?: NonNullable<T[K]> } = {};
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined && value !== null) kept[key] = value;
  }
  return kept;
}

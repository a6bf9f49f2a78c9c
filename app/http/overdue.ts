/** The page of pull requests that are in their stage for longer than the policy allows. */
import { z } from "zod";
import type { OverdueCursor, Store } from "../store/model.ts";

const PAGE = 100;
/** When it was due, repository, number. */
const cursor = z
  .string()
  .max(60)
  .regex(/^\d{1,15}-\d{1,15}-\d{1,9}$/u)
  .transform((text): OverdueCursor => {
    const [dueAt = 0, repositoryId = 0, number = 0] = text.split("-").map(Number);
    return { dueAt, repositoryId, number };
  });

/** The longest due first; `after`: the `next` of the page before. Null: `after` is none. Dates as ISO 8601 says. */
export async function overduePage(store: Pick<Store, "counts" | "policies">, now: number, after: string | null) {
  const from = after === null ? undefined : cursor.safeParse(after).data;
  if (after !== null && from === undefined) {
    return null;
  }
  const found = await store.counts.overdue(now, PAGE + 1, from);
  const items = found.slice(0, PAGE);
  const last = found.length > PAGE ? items.at(-1) : undefined;
  const owners = new Map<number, (stage: string | null) => string | null>();
  for (const { repositoryId } of items) {
    if (!owners.has(repositoryId)) {
      const stages = (await store.policies.of(repositoryId))?.state?.inForce?.stages ?? [];
      owners.set(repositoryId, (name) => stages.find((stage) => stage.name === name)?.owner ?? null);
    }
  }
  return {
    overdue: items.map(({ repositoryId, owner, name, number, title, stage, since, dueAt }) => ({
      repository: `${owner}/${name}`,
      number,
      title,
      stage,
      owner: owners.get(repositoryId)?.(stage) ?? null,
      since: since === null ? null : new Date(since).toISOString(),
      due: new Date(dueAt).toISOString(),
    })),
    next: last === undefined ? null : `${last.dueAt}-${last.repositoryId}-${last.number}`,
  };
}

/** Since when the app watches a repository: pull requests that are older are taken up only when something happens. */
import type { Store } from "../store/model.ts";

const keyOf = (repositoryId: number): string => `installed since:${repositoryId}`;

const sweptKey = (repositoryId: number): string => `swept:${repositoryId}`;

/** Null: nobody has said. */
export async function installedSince(store: Pick<Store, "meta">, repositoryId: number): Promise<number | null> {
  const value = await store.meta(keyOf(repositoryId));
  return value === null ? null : Number(value);
}

/** The app was installed on it then, or came to see it then. */
export async function watchFrom(
  store: Pick<Store, "meta" | "setMeta">,
  repositoryId: number,
  at: number,
): Promise<void> {
  await store.setMeta(keyOf(repositoryId), `${at}`);
  if ((await sweptUntil(store, repositoryId)) === null) {
    await setSwept(store, repositoryId, at);
  }
}

/**
 * All of the time before this was swept, or was before the app was first installed: what was lost later can still be
 * found, also when the app was taken off and installed anew meanwhile. Null: nobody has said.
 */
export async function sweptUntil(store: Pick<Store, "meta">, repositoryId: number): Promise<number | null> {
  const value = await store.meta(sweptKey(repositoryId));
  return value === null ? null : Number(value);
}

export async function setSwept(store: Pick<Store, "setMeta">, repositoryId: number, at: number): Promise<void> {
  await store.setMeta(sweptKey(repositoryId), `${at}`);
}

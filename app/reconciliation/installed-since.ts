/** Since when the app watches a repository: pull requests that are older are taken up only when something happens. */
import type { Store } from "../store/model.ts";

const keyOf = (repositoryId: number): string => `watched since:${repositoryId}`;

/** Null: nobody has said. */
export async function installedSince(store: Pick<Store, "meta">, repositoryId: number): Promise<number | null> {
  const value = await store.meta(keyOf(repositoryId));
  return value === null ? null : Number(value);
}

/** The app was installed on it then, or came to see it then. */
export async function watchFrom(store: Pick<Store, "setMeta">, repositoryId: number, at: number): Promise<void> {
  await store.setMeta(keyOf(repositoryId), `${at}`);
}

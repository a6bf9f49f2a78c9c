/** Whose token this is, and what they may do with a repository. */
import { z } from "zod";
import { smallId } from "./id.ts";
import type { GitHubClient } from "./port.ts";
import { requestFailure } from "./request-failure.ts";

export type TokenHolder =
  | {
      readonly seen: true;
      readonly repositoryId: number;
      /** Null: a workflow's token is nobody's in particular. */
      readonly login: string | null;
      readonly mayWrite: boolean;
    }
  /** `token`: GitHub does not accept it; `repository`: it does not show the repository. */
  | { readonly seen: false; readonly refused: "token" | "repository" };

const flag = z.boolean().default(false);
const seenRepository = z.object({
  id: smallId,
  permissions: z.object({ push: flag, maintain: flag, admin: flag }).optional(),
});
const seenUser = z.object({ login: z.string() });

/** `client`: shows the token in question. Throws when GitHub cannot be asked now. Two requests. */
export async function readTokenHolder(
  client: GitHubClient,
  { owner, name }: { readonly owner: string; readonly name: string },
  signal: AbortSignal,
): Promise<TokenHolder> {
  const request = { signal };
  try {
    const found = await client.request("GET /repos/{owner}/{repo}", { owner, repo: name, request });
    const { id: repositoryId, permissions } = seenRepository.parse(found.data);
    const login = await client
      .request("GET /user", { request })
      .then(({ data }) => seenUser.parse(data).login)
      .catch(() => null);
    const mayWrite = permissions?.push === true || permissions?.maintain === true || permissions?.admin === true;
    return { seen: true, repositoryId, login, mayWrite };
  } catch (error) {
    const { kind, status } = requestFailure(error, 0);
    if (kind !== "permission") {
      throw error;
    }
    return { seen: false, refused: status === 401 ? "token" : "repository" };
  }
}

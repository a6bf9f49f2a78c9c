/**
 * The policy file as a pull request would have it: read on its head commit, and said in a check run there. It is never
 * taken for the one in force.
 */
import { readFiles } from "../../src/github/permissions.ts";
import { loadPolicy, policyFetcher, type ReadPolicy } from "../../src/github/policy-files/load-policy.ts";
import { POLICY_PATH } from "../../src/lifecycle/policy/read-policy.ts";
import { newEffect } from "../effects/effect.ts";
import type { EffectHandler } from "../effects/handler.ts";
import type { NewEffect, PullId, Repository, Store } from "../store/model.ts";
import type { PolicyCheck } from "./check.ts";

export interface HeadSeen {
  readonly store: Pick<Store, "policies">;
  readonly pull: PullId;
  readonly repository: Repository;
  readonly head: string;
  /** Of the file on the head commit; null: there is none; undefined: not known. */
  readonly oid: string | null | undefined;
  readonly now: number;
}

/**
 * What is to be done about the file on this head commit; null: nothing, it is the one in force. Known by commit and
 * content, so that asking again adds nothing.
 */
export async function proposalOf({ store, pull, repository, head, oid, now }: HeadSeen): Promise<NewEffect | null> {
  const { installationId, id: repositoryId } = repository;
  if (oid === undefined || installationId === null) {
    return null;
  }
  const state = (await store.policies.of(repositoryId))?.state ?? null;
  // The source begins with the file's own hash; those of what it extends follow.
  const own = state?.source?.split(" ", 1)[0] ?? null;
  if (state === null || own === oid) {
    return null;
  }
  const about = { installationId, occasion: { of: "policy file", head, oid }, at: now } as const;
  return newEffect("proposed_policy", pull, about, { sha: head });
}

export function proposalHandler(
  check: Pick<PolicyCheck, "showProposed">,
  readFor: (installationId: number) => ReadPolicy,
): EffectHandler<"proposed_policy"> {
  return async ({ sha }, { client, store, repository, pull, signal, timings }) => {
    if (pull === null || pull.facts.state !== "open" || pull.facts.head.sha !== sha) {
      return { state: "dropped", reason: "the commit is not the head of an open pull request any more" };
    }
    // A branch that was made before the default branch's file changed has another file without touching it.
    const files = pull.facts.files ?? (await readFiles(client, repository, pull.number, signal));
    if (!files.includes(POLICY_PATH)) {
      return { state: "done", note: null };
    }
    const known = new Set((await store.policies.of(repository.id))?.bases);
    const proposed = {
      place: repository,
      commit: sha,
      // What is extended already was shown on the default branch. Of two private repositories not the same people are readers.
      mayShow: (name: string, base: { readonly private: boolean }) => !base.private || known.has(name),
    };
    const read = readFor(pull.facts.installationId);
    const loaded = await loadPolicy(repository, policyFetcher(client, timings.requestTimeout, proposed), read);
    await check.showProposed(repository, sha, loaded);
    return { state: "done", note: null };
  };
}

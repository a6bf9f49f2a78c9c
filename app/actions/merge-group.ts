import { z } from "zod";
import { readMergeGroup } from "../../src/github/merge-group.ts";
import { readSnapshot } from "../../src/github/snapshot.ts";
import { type CheckWrite, sendTransitions, showsCheck } from "../../src/github/transition.ts";
import { type GroupMember, groupChecks } from "../merge-groups.ts";
import { takeIn } from "../reconcile/take-in.ts";
import { type EffectContext, handler, type Performed } from "./handler.ts";
import { isUnsettled } from "./late.ts";

/** A merge queue gives up on a group after an hour, if its settings do not say otherwise. */
const LONGEST_WAIT = 60 * 60_000;
/** A group that the queue does not hold after this has been merged, or is gone. */
const LONGEST_ABSENCE = 5 * 60_000;

/**
 * Shows on a merge group's commit whether its pull requests have come to each stage, so that a merge queue can require
 * the check runs that the pull requests had.
 */
export const mergeGroup = handler({
  kind: "merge_group",
  schema: z.object({ headSha: z.string(), branch: z.string(), at: z.number() }),
  perform: async ({ headSha, branch, at }, context) => {
    const { client, store, repository, appId, effect, signal, now, timings } = context;
    const group = await readMergeGroup(client, repository, { headSha, branch }, appId, signal);
    if (group === null) {
      return { state: "refused", reason: "GitHub does not show the repository" };
    }
    if (group.pulls === null) {
      const own = await store.pull({ repositoryId: repository.id, number: effect.number });
      if (own?.facts.state !== "open" || now() - at > LONGEST_ABSENCE) {
        return { state: "dropped", reason: "the merge group has been merged, or is gone" };
      }
      // GitHub's copies may be behind. What else would be merged is not known, so its own pull request is not enough.
      return { state: "again", at: now() + timings.lookPause, reason: "the merge queue does not show the merge group" };
    }
    const members: GroupMember[] = [];
    for (const number of group.pulls) {
      const member = await memberOf(number, context);
      if (typeof member === "string") {
        return now() - at > LONGEST_WAIT
          ? { state: "refused", reason: `the merge group waited too long: ${member}` }
          : { state: "again", at: now() + timings.lookPause, reason: member };
      }
      if (member.evaluation.inactive !== "closed") {
        members.push(member);
      } else if (number === effect.number) {
        return { state: "dropped", reason: "the merge group has been merged, or is gone" };
      }
    }
    return await show(members, group, headSha, context);
  },
});

/** A reason to wait in place of the member. One that is closed by now was merged before this group, or left it. */
async function memberOf(number: number, context: EffectContext): Promise<GroupMember | string> {
  const { store, repository, client, appId, signal, now, timings } = context;
  const row = await store.pull({ repositoryId: repository.id, number });
  if (row === null) {
    const askedAt = now();
    const snapshot = await readSnapshot(client, repository, number, appId, signal);
    if (snapshot !== null) {
      await takeIn({ store, appId, now, settled: timings.settled }, { snapshot, repository, askedAt });
      context.look();
    }
    return `#${number} is being looked at for the first time`;
  }
  if (row.evaluation === null || isUnsettled(row, now())) {
    return `something new about #${number} is being looked at`;
  }
  return { number, evaluation: row.evaluation };
}

async function show(
  members: readonly GroupMember[],
  group: NonNullable<Awaited<ReturnType<typeof readMergeGroup>>>,
  headSha: string,
  { effect, write, signal }: EffectContext,
): Promise<Performed> {
  const shows = groupChecks(members);
  const missing = shows.filter(
    (each) => !showsCheck(group.checks.find((check) => check.name === each.name) ?? null, each),
  );
  const checks = missing.map((each): CheckWrite => {
    const known = group.checks.find((check) => check.name === each.name);
    const externalId = `stagewright:group:${headSha}:${each.name}`;
    return known === undefined
      ? { kind: "create", show: each, externalId }
      : { kind: "update", nodeId: known.nodeId, show: each, externalId };
  });
  if (checks.length > 0) {
    const transition = {
      pullNodeId: "",
      repositoryNodeId: group.repositoryNodeId,
      headSha,
      removeLabelIds: [],
      addLabelIds: [],
      checks,
      detailsUrl: null,
    };
    const [written] = await write((client) => sendTransitions(client, [transition], signal));
    const [error] = written?.errors ?? [];
    if (written === undefined || written.checks.some((check) => check === null)) {
      throw new Error(`The merge group's check runs could not be written: ${error?.message ?? "no reason given"}`);
    }
  }
  const failed = shows.filter((each) => each.conclusion !== "success");
  const verdict = failed.length === 0 ? "may be merged" : `may not be merged: ${failed.at(0)?.title ?? ""}`;
  return { state: "done", result: { headSha }, note: `the merge group of #${effect.number} ${verdict}` };
}

import { z } from "zod";
import { readMergeGroup } from "../../../src/github/checks/merge-group.ts";
import { type CheckShow, type CheckWrite, sendTransitions, showsCheck } from "../../../src/github/pulls/transition.ts";
import type { EffectContext, EffectHandler, Performed } from "../../effects/handler.ts";
import { isUnsettled } from "../../effects/staleness.ts";
import { ensurePull } from "../../reconciliation/ensure-pull.ts";
import { type GroupMember, groupChecks, heldGroupChecks, isHeldItself } from "./merge-groups.ts";
import { concernsGroups } from "./reopen.ts";

/** A merge queue gives up on a group after an hour, if its settings do not say otherwise. */
const LONGEST_WAIT = 60 * 60_000;
/** The most that a queue's settings let its checks take: GitHub has given up a group that was on hold for longer. */
const LONGEST_HOLD = 6 * 60 * 60_000;
/** Nobody waits for the answer: taking the hold off wakes it. */
const HOLD_PAUSE = 5 * 60_000;
/** A group that the queue does not hold after this has been merged, or is gone. */
const LONGEST_ABSENCE = 5 * 60_000;

type Group = NonNullable<Awaited<ReturnType<typeof readMergeGroup>>>;

/** Kept of a group that was shown: as long as the queue may hold it, what its pull requests lose closes it again. */
const shownBefore = z.object({ headSha: z.string(), open: z.literal(true) });

/**
 * Shows on a merge group's commit whether its pull requests have come to each stage, so that a merge queue can require
 * the check runs that the pull requests had.
 */
export const mergeGroup: EffectHandler<"merge_group"> = async ({ headSha, branch, at }, context) => {
  const { client, store, repository, appId, effect, signal, now, timings } = context;
  const group = await readMergeGroup(client, repository, { headSha, branch }, appId, signal);
  if (group === null) {
    return { state: "refused", reason: "GitHub does not show the repository" };
  }
  if (group.pulls === null) {
    if (shownBefore.safeParse(effect.result).success) {
      return gone(headSha);
    }
    const own = await store.pull({ repositoryId: repository.id, number: effect.number });
    if (own?.facts.state !== "open" || now() - at > LONGEST_ABSENCE) {
      return { state: "dropped", reason: "the merge group has been merged, or is gone" };
    }
    // GitHub's copies may be behind. What else would be merged is not known, so its own pull request is not enough.
    return {
      state: "again",
      at: now() + timings.reevaluationPause,
      reason: "the merge queue does not show the merge group",
    };
  }
  const hold = await store.holds.of(repository.id);
  if (hold !== null) {
    const known = await knownMembers(group.pulls, context);
    await write(heldGroupChecks(known, hold), group, headSha, context);
    if ((await store.holds.of(repository.id)) === null) {
      return { state: "again", at: now(), reason: "the repository was taken off hold" };
    }
    return now() - at > LONGEST_HOLD
      ? { state: "refused", reason: "the merge group waited too long: the repository is on hold" }
      : { state: "again", at: now() + HOLD_PAUSE, reason: "the repository is on hold" };
  }
  const members: GroupMember[] = [];
  for (const number of group.pulls) {
    const member = await memberOf(number, context);
    if (typeof member === "string") {
      return now() - at > LONGEST_WAIT
        ? { state: "refused", reason: `the merge group waited too long: ${member}` }
        : { state: "again", at: now() + timings.reevaluationPause, reason: member };
    }
    if (member.evaluation.inactive !== "closed") {
      members.push(member);
    } else if (number === effect.number) {
      return shownBefore.safeParse(effect.result).success
        ? gone(headSha)
        : { state: "dropped", reason: "the merge group has been merged, or is gone" };
    }
  }
  return await show(members, group, headSha, context);
};

function gone(headSha: string): Performed {
  return { state: "done", result: { headSha, open: false }, note: null };
}

/** As they were evaluated last: a hold waits for nothing. */
async function knownMembers(
  numbers: readonly number[],
  { store, repository }: EffectContext,
): Promise<readonly GroupMember[]> {
  const members: GroupMember[] = [];
  for (const number of numbers) {
    const row = await store.pull({ repositoryId: repository.id, number });
    if (row !== null && row.evaluation !== null) {
      members.push({ number, evaluation: row.evaluation });
    }
  }
  return members;
}

/** A reason to wait in place of the member. One that is closed by now was merged before this group, or left it. */
async function memberOf(number: number, context: EffectContext): Promise<GroupMember | string> {
  const { store, repository, now } = context;
  const row = await store.pull({ repositoryId: repository.id, number });
  if (row === null) {
    await ensurePull(context, repository, number);
    return `#${number} is evaluated for the first time`;
  }
  const { evaluation } = row;
  // One that is on hold is kept out, whether its own check runs say so by now or not.
  const held = evaluation !== null && isHeldItself({ evaluation }) && !isUnsettled({ ...row, intentAt: null }, now());
  if (evaluation === null || (isUnsettled(row, now()) && !held)) {
    return `something new about #${number} is being evaluated`;
  }
  return { number, evaluation };
}

async function show(
  members: readonly GroupMember[],
  group: Group,
  headSha: string,
  context: EffectContext,
): Promise<Performed> {
  const { effect, now } = context;
  const shows = groupChecks(members);
  const wrote = await write(shows, group, headSha, context);
  if (!(await stillSo(members, context))) {
    return { state: "again", at: now(), reason: "something new about its pull requests was heard meanwhile" };
  }
  const failed = shows.filter((each) => each.conclusion !== "success");
  const verdict = failed.length === 0 ? "may be merged" : `may not be merged: ${failed.at(0)?.title ?? ""}`;
  const again = shownBefore.safeParse(effect.result).success && !wrote;
  const note = again ? null : `the merge group of #${effect.number} ${verdict}`;
  return { state: "done", result: { headSha, open: true }, note };
}

/** Writing waits for its turn, and whoever reopens groups that were shown finds only those that ended. */
async function stillSo(members: readonly GroupMember[], { store, repository }: EffectContext): Promise<boolean> {
  for (const { number, evaluation } of members) {
    const row = await store.pull({ repositoryId: repository.id, number });
    if (concernsGroups(evaluation, row?.evaluation ?? null)) {
      return false;
    }
  }
  return (await store.holds.of(repository.id)) === null;
}

/** What is different. Resolves with whether anything was. */
async function write(
  shows: readonly CheckShow[],
  group: Group,
  headSha: string,
  { write: send, signal }: EffectContext,
): Promise<boolean> {
  const missing = shows.filter(
    (each) => !showsCheck(group.checks.find((check) => check.name === each.name) ?? null, each),
  );
  const checks = missing.map((each): CheckWrite => {
    const known = group.checks.find((check) => check.name === each.name);
    const externalId = `stagewright:group:${headSha}:${each.name}`;
    // A completed check run is not opened again: a new one of the same name takes its place.
    return known === undefined || (known.status === "completed" && each.status !== "completed")
      ? { kind: "create", show: each, externalId }
      : { kind: "update", nodeId: known.nodeId, show: each, externalId };
  });
  if (checks.length === 0) {
    return false;
  }
  const transition = {
    pullNodeId: "",
    repositoryNodeId: group.repositoryNodeId,
    headSha,
    removeLabelIds: [],
    addLabelIds: [],
    checks,
    detailsUrl: null,
  };
  const [written] = await send((client) => sendTransitions(client, [transition], signal));
  const [error] = written?.errors ?? [];
  if (written === undefined || written.checks.some((check) => check === null)) {
    throw new Error(`The merge group's check runs could not be written: ${error?.message ?? "no reason given"}`);
  }
  return true;
}

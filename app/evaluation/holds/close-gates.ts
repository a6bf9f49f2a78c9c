/** What a hold of the whole repository sets off: its open gates are closed, those of what is about to merge first. */

import type { Logger } from "pino";
import type { GitHubClient } from "../../../src/github/port.ts";
import { readAboutToMerge } from "../../../src/github/pulls/about-to-merge.ts";
import type { Policy } from "../../../src/lifecycle/policy/policy.ts";
import { changePull } from "../../store/change-pull.ts";
import type { Pull, Repository, Store } from "../../store/model.ts";
import { notLost } from "../../work/failure.ts";
import { openGates } from "./open-gates.ts";

export interface CloseGatesOptions {
  readonly store: Store;
  readonly client: () => Promise<GitHubClient>;
  readonly repository: Repository;
  readonly policy: Policy;
  readonly now: () => number;
  readonly log: Logger;
}

/** A pull request, and how many of its gates were open. */
export type OpenGates = readonly [number: number, gates: number];

const PAGE = 200;
/** What is about to merge is asked of so many: the question must not take longer than writing what it puts first. */
const MOST_ASKED = 500;
/** Gates are closed without the answer rather than later. */
const ANSWER_WITHIN = 3_000;
/** Before everything that is due by a date: first what is about to merge, then all others. */
const FIRST = 0;
const SECOND = 1;

/**
 * The hold is in force already. Asks for the pull requests whose gates are open to be evaluated before everything else.
 * Resolves with these.
 */
export async function closeGates(options: CloseGatesOptions): Promise<readonly OpenGates[]> {
  const { store, repository, policy, now } = options;
  const open: { readonly pull: Pull; readonly gates: number }[] = [];
  for (let after: Pull | undefined; ; ) {
    const rows = await store.pulls({ repositoryId: repository.id, open: true }, PAGE, after);
    for (const pull of rows) {
      const gates = openGates(pull, policy);
      if (gates > 0) {
        open.push({ pull, gates });
      }
    }
    after = rows.at(-1);
    if (rows.length < PAGE) {
      break;
    }
  }
  const merging = await aboutToMerge(
    open.map(({ pull }) => pull),
    options,
  );
  for (const { pull } of open) {
    const reevaluateAt = merging.has(pull.facts.nodeId) ? FIRST : SECOND;
    await changePull(store, pull, now, (row) =>
      row === null ? null : { pull: { ...row, reevaluateAt, reevaluationTries: 0 } },
    );
  }
  return open.map(({ pull, gates }) => [pull.number, gates]);
}

/** Node ids; none where GitHub does not answer in time: the order is a help, closing is what counts. */
async function aboutToMerge(
  pulls: readonly Pull[],
  { client, repository, log }: CloseGatesOptions,
): Promise<ReadonlySet<string>> {
  if (pulls.length < 2) {
    return new Set();
  }
  const ids = pulls.slice(0, MOST_ASKED).map(({ facts }) => facts.nodeId);
  try {
    return new Set(await readAboutToMerge(await client(), ids, AbortSignal.timeout(ANSWER_WITHIN)));
  } catch (error) {
    notLost(error);
    const names = { repository: `${repository.owner}/${repository.name}` };
    log.warn({ ...names, err: error }, "what is about to merge could not be asked: gates are closed in any order");
    return new Set();
  }
}

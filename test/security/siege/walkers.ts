/** The normal load: people who bring pull requests from the first stage to the last, and wait for each label. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  addLabelsByName,
  asUser,
  closePull,
  commitFiles,
  labelsOn,
  openPull,
  type PullRequest,
  type Repository,
  submitReview,
} from "../../../src/sandbox/world/index.ts";
import type { Town } from "./town.ts";

export interface Walked {
  /** From what somebody did until GitHub shows the stage, milliseconds. */
  readonly times: number[];
  /** What never came, with what was waited for. */
  readonly lost: string[];
}

/** A webhook that did not arrive is found in GitHub's own list within five minutes; what takes longer than this is lost. */
const PATIENCE_MS = 8 * 60_000;
const LOOK_EVERY_MS = 20;

/** So many people walk until the signal; what they began they end. */
export async function walk(town: Town, people: number, until: AbortSignal): Promise<Walked> {
  const walked: Walked = { times: [], lost: [] };
  const walkers = Array.from({ length: people }, async (_, index) => {
    const repository = town.repositories[index % town.repositories.length];
    for (let round = 0; repository !== undefined && !until.aborted; round += 1) {
      await oneWay(town, repository, `walk-${index}-${round}`, walked);
      await sleep(500 + 100 * index);
    }
  });
  await Promise.all(walkers);
  return walked;
}

async function oneWay(town: Town, repository: Repository, head: string, walked: Walked): Promise<void> {
  const { sandbox, people } = town;
  const { world } = sandbox;
  commitFiles(world, asUser(people.rex), repository, {
    branch: head,
    message: "Add",
    files: { [`${head}.txt`]: "gadget\n" },
  });
  const pull = openPull(world, asUser(people.rex), repository, { title: "Add", head, base: "main" });
  const acts: readonly (readonly [string, () => void])[] = [
    ["stage/pr-created", () => undefined],
    ["stage/ready-for-qa", () => addLabelsByName(world, asUser(people.cleo), pull, ["ready-for-qa"])],
    ["stage/approved", () => submitReview(world, asUser(people.tess), pull, { state: "APPROVED", body: "yes" })],
  ];
  for (const [label, act] of acts) {
    const began = performance.now();
    act();
    if (!(await shows(town, pull, label))) {
      walked.lost.push(`${repository.name}#${pull.number}: ${label}`);
      break;
    }
    walked.times.push(performance.now() - began);
    // GitHub's dates are of whole seconds; people are slower than that.
    await sleep(1_100);
  }
  closePull(world, asUser(people.rex), pull);
}

async function shows(town: Town, pull: PullRequest, label: string): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const stages = labelsOn(town.sandbox.world, pull).filter(({ name }) => name.startsWith("stage/"));
    if (stages.length === 1 && stages[0]?.name === label) {
      return true;
    }
    await sleep(LOOK_EVERY_MS);
  }
  return false;
}

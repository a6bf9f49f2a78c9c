/** A thousand moves at once: of one installation, and of fifty of which one does not answer. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  addLabelsByName,
  addOrganization,
  addRepository,
  asUser,
  commitFiles,
  install,
  openPull,
  type PullRequest,
  setCollaborator,
} from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../app/house.ts";
import type { Bench } from "./bench.ts";
import { counted } from "./counted.ts";

const MOVES = 1_000;
const INSTALLATIONS = 50;
/** GitHub asks for a second between writes. */
const PACE_MS = 1_000;
/** Longer than the app waits for an answer. */
const HANGS_MS = 20_000;
const PATIENCE_MS = 600_000;

export const bench: Bench = {
  what: `${MOVES} pull requests become ready at once (some minutes: it is paced)`,
  async *run() {
    yield await moved(1);
    yield await moved(INSTALLATIONS);
    yield await moved(INSTALLATIONS, true);
  },
};

async function moved(installations: number, oneHangs = false): Promise<string> {
  const counts = counted();
  const house = await openHouse({ timings: { writeInterval: PACE_MS }, store: counts.store });
  try {
    const pulls: PullRequest[] = [];
    for (let n = 0; n < installations; n += 1) {
      pulls.push(...open(house, n, MOVES / installations, oneHangs && n === installations - 1));
    }
    const watched = oneHangs ? pulls.slice(0, -MOVES / installations) : pulls;
    await until(house, watched, "pr-created");
    await heard(house);
    house.later();
    counts.calls();
    counts.evaluations();
    const started = performance.now();
    for (const each of pulls) addLabelsByName(house.sandbox.world, asUser(house.cleo), each, ["ready-for-qa"]);
    await until(house, watched, "ready-for-qa");
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    await heard(house);
    const calls = counts.calls();
    const all = [...calls.values()].reduce((sum, each) => sum + each, 0);
    const stored = calls.get("acceptDeliveries") ?? 0;
    const each = (sum: number): string => (sum / watched.length).toFixed(1);
    const where = `${installations === 1 ? "one installation" : `${installations} installations`}${oneHangs ? ", of which one hangs" : ""}`;
    return `${where}: ${watched.length} moves in ${seconds} s, ${each(counts.evaluations())} evaluations each (aim 2), ${each(all - stored)} store calls (aim 20) besides ${each(stored)} to store webhooks`;
  } finally {
    counts.close();
    house.sandbox.faults.clear();
    await house.close();
  }
}

/** A repository with so many pull requests in an installation of its own; the first one's is the house's. */
function open(house: House, index: number, count: number, hangs: boolean): PullRequest[] {
  if (index === 0) return Array.from({ length: count }, (_, n) => house.open({ branch: `bench-${n}` }));
  const { world, faults } = house.sandbox;
  const owner = addOrganization(world, `acme-${index}`);
  const by = asUser(owner);
  const repository = addRepository(world, by, { owner, name: "widget", files: { "README.md": "# widget\n" } });
  for (const person of [house.rex, house.cleo]) setCollaborator(world, by, repository, person, "write");
  const { id } = install(world, by, { app: house.registered, account: owner, repositories: [repository] });
  // No token, and so nothing at all of it.
  const route = `/app/installations/${id}/access_tokens`;
  if (hangs) faults.place({ kind: "delay", match: { route }, times: 1_000_000, ms: HANGS_MS });
  const rex = asUser(house.rex);
  return Array.from({ length: count }, (_, n) => {
    const head = `bench-${n}`;
    commitFiles(world, rex, repository, { branch: head, message: "Add", files: { [`${head}.txt`]: "gadget\n" } });
    return openPull(world, rex, repository, { title: "Add a gadget", head, base: "main", draft: false });
  });
}

/** All webhooks are stored and handled: what hangs is not waited for. */
async function heard(house: House): Promise<void> {
  await house.sandbox.webhooks.idle();
  await house.app.engine().inbox.idle();
}

async function until(house: House, pulls: readonly PullRequest[], stage: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const left = pulls.filter((each) => house.stageLabels(each).join() !== `stage/${stage}`).length;
    if (left === 0) return;
    if (performance.now() > deadline) throw new Error(`${left} of ${pulls.length} never came to ${stage}`);
    await sleep(50);
  }
}

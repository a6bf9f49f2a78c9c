/** What an event costs on a pull request on which much has happened, against one on which little has. */
import { changePull } from "../../app/store/change-pull.ts";
import { evaluate } from "../../src/lifecycle/evaluation/evaluate.ts";
import { type ActWithoutId, act } from "../../src/lifecycle/facts/change.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import { readPolicy } from "../../src/lifecycle/policy/read-policy.ts";
import { addComment, asUser, type PullRequest } from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../app/house.ts";
import { did, history, OUR_APP_ID, opened, permissions, pull } from "../lifecycle/builders.ts";
import { readExample } from "../lifecycle/policies.ts";
import { type Bench, median, milliseconds, percentile } from "./bench.ts";
import { STORIES } from "./histories.ts";

const [FEW, MANY] = [20, 1_999] as const;
const ROUNDS = 5;
const EVENTS = 20;
const FILES = 3_000;
const STAGES = 30;

export const bench: Bench = {
  what: `a pull request with ${MANY} acts against one with ${FEW}: its evaluation, and events of the whole app (CPU time, medians of ${ROUNDS} interleaved rounds)`,
  async *run() {
    const policy = readExample("three-bots");
    for (const [name, story] of Object.entries(STORIES)) {
      const [few, many] = [FEW, MANY].map((acts) => history(opened(), did(...story(acts))));
      const time = (facts: typeof few): number => {
        const started = process.cpuUsage();
        if (facts !== undefined) evaluate({ facts, policy, permissions, ourAppId: OUR_APP_ID });
        return cpuSince(started);
      };
      time(few);
      time(many);
      const rounds = Array.from({ length: ROUNDS }, () => [time(few), time(many)] as const);
      yield `${name}: ${figures(rounds)}`;
    }
    yield `${STAGES} stages with globs of their own, ${FILES} files: ${manyFiles()}`;
    for (const name of ["talk", "all of it"]) yield `events of the app, ${name}: ${await events(name)}`;
  },
};

/** Milliseconds of this process's CPU: others may keep the machine busy. */
function cpuSince(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1_000;
}

function figures(rounds: readonly (readonly [number, number])[]): string {
  const of = (which: 0 | 1): string => {
    const values = rounds.map((round) => round[which]);
    return `${milliseconds(median(values))} (${milliseconds(percentile(values, 0))} to ${milliseconds(percentile(values, 100))})`;
  };
  return `${FEW} acts ${of(0)} | ${MANY} acts ${of(1)} | ratio ${median(rounds.map(([few, many]) => many / few)).toFixed(1)}`;
}

function manyFiles(): string {
  const stages = Array.from(
    { length: STAGES },
    (_, n) =>
      `  - { name: s${n}, enter: { not: { paths: ["other-${n}/**", "docs/**/${n}.md", "**/special-${n}.*"] } } }\n`,
  );
  const { policy } = readPolicy(`stages:\n${stages.join("")}`);
  if (policy === null) throw new Error("the policy of the bench is wrong");
  const times = Array.from({ length: ROUNDS }, (_, round) => {
    const files = Array.from(
      { length: FILES - 1 },
      (_, n) => `packages/area-${n % 40}/src/module-${n}/${round}-${n}.ts`,
    );
    const facts = history(opened(), { pull, kind: "files", sha: "aaaaaaa1", baseRef: "main", files });
    const started = process.cpuUsage();
    evaluate({ facts, policy, permissions, ourAppId: OUR_APP_ID });
    return cpuSince(started);
  });
  return `${milliseconds(median(times))} (${milliseconds(percentile(times, 0))} to ${milliseconds(percentile(times, 100))})`;
}

const POLICY = `operators: [tess]
stages:
  - { name: pr-created, enter: { draft: false } }
  - name: ready-for-qa
    enter: { label: { name: ready-for-qa, by: [cleo] } }
    back: { when: { any: [changes_requested, { workflow: qa.yml, result: failure }] }, to: pr-created }
  - { name: approved, enter: { approvals: 1, workflow: qa.yml } }
`;

/** Words for other bots, one after another, on both in turn: each is recorded, and the pull request evaluated anew. */
async function events(name: string): Promise<string> {
  const house = await openHouse({ files: { ".github/stagewright.yml": POLICY } });
  try {
    const { world } = house.sandbox;
    const pulls = [FEW, MANY].map((acts) => ({ acts, pull: house.open({ branch: `with-${acts}` }) }));
    await house.settled();
    house.later();
    for (const { acts, pull } of pulls) await fill(house, pull, STORIES[name]?.(acts) ?? []);
    const [few, many] = pulls.map(({ pull }) => pull);
    if (few === undefined || many === undefined) throw new Error("there are two pull requests");
    const time = async (pull: PullRequest, round: number): Promise<number> => {
      const started = process.cpuUsage();
      for (let n = 0; n < EVENTS; n += 1) {
        addComment(world, asUser(house.rex), pull, `/word-${round}-${n}`);
        await house.settled();
      }
      return cpuSince(started) / EVENTS;
    };
    const rounds: (readonly [number, number])[] = [];
    for (let round = -1; round < ROUNDS; round += 1) {
      const pair = [await time(few, round), await time(many, round)] as const;
      if (round >= 0) rounds.push(pair);
    }
    return `${figures(rounds)} an event (aim ≤ 3)`;
  } finally {
    await house.close();
  }
}

/** As if all of it had been heard: by the house's people, and on the commit that GitHub has. */
async function fill(house: House, pull: PullRequest, story: readonly ActWithoutId[]): Promise<void> {
  const known = { rex: house.rex, cleo: house.cleo, outsider: house.mallory };
  const acts = story
    .filter(({ kind }) => kind !== "pushed")
    .map((each) => {
      const login = each.by.login.replace("[bot]", "");
      const account = Object.entries(known).find(([one]) => one === login)?.[1] ?? house.tess;
      const by = { kind: "user" as const, id: account.id, login: account.login };
      return act({ ...each, by, ...("sha" in each ? { sha: pull.head.sha } : {}) });
    });
  const id = { repositoryId: house.repository.id, number: pull.number };
  await changePull(house.store, id, Date.now, (row) => {
    if (row === null) return null;
    const key = { installationId: row.facts.installationId, repository: row.facts.repository, number: pull.number };
    return { pull: { ...row, facts: record(row.facts, { pull: key, kind: "acts", acts }) } };
  });
}

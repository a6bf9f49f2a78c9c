/** What a contributor does to pull requests that costs the app work: proposed policies, comments, names, forged QA. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  addComment,
  addLabelsByName,
  asUser,
  closePull,
  commitFiles,
  editPull,
  openPull,
} from "../../../src/sandbox/world/index.ts";
import type { Town } from "./town.ts";

const LARGE = 60_000;
/** So many stay open: the app reads a proposed policy some seconds after it has first shown the pull request's stage. */
const OPEN = 12;
const PAUSE_MS = 1_500;

/** Proposed policies that are slow to read, or should be. */
const POLICIES: readonly string[] = [
  policyWith(`{{${" ".repeat(LARGE)}`),
  policyWith("{{ ".repeat(LARGE / 3)),
  `version: 1\nstages: ${"[".repeat(2_000)}\n`,
  `version: 1\na: &a [x]\n${Array.from({ length: 200 }, (_, n) => `b${n}: [*a, *a, *a, *a]`).join("\n")}\n`,
  `version: 1\nstages:\n${Array.from({ length: 5_000 }, (_, n) => `  - { name: s${n} }`).join("\n")}\n`,
  `version: 1\nstages: [{ name: a, enter: { base: "${"*".repeat(LARGE)}" } }]\n`,
];

const COMMENTS: readonly string[] = [
  `/stage hold ${"`".repeat(LARGE)}`,
  `/stage to ${"[".repeat(LARGE)}`,
  `${"\r".repeat(LARGE)}/stage status`,
  "/stage status\n".repeat(4_000),
  `<!-- stagewright:${"-".repeat(LARGE)}`,
];

function policyWith(text: string): string {
  return `version: 1\nstages: [{ name: a, enter: { draft: false }, on_enter: [{ comment: ${JSON.stringify(text)} }] }]\n`;
}

/** Until the signal, in one of acme's repositories and in the attackers' own; how many acts there were. */
export async function harass({ sandbox, people, repositories, hostile }: Town, until: AbortSignal): Promise<number> {
  const { world } = sandbox;
  const places = [
    { repository: repositories[0] ?? hostile, who: people.rex },
    { repository: hostile, who: people.mallory },
  ];
  const open: (() => void)[] = [];
  let acts = 0;
  for (let round = 0; !until.aborted; round += 1) {
    for (const { repository, who } of places) {
      const head = `hostile-${round}`;
      commitFiles(world, asUser(who), repository, {
        branch: head,
        message: "x",
        files: {
          ".github/stagewright.yml": POLICIES[round % POLICIES.length] ?? "",
          ".github/workflows/qa.yml": "on: pull_request\njobs: { qa: { runs-on: x, steps: [{ run: exit 0 }] } }\n",
        },
      });
      const pull = openPull(world, asUser(who), repository, { title: "[".repeat(250), head, base: "main" });
      addComment(world, asUser(people.mallory), pull, COMMENTS[round % COMMENTS.length] ?? "x");
      addLabelsByName(world, asUser(who), pull, [`stage/${"x".repeat(40)}`]);
      editPull(world, asUser(who), pull, { body: "- [ ] ".repeat(10_000) });
      acts += 5;
      open.push(() => closePull(world, asUser(who), pull));
      if (open.length > OPEN) {
        open.shift()?.();
      }
      await sleep(PAUSE_MS, undefined, { signal: until }).catch(() => undefined);
    }
  }
  return acts;
}

/** Policies that stories go by. */
import { basename } from "node:path";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { BOT_POLICY } from "./bots.ts";
import { GATED_POLICIES, policyOf } from "./rules.ts";
import { CI_PATH } from "./runs.ts";
import type { StoryOptions } from "./story.ts";

export const TEAM_POLICY = `version: 1
operators: [cleo]
stages:
  - name: pr-created
    owner: rex
    enter: { draft: false }
  - name: ready-for-qa
    owner: tess
    enter: { label: { name: ready-for-qa, by: [cleo] }, checks: [build] }
    on_enter: [{ comment: "Over to {{owner}}" }]
    back: { when: changes_requested, to: pr-created }
    on_back: [{ comment: "Back from {{owner}}: {{reason}}" }]
  - name: approved
    gate: true
    enter: { approvals: { count: 1, by: [tess] } }
    on_enter: [{ comment: "Done" }]
on_push: { back_to: pr-created }
max_rounds: 3
`;

/** Asks for a workflow's result, which pull requests also forge. */
const RUNS_POLICY = TEAM_POLICY.replace(
  "{ approvals: { count: 1, by: [tess] } }",
  `{ workflow: ${basename(CI_PATH)} }`,
);

/** Asks for members of teams. */
const PEOPLE_POLICY = TEAM_POLICY.replace("by: [cleo] }, checks: [build] }", 'by: ["@acme/quality"] } }').replace(
  "by: [tess]",
  'by: ["@acme/testing"]',
);

export const POLICIES = {
  default: [],
  team: [TEAM_POLICY],
  bots: [BOT_POLICY],
  runs: [RUNS_POLICY],
  people: [PEOPLE_POLICY],
  gated: GATED_POLICIES,
} as const;
export type PolicyName = keyof typeof POLICIES;

/** Whose word may lead on: several, where people's rights matter. */
export const GIVERS: Partial<Record<PolicyName, Pick<StoryOptions, "labelers" | "approvers">>> = {
  default: { labelers: ["cleo", "rex"] },
  people: { labelers: ["cleo", "rex", "rex"], approvers: ["tess", "mallory"] },
};

/** Of so many seeds one is about runs, one about gates that come and go, and one about people who do. */
const EACH_EVERY = 5;
const SPECIAL: Readonly<Record<number, PolicyName>> = { 0: "runs", 1: "gated", 2: "people" };

/** What a story with this seed is about; `other`: where it is about nothing of its own. */
export function chosenPolicy(seed: number, other: PolicyName): PolicyName {
  return SPECIAL[seed % EACH_EVERY] ?? other;
}

export function teamPolicy(): Policy {
  return policyOf(TEAM_POLICY);
}

/** Policies that tests share, as files would say them. */

import type { Facts } from "../../src/lifecycle/facts/facts.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import { readPolicy } from "../../src/lifecycle/policy/read-policy.ts";
import { evaluationOf } from "./builders.ts";

export const THREE_BOTS = `version: 1
task_id: { label: "task-*", branch: "task-*", title: "task-*" }
operators: ["@org/leads"]
stages:
  - name: pr-created
    owner: "rex[bot]"
    enter: { draft: false }
  - name: ready-for-qa
    owner: "tess[bot]"
    enter: { label: { name: ready-for-qa, by: ["cleo[bot]", "@org/quality"] }, checks: [build] }
    on_enter:
      - start: { workflow: qa.yml, inputs: { pr: "{{number}}" }, limit: 1 }
      - comment: "Task {{ticket}}: over to {{owner}}"
    back: { when: { any: [changes_requested, { workflow: qa.yml, result: failure }] }, to: pr-created }
    max_age: 24h
  - name: approved
    gate: true
    enter: { approvals: { count: 1, by: ["tess[bot]", "@org/testing"] }, workflow: qa.yml }
    on_enter: [{ auto_merge: squash }]
on_push: { back_to: pr-created, cancel: true, except: { by: ["cleo[bot]"] } }
max_rounds: 5
`;

const EXAMPLES = { "three-bots": THREE_BOTS } as const;

export function readExample(name: keyof typeof EXAMPLES): Policy {
  return policyOf(EXAMPLES[name]);
}

/** The policy of a file that must be right. */
export function policyOf(text: string): Policy {
  const { policy, problems } = readPolicy(text);
  if (policy === null) {
    throw new Error(JSON.stringify(problems));
  }
  return policy;
}

/** A policy whose one stage asks for this condition, as a policy file writes it. */
export function asking(condition: string): Policy {
  return policyOf(`stages: [{ name: only, enter: ${condition} }]`);
}

/** What comes of that condition. */
export function verdict(condition: string, facts: Facts) {
  const { stages, stage, lookups } = evaluationOf(facts, asking(condition));
  const result = stages[0]?.result;
  return {
    holds: stage === "only",
    reason: result?.reason ?? "",
    at: result?.at ?? null,
    evidence: result?.evidence ?? [],
    lookups,
  };
}

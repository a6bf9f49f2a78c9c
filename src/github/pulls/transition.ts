/**
 * The moves of several pull requests in one GraphQL request: labels and check runs are written and read back under
 * aliases of their own, and each pull request is judged by its own read-back.
 */

import { z } from "zod";
import { STAGE_LABEL_PREFIX } from "../../lifecycle/policy/policy.ts";
import { POLICY_PATH } from "../../lifecycle/policy/read-policy.ts";
import type { Button } from "../../lifecycle/presentation/buttons.ts";
import type { DesiredCheck } from "../../lifecycle/presentation/gate-checks.ts";
import { type GraphqlError, sendGraphql } from "../graphql.ts";
import type { GitHubClient } from "../port.ts";
import {
  CHECK_FIELDS,
  type CheckRead,
  checkFields,
  checkRead,
  type LabelSeen,
  PULL_FIELDS,
  type PullSeen,
  pullFields,
  pullSeen,
} from "./pull-fields.ts";

/** What a check run is to show. */
export type CheckShow = Pick<DesiredCheck, "name" | "status" | "title" | "summary" | "text"> & {
  readonly conclusion: DesiredCheck["conclusion"] | "action_required" | "failure";
  /** At most three. */
  readonly actions: readonly Button[];
};

export type CheckWrite = {
  readonly show: CheckShow;
  readonly externalId: string;
} & ({ readonly kind: "create" } | { readonly kind: "update"; readonly nodeId: string });

/** What is to be written for one pull request. */
export interface Transition {
  readonly pullNodeId: string;
  readonly repositoryNodeId: string;
  /** The commit that new check runs are attached to. */
  readonly headSha: string;
  readonly removeLabelIds: readonly string[];
  readonly addLabelIds: readonly string[];
  readonly checks: readonly CheckWrite[];
  readonly detailsUrl: string | null;
}

/** What GitHub answered for one pull request. */
export interface WriteAnswer {
  /** After the writes; null: no label was written, or its answer failed. */
  readonly pull: PullSeen | null;
  /** In the order of the transition's checks; null: not written. */
  readonly checks: readonly (CheckRead | null)[];
  /** Git's hash of the policy file on the head commit, null where there is none; undefined: nothing told of it. */
  readonly policyOid: string | null | undefined;
  readonly errors: readonly GraphqlError[];
}

/** How many mutations a transition is. */
export function mutationCount(transition: Transition): number {
  return (
    Math.min(1, transition.removeLabelIds.length) +
    Math.min(1, transition.addLabelIds.length) +
    transition.checks.length
  );
}

interface Mutation {
  readonly alias: string;
  readonly field: keyof typeof MUTATIONS;
  readonly input: Record<string, unknown>;
}

const LABELABLE = "labelable { ... on PullRequest { ...PullFields } }";
/** The policy file comes with what is written anyway: no pull request needs a request of its own to know of it. */
const CHECK_RUN = `checkRun { ...CheckFields checkSuite { commit { oid file(path: "${POLICY_PATH}") { type oid } } } }`;
const MUTATIONS = {
  removeLabelsFromLabelable: { input: "RemoveLabelsFromLabelableInput", read: LABELABLE },
  addLabelsToLabelable: { input: "AddLabelsToLabelableInput", read: LABELABLE },
  createCheckRun: { input: "CreateCheckRunInput", read: CHECK_RUN },
  updateCheckRun: { input: "UpdateCheckRunInput", read: CHECK_RUN },
} as const;

/** The request's text and variables. They run in order: within a pull request the new label comes after the old went. */
export function buildTransitions(transitions: readonly Transition[]): {
  readonly query: string;
  readonly variables: Record<string, unknown>;
} {
  const mutations = transitions.flatMap((transition, index) => mutationsOf(transition, `p${index}`));
  const declared = mutations.map(({ alias, field }) => `$${alias}: ${MUTATIONS[field].input}!`);
  const fields = mutations.map(
    ({ alias, field }) => `  ${alias}: ${field}(input: $${alias}) { ${MUTATIONS[field].read} }`,
  );
  const used = new Set(mutations.map(({ field }) => MUTATIONS[field].read));
  const fragments = [...(used.has(LABELABLE) ? [PULL_FIELDS] : []), ...(used.has(CHECK_RUN) ? [CHECK_FIELDS] : [])];
  return {
    query: [`mutation Transitions(${declared.join(", ")}) {`, ...fields, "}", ...fragments].join("\n"),
    variables: Object.fromEntries(mutations.map(({ alias, input }) => [alias, input])),
  };
}

/**
 * Sends all of them as one request. Resolves with one answer for each, in order; throws when there was no answer, and
 * then any of it may have been carried out.
 */
export async function sendTransitions(
  client: GitHubClient,
  transitions: readonly Transition[],
  signal: AbortSignal,
): Promise<readonly WriteAnswer[]> {
  const { query, variables } = buildTransitions(transitions);
  const answer = await sendGraphql(client, query, variables, signal);
  return transitions.map((transition, index) => {
    const alias = `p${index}`;
    const own = answer.errors.filter((each) => each.alias === null || each.alias.startsWith(`${alias}_`));
    return {
      // The later mutation's read-back shows what both left.
      pull: readPull(answer.data?.[`${alias}_add`]) ?? readPull(answer.data?.[`${alias}_remove`]),
      checks: transition.checks.map((_, check) => readCheck(answer.data?.[`${alias}_check${check}`])),
      policyOid: transition.checks
        .map((_, check) => readPolicyOid(answer.data?.[`${alias}_check${check}`], transition.headSha))
        .find((oid) => oid !== undefined),
      errors: own,
    };
  });
}

function mutationsOf(transition: Transition, alias: string): Mutation[] {
  const { pullNodeId: labelableId, repositoryNodeId: repositoryId, removeLabelIds, addLabelIds } = transition;
  const mutations: Mutation[] = [];
  if (removeLabelIds.length > 0) {
    const input = { labelableId, labelIds: removeLabelIds };
    mutations.push({ alias: `${alias}_remove`, field: "removeLabelsFromLabelable", input });
  }
  if (addLabelIds.length > 0) {
    mutations.push({
      alias: `${alias}_add`,
      field: "addLabelsToLabelable",
      input: { labelableId, labelIds: addLabelIds },
    });
  }
  for (const [index, check] of transition.checks.entries()) {
    const { show, externalId } = check;
    const shared = {
      repositoryId,
      name: show.name,
      externalId,
      status: show.status.toUpperCase(),
      ...(show.conclusion === null ? {} : { conclusion: show.conclusion.toUpperCase() }),
      output: { title: show.title, summary: show.summary, ...(show.text === "" ? {} : { text: show.text }) },
      actions: show.actions,
      ...(transition.detailsUrl === null ? {} : { detailsUrl: transition.detailsUrl }),
    };
    mutations.push(
      check.kind === "create"
        ? {
            alias: `${alias}_check${index}`,
            field: "createCheckRun",
            input: { ...shared, headSha: transition.headSha },
          }
        : { alias: `${alias}_check${index}`, field: "updateCheckRun", input: { ...shared, checkRunId: check.nodeId } },
    );
  }
  return mutations;
}

const labelPayload = z.object({ labelable: pullFields });
const checkPayload = z.object({ checkRun: checkFields });

function readPull(payload: unknown): PullSeen | null {
  const parsed = labelPayload.safeParse(payload);
  return parsed.success ? pullSeen(parsed.data.labelable) : null;
}

function readCheck(payload: unknown): CheckRead | null {
  const parsed = checkPayload.safeParse(payload);
  return parsed.success ? checkRead(parsed.data.checkRun) : null;
}

const policyPayload = z.object({
  checkRun: z.object({
    checkSuite: z.object({
      commit: z.object({ oid: z.string(), file: z.object({ type: z.string(), oid: z.string() }).nullable() }),
    }),
  }),
});

/** Undefined: it is another commit's check run, or GitHub did not say. */
function readPolicyOid(payload: unknown, headSha: string): string | null | undefined {
  const parsed = policyPayload.safeParse(payload);
  if (!parsed.success || parsed.data.checkRun.checkSuite.commit.oid !== headSha) {
    return undefined;
  }
  const { file } = parsed.data.checkRun.checkSuite.commit;
  return file?.type === "blob" ? file.oid : null;
}

export type LabelVerification = { readonly right: true } | { readonly right: false; readonly reason: string };

/** Whether these labels are right: exactly one stage label, the wanted one (null: none), and those to go are gone. */
export function verifyLabels(
  labels: readonly LabelSeen[],
  wanted: string | null,
  gone: readonly string[],
): LabelVerification {
  const names = labels.map((each) => each.name);
  const stages = names.filter((name) => name.toLowerCase().startsWith(STAGE_LABEL_PREFIX));
  const left = names.filter((name) => gone.some((each) => each.toLowerCase() === name.toLowerCase()));
  if (wanted !== null && !stages.some((name) => name.toLowerCase() === wanted.toLowerCase())) {
    return { right: false, reason: `the label ${wanted} is missing` };
  }
  const others = stages.filter((name) => name.toLowerCase() !== wanted?.toLowerCase());
  if (others.length > 0) {
    return { right: false, reason: `it also has the label ${others.join(", ")}` };
  }
  return left.length > 0 ? { right: false, reason: `it still has the label ${left.join(", ")}` } : { right: true };
}

/** Whether a check run shows what it is to show. Texts are GitHub's to shorten: status, conclusion and title count. */
export function showsCheck(read: CheckRead | null, show: CheckShow): boolean {
  return (
    read !== null &&
    read.name === show.name &&
    read.status === show.status &&
    read.conclusion === show.conclusion &&
    read.title === show.title
  );
}

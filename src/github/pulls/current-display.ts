/** What GitHub shows of pull requests now: read before anything is written again. */
import { z } from "zod";
import { isStageCheck } from "../../lifecycle/policy/policy-check.ts";
import { GraphqlUnread, isUnread, sendGraphql } from "../graphql.ts";
import type { GitHubClient } from "../port.ts";
import {
  CHECK_FIELDS,
  type CheckRead,
  checkFields,
  checkRead,
  PULL_FIELDS,
  type PullSeen,
  pullFields,
  pullSeen,
} from "./pull-fields.ts";

export interface CurrentDisplay {
  readonly pull: PullSeen;
  /** Our newest check run of each name on the head commit. */
  readonly checks: readonly CheckRead[];
}

const OUR_CHECKS = `commits(last: 1) { nodes { commit {
  oid
  checkSuites(first: 5, filterBy: { appId: $appId }) { nodes {
    checkRuns(first: 50, filterBy: { appId: $appId, checkType: LATEST }) { nodes { ...CheckFields } }
  } }
} } }`;

const nodes = <T extends z.ZodType>(of: T) => z.object({ nodes: z.array(of.nullable()).nullish() }).nullish();
const shownFields = pullFields.extend({
  commits: nodes(
    z.object({
      commit: z.object({ oid: z.string(), checkSuites: nodes(z.object({ checkRuns: nodes(checkFields) })) }),
    }),
  ),
});

/** At most this many pull requests in one query. */
export const MOST_READ = 50;

/**
 * One answer for each, in order; null: there is no such pull request, or the app may not see it. GraphqlUnread: GitHub
 * could not read this one. One query. @throws GraphqlUnread: none of them
 */
export async function readCurrentDisplay(
  client: GitHubClient,
  pullNodeIds: readonly string[],
  appId: number,
  signal: AbortSignal,
): Promise<readonly (CurrentDisplay | GraphqlUnread | null)[]> {
  const fields = pullNodeIds.map(
    (_, index) => `  p${index}: node(id: $p${index}) { ... on PullRequest { ...PullFields ${OUR_CHECKS} } }`,
  );
  const declared = pullNodeIds.map((_, index) => `$p${index}: ID!`);
  const query = [`query Shown($appId: Int!, ${declared.join(", ")}) {`, ...fields, "}", PULL_FIELDS, CHECK_FIELDS].join(
    "\n",
  );
  const variables = Object.fromEntries(pullNodeIds.map((id, index) => [`p${index}`, id]));
  const answer = await sendGraphql(client, query, { appId, ...variables }, signal);
  const unread = answer.errors.filter(isUnread).map(({ alias, message }) => {
    return { alias, error: new GraphqlUnread(`GitHub could not read the pull request: ${message}`) };
  });
  const whole = unread.find(({ alias }) => alias === null);
  if (whole !== undefined) throw whole.error;
  return pullNodeIds.map((_, index) => {
    const failed = unread.find(({ alias }) => alias === `p${index}`);
    if (failed !== undefined) return failed.error;
    const node = answer.data?.[`p${index}`];
    if (node == null) {
      return null;
    }
    const read = shownFields.parse(node);
    const commit = (read.commits?.nodes ?? []).find((each) => each?.commit.oid === read.headRefOid)?.commit;
    const runs = (commit?.checkSuites?.nodes ?? []).flatMap((suite) => suite?.checkRuns?.nodes ?? []);
    // Others of ours are written elsewhere, whatever becomes of the pull request's stage.
    const checks = runs.flatMap((run) => (run === null || !isStageCheck(run.name) ? [] : [checkRead(run)]));
    return { pull: pullSeen(read), checks };
  });
}

/** The order in which things were done to a pull request: dates have whole seconds, GitHub's timeline has an order. */
import { z } from "zod";
import type { PullState } from "../../lifecycle/facts/facts.ts";
import { commentKey, commitKey, placeKey, type TimelineItem } from "../../lifecycle/facts/order-in-second.ts";
import { readGraphql } from "../graphql.ts";
import { githubId } from "../id.ts";
import type { GitHubClient } from "../port.ts";
import { payloadDate } from "../webhooks/payloads.ts";
import { PULL_FIELDS, pullFields, pullSeen } from "./pull-fields.ts";
import { timelineActs } from "./snapshot-acts.ts";
import { DATED_ITEMS, TIMELINE_TYPES, timelineFields } from "./snapshot-fields.ts";

export interface Timeline {
  /** The pull request as it was when the newest items were read. */
  readonly state: PullState;
  /** Oldest first. */
  readonly items: readonly TimelineItem[];
}

const QUERY = `query Timeline($id: ID!, $before: String) {
  node(id: $id) { ... on PullRequest {
    ...PullFields
    timelineItems(
      last: 100, before: $before,
      itemTypes: [${TIMELINE_TYPES}, ISSUE_COMMENT, PULL_REQUEST_REVIEW, PULL_REQUEST_COMMIT]
    ) {
      pageInfo { hasPreviousPage startCursor }
      nodes {
        ${DATED_ITEMS}
        ... on IssueComment { createdAt fullDatabaseId }
        ... on PullRequestReview { submittedAt fullDatabaseId }
        ... on PullRequestCommit { commit { oid } }
      }
    }
  } }
}
${PULL_FIELDS}`;

/** Pages of 100 items; what lies before them is not looked for. */
const MOST_PAGES = 20;

const itemFields = timelineFields.extend({
  fullDatabaseId: githubId.nullish(),
  submittedAt: payloadDate.nullish(),
  commit: z.object({ oid: z.string() }).nullish(),
});
const answered = pullFields.extend({
  timelineItems: z.object({
    nodes: z.array(itemFields.nullable()).nullish(),
    pageInfo: z.object({ hasPreviousPage: z.boolean(), startCursor: z.string().nullish() }),
  }),
});

/**
 * The timeline from before this date on. Null: there is no such pull request, or the app may not see it. A query for
 * each hundred items. @throws GraphqlUnread
 */
export async function readTimeline(
  client: GitHubClient,
  pullNodeId: string,
  since: number,
  signal: AbortSignal,
): Promise<Timeline | null> {
  let state: PullState | null = null;
  let items: TimelineItem[] = [];
  let before: string | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await readGraphql(client, QUERY, { id: pullNodeId, before }, signal);
    if (answer.data?.node == null) {
      return null;
    }
    const read: z.infer<typeof answered> = answered.parse(answer.data.node);
    const { nodes, pageInfo } = read.timelineItems;
    state ??= pullSeen(read).state;
    const older = (nodes ?? []).flatMap((each) => (each === null ? [] : itemsOf(each, read.headRefOid, read.merged)));
    items = [...older, ...items];
    before = pageInfo.startCursor ?? null;
    if (!pageInfo.hasPreviousPage || before === null || items.some(({ at }) => at !== null && at < since)) {
      break;
    }
  }
  return state === null ? null : { state, items };
}

function itemsOf(item: z.infer<typeof itemFields>, head: string, merged: boolean): TimelineItem[] {
  switch (item.__typename) {
    case "IssueComment":
      return item.fullDatabaseId == null || item.createdAt == null
        ? []
        : [{ key: commentKey(item.fullDatabaseId), at: item.createdAt, acts: [] }];
    case "PullRequestReview":
      return item.fullDatabaseId == null || item.submittedAt == null
        ? []
        : [{ key: `review:${item.fullDatabaseId}`, at: item.submittedAt, acts: [] }];
    case "PullRequestCommit":
      return item.commit == null ? [] : [{ key: commitKey(item.commit.oid), at: null, acts: [] }];
    default: {
      const acts = timelineActs(item, head, merged);
      // A dismissal tells of its review, too, which stands in the timeline at its own place.
      const own = acts.at(-1);
      const key = own === undefined ? null : placeKey(own);
      return own === undefined || key === null ? [] : [{ key, at: own.at, acts }];
    }
  }
}

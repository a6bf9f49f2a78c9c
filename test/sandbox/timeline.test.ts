/** A pull request's history over REST: the same as over GraphQL, each item in the form that GitHub describes for it. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { Description, description } from "../../src/sandbox/openapi/excerpt.ts";
import * as w from "../../src/sandbox/world/index.ts";
import { furnish, type House } from "./house.ts";

const where = { owner: "acme", repo: "demo", issue_number: 1 };
const TIMELINE = "GET /repos/{owner}/{repo}/issues/{issue_number}/timeline";

let house: House;
beforeEach(async () => {
  house = await furnish();
});
afterEach(() => house.close());

const ANY = "state-change-issue-event";
/** What GitHub's description calls each; of the list it says only that an item is any of all of them. */
const SCHEMAS: Readonly<Record<string, string>> = {
  labeled: "labeled-issue-event",
  unlabeled: "unlabeled-issue-event",
  renamed: "renamed-issue-event",
  review_requested: "review-requested-issue-event",
  review_request_removed: "review-request-removed-issue-event",
  review_dismissed: "review-dismissed-issue-event",
  commented: "timeline-comment-event",
  committed: "timeline-committed-event",
  reviewed: "timeline-reviewed-event",
  assigned: "timeline-assigned-issue-event",
  unassigned: "timeline-unassigned-issue-event",
};

const { excerpt } = description();
const EACH = new Description({
  ...excerpt,
  operations: Object.fromEntries(
    [...new Set([...Object.values(SCHEMAS), ANY])].map((name) => {
      const responses = { "200": { $ref: `#/schemas/${name}` } };
      return [name, { id: "", path: {}, query: {}, body: null, bodyRequired: false, responses }];
    }),
  ),
});

function problems(event: string, given: unknown) {
  // Octokit reads ids that a double does not hold as bigint.
  const item = JSON.parse(JSON.stringify(given, (_key, value) => (typeof value === "bigint" ? Number(value) : value)));
  return EACH.responseProblems(SCHEMAS[event] ?? ANY, 200, item);
}

function makeHistory(): void {
  const { sandbox, alice, bob, acme, repo, pull, app } = house;
  const { world } = sandbox;
  const [by, other] = [w.asUser(alice), w.asUser(bob)];
  const team = w.addTeam(world, by, acme, "quality");
  w.setTeamPermission(world, by, team, repo, "read");
  w.addLabelsByName(world, w.asApp(world, app), pull, ["bug"]);
  w.removeLabels(world, other, pull, [w.required(w.labelByName(repo, "bug"))]);
  w.requestReviewers(world, by, pull, [{ kind: "team", teamId: team.id }]);
  w.removeReviewers(world, by, pull, [{ kind: "team", teamId: team.id }]);
  w.requestReviewers(world, by, pull, [{ kind: "user", accountId: bob.id }]);
  const review = w.submitReview(world, other, pull, { state: "CHANGES_REQUESTED", body: "no" });
  w.dismissReview(world, by, pull, review, "it is fine");
  w.addComment(world, other, pull, "one");
  w.setDraft(world, by, pull, true);
  w.setDraft(world, by, pull, false);
  w.editPull(world, by, pull, { title: "New" });
  w.setAssignee(world, by, pull, bob, true);
  w.setAssignee(world, by, pull, bob, false);
  w.closePull(world, by, pull);
  w.reopenPull(world, by, pull);
  w.mergePull(world, by, pull, { method: "merge" });
}

it("tells the same as over GraphQL, in the same order, each in GitHub's form", async () => {
  makeHistory();
  const { bot, pull } = house;
  const all = (await bot.request(TIMELINE, { ...where, per_page: 100 })).data;
  const items = all.map((item) => ({ event: "event" in item ? `${item.event}` : "", item }));
  expect(items.map(({ event }) => event)).toEqual(pull.timeline.map((one) => one.event));
  expect(items.length).toBeGreaterThan(16);
  for (const { event, item } of items) expect(problems(event, item), event).toEqual([]);

  interface Told {
    repository: { pullRequest: { timelineItems: { nodes: { id: string }[] } } };
  }
  const told = await bot.graphql<Told>(
    '{ repository(owner: "acme", name: "demo") { pullRequest(number: 1) { timelineItems(first: 100) { nodes { ... on Node { id } } } } } }',
  );
  // A commit is another object of its own inside a pull request.
  const ids = told.repository.pullRequest.timelineItems.nodes.map(({ id }) => id);
  const same = items.flatMap(({ event, item }, index) =>
    event === "committed" || !("node_id" in item) ? [] : [[item.node_id, ids[index]]],
  );
  expect(same.filter(([rest, graph]) => rest !== graph)).toEqual([]);
});

it("says who did it, with which app, and what it was about", async () => {
  makeHistory();
  const { bot, pull } = house;
  const all = (await bot.request(TIMELINE, { ...where, per_page: 100 })).data;
  const of = (event: string) => all.find((item) => "event" in item && item.event === event);
  expect(of("labeled")).toMatchObject({
    actor: { login: "stagewright[bot]" },
    label: { name: "bug" },
    performed_via_github_app: { slug: "stagewright" },
    commit_id: null,
  });
  expect(of("review_requested")).toMatchObject({
    review_requester: { login: "alice" },
    requested_team: { slug: "quality" },
  });
  expect(of("reviewed")).toMatchObject({ state: "dismissed", user: { login: "bob" }, commit_id: pull.head.sha });
  expect(of("review_dismissed")).toMatchObject({
    dismissed_review: { state: "changes_requested", dismissal_message: "it is fine" },
  });
  expect(of("renamed")).toMatchObject({ rename: { to: "New" } });
  expect(of("merged")).toMatchObject({ commit_id: pull.mergeCommitSha });
});

it("is paged, and leaves out what it is asked to", async () => {
  makeHistory();
  const { bot, pull } = house;
  const second = await bot.request(TIMELINE, { ...where, per_page: 3, page: 2 });
  expect(second.data.map((item) => ("event" in item ? item.event : ""))).toEqual(
    pull.timeline.slice(3, 6).map((one) => one.event),
  );
  expect(second.headers.link).toContain('rel="next"');
  const less = await bot.request(TIMELINE, { ...where, per_page: 100, exclude: "labeled,committed" });
  const kept = pull.timeline.filter(({ event }) => event !== "labeled" && event !== "committed");
  expect(less.data).toHaveLength(kept.length);
});

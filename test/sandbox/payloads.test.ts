/** The payloads' keys against GitHub's real ones, event by event. */
import examples from "@octokit/webhooks-examples" with { type: "json" };
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as w from "../../src/sandbox/world/index.ts";
import { furnish, type House, type Received } from "./house.ts";

let house: House;

/** Makes everything happen once. */
beforeAll(async () => {
  house = await furnish();
  const { sandbox, alice, bob, acme, repo, app, pull, installation } = house;
  const { world } = sandbox;
  const [by, me, other] = [w.asUser(alice), w.asApp(world, app), w.asUser(bob)];
  w.addLabelsByName(world, other, pull, ["bug"]);
  const label = w.required(w.labelByName(repo, "bug"));
  w.editLabel(world, by, repo, label, { color: "ff0000" });
  w.removeLabels(world, other, pull, [label]);
  w.deleteLabel(world, by, repo, label);
  w.requestReviewers(world, by, pull, [{ kind: "user", accountId: bob.id }]);
  const team = w.addTeam(world, by, acme, "quality");
  w.addTeamMember(world, by, team, bob);
  w.removeTeamMember(world, by, team, bob);
  w.addTeamMember(world, by, team, bob);
  w.removeOrganizationMember(world, by, acme, bob);
  w.setTeamPermission(world, by, team, repo, "read");
  w.setTeamPermission(world, by, team, repo, "write");
  w.requestReviewers(world, by, pull, [{ kind: "team", teamId: team.id }]);
  w.removeReviewers(world, by, pull, [{ kind: "team", teamId: team.id }]);
  w.setTeamPermission(world, by, team, repo, null);
  const carol = w.addUser(world, "carol");
  w.setCollaborator(world, by, repo, carol, "write");
  w.requestReviewers(world, by, pull, [{ kind: "user", accountId: carol.id }]);
  w.removeReviewers(world, by, pull, [{ kind: "user", accountId: carol.id }]);
  const review = w.submitReview(world, other, pull, { state: "APPROVED", body: "fine" });
  w.editReview(world, other, pull, review, "very fine");
  w.dismissReview(world, by, pull, review, "stale");
  const comment = w.addComment(world, other, pull, "one");
  w.editComment(world, other, comment, "two");
  w.deleteComment(world, other, comment);
  w.setDraft(world, by, pull, true);
  w.setDraft(world, by, pull, false);
  w.editPull(world, by, pull, { title: "New", body: "b" });
  w.setAssignee(world, by, pull, bob, true);
  w.setAssignee(world, by, pull, bob, false);
  const check = w.createCheckRun(world, me, {
    repository: repo,
    app,
    headSha: pull.head.sha,
    name: "n",
    actions: [{ label: "R", description: "d", identifier: "r" }],
  });
  w.protectBranch(repo, "main", { requiredChecks: [{ context: "n", appId: null }], requiredApprovals: 0 });
  w.enableAutoMerge(world, by, pull, { method: "squash" });
  w.disableAutoMerge(world, by, pull);
  w.updateCheckRun(world, me, check, { conclusion: "success", output: { title: "t", summary: "s" } });
  w.rerequestCheckRun(world, other, check);
  w.requestAction(world, other, check, "r");
  w.rerequestSuite(world, other, w.suiteOfRun(world, check));
  w.createStatus(world, by, repo, pull.head.sha, { state: "success" });
  w.createRef(world, by, repo, "refs/tags/v1", pull.head.sha);
  w.deleteRef(world, by, repo, "refs/tags/v1");
  w.addProtectionRule(world, repo, "qa", app);
  const workflow = w.required(w.findWorkflow(world, repo, "qa.yml"));
  const run = w.dispatchWorkflow(world, by, repo, workflow, { ref: "main", inputs: { pr: "1" } });
  const job = w.addJob(world, run, {
    key: "qa",
    name: "qa",
    labels: ["self-hosted"],
    environment: "qa",
    status: "waiting",
  });
  w.deployJob(world, run, job);
  w.answerProtection(world, app, run, { environment: "qa", verdict: "approved", comment: "go" });
  w.updateJob(world, job, { status: "queued" });
  const runner = { id: 1, name: "r", groupId: 1, groupName: "g" };
  const step = {
    number: 1,
    name: "s",
    status: "completed",
    conclusion: "success",
    startedAt: 1,
    completedAt: 2,
  } as const;
  w.updateJob(world, job, { status: "in_progress", runner, steps: [step] });
  w.updateJob(world, job, { status: "completed", conclusion: "success" });
  w.completeRun(world, run);
  w.dispatchRepository(world, by, repo, { eventType: "on-demand-test", clientPayload: {} });
  const group = {
    headSha: pull.head.sha,
    headRef: "refs/heads/gh-readonly-queue/main/pr-1",
    baseSha: pull.base.sha,
    baseRef: "refs/heads/main",
    pullNumbers: [1],
  };
  w.queueMerge(world, by, repo, group);
  w.setCollaborator(world, by, repo, carol, "maintain");
  w.removeCollaborator(world, by, repo, carol);
  w.closePull(world, by, pull);
  w.reopenPull(world, by, pull);
  w.commitFiles(world, by, repo, { branch: "task-7", message: "m", files: { "z.txt": "z" } });
  w.changeInstallationRepositories(world, by, installation, "added", [repo]);
  w.changeInstallationRepositories(world, by, installation, "removed", [repo]);
  w.setSuspended(world, by, installation, true);
  w.setSuspended(world, by, installation, false);
  w.setInstallationPermissions(world, by, installation, installation.permissions);
  w.renameRepository(world, by, repo, "renamed");
  const elsewhere = w.addOrganization(world, "elsewhere");
  for (const owner of [carol, elsewhere]) {
    w.install(world, by, { app, account: owner, repositories: "all" });
    w.transferRepository(world, by, repo, owner);
  }
  w.uninstall(world, by, installation);
  await sandbox.webhooks.idle();
});
afterAll(() => house.close());

/** Fields of people's old pictures and of GitHub's products that have no place here, and what only some examples carry. */
const waived = [
  /(^|\.)(gravatar_id|email|name)$/,
  /^pull_request\.milestone/,
  /^issue\.(milestone|active_lock_reason)/,
  // Of older examples: since renamed or gone.
  /\.(has_discussions|allow_squash_merge|allow_merge_commit|allow_rebase_merge|delete_branch_on_merge|allow_auto_merge|allow_update_branch|use_squash_pr_title_as_default|squash_merge_commit_(title|message)|merge_commit_(title|message))$/,
  /^requester/,
  // Written as seconds in some examples and as ISO 8601 in others.
  /^installation\.(created|updated)_at$/,
];

type Json = unknown;

/** Keys of the example that the payload lacks, and values of another kind. Null on either side says nothing. */
function differences(example: Json, ours: Json, at: string): string[] {
  if (example === null || ours === null || waived.some((one) => one.test(at))) return [];
  if (ours === undefined) return [`${at} is missing`];
  if (Array.isArray(example) !== Array.isArray(ours) || typeof example !== typeof ours)
    return [`${at} is ${typeof ours}, not ${typeof example}`];
  if (Array.isArray(example) && Array.isArray(ours)) {
    return example.length === 0 || ours.length === 0 ? [] : differences(example[0], ours[0], `${at}[]`);
  }
  if (typeof example !== "object" || typeof ours !== "object") return [];
  // Free-form: what stands in there is the user's own.
  if (/(^|\.)(permissions|inputs|client_payload|custom_properties|payload|repository\.organization)$/.test(at))
    return [];
  const mine = new Map<string, Json>(Object.entries(ours));
  return Object.entries(example).flatMap(([key, value]) =>
    differences(value, mine.get(key), at === "" ? key : `${at}.${key}`),
  );
}

interface Example {
  readonly name: string;
  readonly examples: readonly Json[];
}

const all: readonly Example[] = JSON.parse(JSON.stringify(examples));

function actionOf(payload: Json): string | null {
  return typeof payload === "object" && payload !== null && "action" in payload && typeof payload.action === "string"
    ? payload.action
    : null;
}

/** Examples of one event and action differ (years lie between them): ours must fit the newest or any other. */
const official = new Map<string, Json[]>();
for (const { name, examples: list } of all) {
  for (const example of list) {
    const key = `${name} ${actionOf(example) ?? ""}`.trim();
    official.set(key, [...(official.get(key) ?? []), example]);
  }
}

const expected = [
  "check_run completed",
  "check_run created",
  "check_run requested_action",
  "check_run rerequested",
  "check_suite completed",
  "check_suite requested",
  "check_suite rerequested",
  "create",
  "delete",
  "deployment created",
  "deployment_status created",
  "installation created",
  "installation deleted",
  "installation suspend",
  "installation unsuspend",
  "installation new_permissions_accepted",
  "installation_repositories added",
  "installation_repositories removed",
  "issue_comment created",
  "issue_comment edited",
  "issue_comment deleted",
  "label created",
  "label deleted",
  "label edited",
  "member added",
  "member edited",
  "membership added",
  "membership removed",
  "merge_group checks_requested",
  "pull_request opened",
  "pull_request closed",
  "pull_request reopened",
  "pull_request labeled",
  "pull_request unlabeled",
  "pull_request synchronize",
  "pull_request assigned",
  "pull_request unassigned",
  "pull_request converted_to_draft",
  "pull_request ready_for_review",
  "pull_request review_requested",
  "pull_request review_request_removed",
  "pull_request_review submitted",
  "pull_request_review dismissed",
  "push",
  "repository renamed",
  "repository transferred",
  "repository_dispatch on-demand-test",
  "status",
  "team added_to_repository",
  "team created",
  "team edited",
  "team removed_from_repository",
  "team_add",
  "workflow_dispatch",
  "workflow_job queued",
  "workflow_job waiting",
  "workflow_job in_progress",
  "workflow_job completed",
  "workflow_run requested",
  "workflow_run completed",
];

const nameOf = (one: Received) => `${one.event} ${actionOf(one.payload) ?? ""}`.trim();

describe("a payload has every key of GitHub's own example", () => {
  it.each(expected)("%s", (name) => {
    const ours = house.received.filter((one) => nameOf(one) === name).map((one) => one.payload);
    expect(ours.length, `no ${name} was sent`).toBeGreaterThan(0);
    const theirs = official.get(name) ?? [];
    expect(theirs.length, `no example of ${name}`).toBeGreaterThan(0);
    // The pair that is nearest: the same thing was done to the same kind of account.
    const found = theirs.flatMap((example) => ours.map((payload) => differences(example, payload, "")));
    expect(found.sort((a, b) => a.length - b.length)[0]).toEqual([]);
  });
});

describe("what GitHub gives no example of", () => {
  it("deployment_protection_rule requested", () => {
    const found = house.received.find((one) => nameOf(one) === "deployment_protection_rule requested");
    expect(found?.payload).toMatchObject({
      environment: "qa",
      event: "workflow_dispatch",
      deployment_callback_url: expect.stringMatching(
        /\/api\/v3\/repos\/acme\/demo\/actions\/runs\/\d+\/deployment_protection_rule$/,
      ),
      deployment: { environment: "qa", performed_via_github_app: { slug: "github-actions" } },
      pull_requests: [],
      installation: { id: house.installation.id },
      sender: { login: "github-actions[bot]" },
    });
  });

  it("pull_request edited and auto_merge_enabled, pull_request_review edited", () => {
    const payloadOf = (name: string) => house.received.find((one) => nameOf(one) === name)?.payload;
    expect(payloadOf("pull_request edited")).toMatchObject({
      changes: { title: { from: "Task 7" }, body: { from: "Please." } },
      pull_request: { title: "New" },
    });
    expect(payloadOf("pull_request auto_merge_enabled")).toMatchObject({
      pull_request: { auto_merge: { merge_method: "squash", enabled_by: { login: "alice" } } },
    });
    expect(payloadOf("pull_request_review edited")).toMatchObject({
      changes: { body: { from: "fine" } },
      review: { body: "very fine", state: "approved" },
    });
  });

  it("organization member_removed: it has the keys of member_added", () => {
    const ours = house.received.find((one) => nameOf(one) === "organization member_removed")?.payload;
    expect(ours).toMatchObject({ membership: { state: "inactive", user: { login: "bob" } } });
    const [theirs] = official.get("organization member_added") ?? [];
    expect(differences(theirs, ours, "")).toEqual([]);
  });

  it("every event that an app can be subscribed to here was sent and checked", () => {
    const sent = new Set(house.received.map(nameOf));
    const unchecked = [...sent].filter((name) => !expected.includes(name)).sort();
    expect(unchecked).toEqual([
      "deployment_protection_rule requested",
      "member removed",
      "organization member_removed",
      "pull_request auto_merge_disabled",
      "pull_request auto_merge_enabled",
      "pull_request edited",
      "pull_request_review edited",
      "workflow_run in_progress",
    ]);
  });
});

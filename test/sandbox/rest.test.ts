/** Every answer here is checked against GitHub's description by the sandbox itself (`checkResponses`). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asApp as asTheApp, createCheckRun } from "../../src/sandbox/world/index.ts";
import { furnish, type House, refusalOf } from "./house.ts";

const where = { owner: "acme", repo: "demo" };
let house: House;

beforeEach(async () => {
  house = await furnish();
});
afterEach(() => house.close());

describe("labels", () => {
  it("adds unknown names as new labels, lists and removes them", async () => {
    const { bot } = house;
    await bot.rest.issues.addLabels({ ...where, issue_number: 1, labels: ["ready-for-qa", "bug"] });
    expect(
      (await bot.rest.issues.listLabelsOnIssue({ ...where, issue_number: 1 })).data.map((one) => one.name),
    ).toEqual(["ready-for-qa", "bug"]);
    await bot.rest.issues.removeLabel({ ...where, issue_number: 1, name: "ready-for-qa" });
    expect(
      (await refusalOf(bot.rest.issues.removeLabel({ ...where, issue_number: 1, name: "ready-for-qa" }))).status,
    ).toBe(404);
    await bot.rest.issues.setLabels({ ...where, issue_number: 1, labels: ["x"] });
    expect((await bot.rest.pulls.get({ ...where, pull_number: 1 })).data.labels.map((one) => one.name)).toEqual(["x"]);
    await bot.rest.issues.removeAllLabels({ ...where, issue_number: 1 });
    expect((await bot.rest.issues.listLabelsOnIssue({ ...where, issue_number: 1 })).data).toEqual([]);
  });

  it("creates, renames and deletes labels, refusing doubles and bad colours", async () => {
    const { bot } = house;
    await bot.rest.issues.createLabel({ ...where, name: "stage/qa", color: "ff0000", description: "d" });
    expect(await refusalOf(bot.rest.issues.createLabel({ ...where, name: "Stage/QA" }))).toMatchObject({ status: 422 });
    expect(await refusalOf(bot.rest.issues.createLabel({ ...where, name: "n", color: "red" }))).toMatchObject({
      status: 422,
    });
    expect((await bot.rest.issues.updateLabel({ ...where, name: "stage/qa", new_name: "stage/q" })).data.name).toBe(
      "stage/q",
    );
    expect((await bot.rest.issues.getLabel({ ...where, name: "stage/q" })).data.color).toBe("ff0000");
    await bot.rest.issues.deleteLabel({ ...where, name: "stage/q" });
    expect((await bot.rest.issues.listLabelsForRepo(where)).data).toEqual([]);
  });
});

describe("pull requests", () => {
  it("opens, edits, closes, reopens and merges", async () => {
    const { asAlice, bot } = house;
    await asAlice.rest.repos.createOrUpdateFileContents({
      ...where,
      path: "new.txt",
      message: "m",
      content: Buffer.from("new").toString("base64"),
      branch: "main",
    });
    await asAlice.rest.git.createRef({
      ...where,
      ref: "refs/heads/task-8",
      sha: (await asAlice.rest.repos.getBranch({ ...where, branch: "main" })).data.commit.sha,
    });
    await asAlice.rest.repos.createOrUpdateFileContents({
      ...where,
      path: "b/c.txt",
      message: "m",
      content: "",
      branch: "task-8",
    });
    const made = (await asAlice.rest.pulls.create({ ...where, title: "T", head: "task-8", base: "main", draft: true }))
      .data;
    expect(made).toMatchObject({ number: 2, draft: true, mergeable: true, mergeable_state: "draft", changed_files: 1 });
    expect(
      await refusalOf(asAlice.rest.pulls.create({ ...where, title: "T", head: "task-8", base: "main" })),
    ).toMatchObject({ status: 422 });
    expect((await bot.rest.pulls.list({ ...where, head: "acme:task-8" })).data.map((one) => one.number)).toEqual([2]);
    expect(
      (await asAlice.rest.pulls.update({ ...where, pull_number: 2, title: "New", state: "closed" })).data,
    ).toMatchObject({ title: "New", state: "closed" });
    expect((await asAlice.rest.pulls.update({ ...where, pull_number: 2, state: "open" })).data.state).toBe("open");
    expect(await refusalOf(bot.rest.pulls.merge({ ...where, pull_number: 2 }))).toMatchObject({ status: 405 });
    expect(await refusalOf(bot.rest.pulls.merge({ ...where, pull_number: 1, sha: "0".repeat(40) }))).toMatchObject({
      status: 409,
    });
    const merged = (await bot.rest.pulls.merge({ ...where, pull_number: 1, merge_method: "squash" })).data;
    expect((await bot.rest.repos.getBranch({ ...where, branch: "main" })).data.commit.sha).toBe(merged.sha);
    expect((await bot.rest.pulls.get({ ...where, pull_number: 1 })).data).toMatchObject({
      merged: true,
      changed_files: 1,
      commits: 1,
      merged_by: { login: "stagewright[bot]" },
    });
    expect((await bot.rest.pulls.checkIfMerged({ ...where, pull_number: 1 })).status).toBe(204);
    expect((await bot.rest.pulls.listFiles({ ...where, pull_number: 1 })).data).toMatchObject([
      { filename: "src/a.txt", additions: 1, deletions: 0 },
    ]);
    expect((await bot.rest.pulls.listCommits({ ...where, pull_number: 1 })).data).toHaveLength(1);
    expect((await bot.rest.issues.get({ ...where, issue_number: 1 })).data.state).toBe("closed");
  });

  it("is reviewed, and the review is dismissed", async () => {
    const { asAlice, asBob, bot } = house;
    expect(
      await refusalOf(asAlice.rest.pulls.createReview({ ...where, pull_number: 1, event: "APPROVE" })),
    ).toMatchObject({ status: 422 });
    await asAlice.rest.pulls.requestReviewers({ ...where, pull_number: 1, reviewers: ["bob"] });
    expect(
      (await bot.rest.pulls.listRequestedReviewers({ ...where, pull_number: 1 })).data.users.map((one) => one.login),
    ).toEqual(["bob"]);
    const review = (await asBob.rest.pulls.createReview({ ...where, pull_number: 1, event: "APPROVE" })).data;
    expect((await bot.rest.pulls.listRequestedReviewers({ ...where, pull_number: 1 })).data.users).toEqual([]);
    expect((await bot.rest.pulls.listReviews({ ...where, pull_number: 1 })).data).toMatchObject([
      { state: "APPROVED", user: { login: "bob" } },
    ]);
    await bot.rest.pulls.dismissReview({ ...where, pull_number: 1, review_id: review.id, message: "stale" });
    expect((await bot.rest.pulls.getReview({ ...where, pull_number: 1, review_id: review.id })).data.state).toBe(
      "DISMISSED",
    );
  });

  it("is commented on; only one's own comment is edited by an app", async () => {
    const { asBob, bot } = house;
    const made = (await asBob.rest.issues.createComment({ ...where, issue_number: 1, body: "/stage status" })).data;
    expect(
      (await bot.rest.reactions.createForIssueComment({ ...where, comment_id: made.id, content: "eyes" })).status,
    ).toBe(201);
    expect(
      (await bot.rest.reactions.createForIssueComment({ ...where, comment_id: made.id, content: "eyes" })).status,
    ).toBe(200);
    expect(await refusalOf(bot.rest.issues.updateComment({ ...where, comment_id: made.id, body: "x" }))).toMatchObject({
      status: 403,
    });
    const own = (await bot.rest.issues.createComment({ ...where, issue_number: 1, body: "one" })).data;
    expect(
      (await bot.rest.issues.updateComment({ ...where, comment_id: own.id, body: "two" })).data.performed_via_github_app
        ?.slug,
    ).toBe("stagewright");
    expect((await bot.rest.issues.listComments({ ...where, issue_number: 1 })).data.map((one) => one.body)).toEqual([
      "/stage status",
      "two",
    ]);
    await bot.rest.issues.deleteComment({ ...where, comment_id: own.id });
    expect((await refusalOf(bot.rest.issues.getComment({ ...where, comment_id: own.id }))).status).toBe(404);
    expect((await bot.rest.issues.getComment({ ...where, comment_id: made.id })).data.reactions?.eyes).toBe(1);
  });
});

describe("checks and statuses", () => {
  it("creates and updates check runs, appending annotations", async () => {
    const { bot, pull } = house;
    const annotation = { path: "a", start_line: 1, end_line: 1, annotation_level: "warning", message: "m" } as const;
    const made = (
      await bot.rest.checks.create({
        ...where,
        name: "stagewright / qa",
        head_sha: pull.head.sha,
        status: "in_progress",
        output: { title: "t", summary: "s", annotations: [annotation] },
      })
    ).data;
    const updated = (
      await bot.rest.checks.update({
        ...where,
        check_run_id: made.id,
        conclusion: "success",
        output: { title: "t2", summary: "s2", annotations: [annotation] },
        actions: [{ label: "Retry", description: "d", identifier: "retry" }],
      })
    ).data;
    expect(updated).toMatchObject({
      status: "completed",
      conclusion: "success",
      output: { title: "t2", annotations_count: 2 },
    });
    expect((await bot.rest.checks.listAnnotations({ ...where, check_run_id: made.id })).data).toHaveLength(2);
    expect((await bot.rest.checks.listForRef({ ...where, ref: "task-7" })).data).toMatchObject({
      total_count: 1,
      check_runs: [{ name: "stagewright / qa", app: { slug: "stagewright" } }],
    });
    expect((await bot.rest.checks.listSuitesForRef({ ...where, ref: pull.head.sha })).data.check_suites).toMatchObject([
      { status: "completed", conclusion: "success" },
    ]);
    const { check_suite: suite } = (await bot.rest.checks.get({ ...where, check_run_id: made.id })).data;
    expect((await bot.rest.checks.listForSuite({ ...where, check_suite_id: suite?.id ?? 0 })).data.total_count).toBe(1);
    await house.asBob.rest.checks.rerequestRun({ ...where, check_run_id: made.id });
  });

  it("shows only the newest of a name unless all are asked for", async () => {
    const { bot, pull } = house;
    for (let i = 0; i < 2; i += 1) await bot.rest.checks.create({ ...where, name: "n", head_sha: pull.head.sha });
    expect((await bot.rest.checks.listForRef({ ...where, ref: pull.head.sha })).data.total_count).toBe(1);
    expect((await bot.rest.checks.listForRef({ ...where, ref: pull.head.sha, filter: "all" })).data.total_count).toBe(
      2,
    );
  });

  it("lets only the creating app write, never a person, and refuses what is beyond the limits", async () => {
    const { asAlice, bot, pull, sandbox } = house;
    expect(await refusalOf(asAlice.rest.checks.create({ ...where, name: "n", head_sha: pull.head.sha }))).toMatchObject(
      { status: 403, message: expect.stringContaining("GitHub App") },
    );
    const { actionsApp } = await import("../../src/sandbox/world/index.ts");
    const other = actionsApp(sandbox.world);
    const foreign = createCheckRun(sandbox.world, asTheApp(sandbox.world, other), {
      repository: house.repo,
      app: other,
      headSha: pull.head.sha,
      name: "ci",
    });
    expect(
      await refusalOf(bot.rest.checks.update({ ...where, check_run_id: foreign.id, conclusion: "success" })),
    ).toMatchObject({ status: 403 });
    const annotations = Array.from({ length: 51 }, () => ({
      path: "a",
      start_line: 1,
      end_line: 1,
      annotation_level: "notice" as const,
      message: "m",
    }));
    expect(
      (
        await refusalOf(
          bot.rest.checks.create({
            ...where,
            name: "n",
            head_sha: pull.head.sha,
            output: { title: "t", summary: "s", annotations },
          }),
        )
      ).status,
    ).toBe(422);
    expect(
      (
        await refusalOf(
          bot.rest.checks.create({
            ...where,
            name: "n",
            head_sha: pull.head.sha,
            output: { title: "t", summary: "s".repeat(65_536) },
          }),
        )
      ).status,
    ).toBe(422);
    expect(
      (await refusalOf(bot.rest.checks.create({ ...where, name: "n", head_sha: pull.head.sha, status: "completed" })))
        .status,
    ).toBe(422);
    expect((await refusalOf(bot.rest.checks.create({ ...where, name: "n", head_sha: "f".repeat(40) }))).status).toBe(
      422,
    );
  });

  it("takes statuses and sums them up", async () => {
    const { bot, pull } = house;
    const sha = pull.head.sha;
    await bot.rest.repos.createCommitStatus({ ...where, sha, state: "pending", context: "ci" });
    await bot.rest.repos.createCommitStatus({
      ...where,
      sha,
      state: "success",
      context: "ci",
      description: "fine",
      target_url: "http://x.test/",
    });
    expect((await bot.rest.repos.getCombinedStatusForRef({ ...where, ref: sha })).data).toMatchObject({
      state: "success",
      total_count: 1,
    });
    expect((await bot.rest.repos.listCommitStatusesForRef({ ...where, ref: sha })).data).toHaveLength(2);
  });
});

describe("code", () => {
  it("reads files, folders, commits, branches and refs", async () => {
    const { bot } = house;
    const file = (await bot.rest.repos.getContent({ ...where, path: "src/a.txt", ref: "task-7" })).data;
    expect("content" in file && Buffer.from(file.content, "base64").toString()).toBe("one\ntwo\nthree\n");
    const folder = (await bot.rest.repos.getContent({ ...where, path: "" })).data;
    expect(Array.isArray(folder) && folder.map((one) => `${one.type} ${one.name}`).sort()).toEqual([
      "dir .github",
      "dir src",
      "file README.md",
    ]);
    expect((await refusalOf(bot.rest.repos.getContent({ ...where, path: "no" }))).status).toBe(404);
    expect(
      (await bot.rest.repos.listCommits({ ...where, sha: "task-7" })).data.map((one) => one.commit.message),
    ).toEqual(["Add a line", "Start"]);
    expect((await bot.rest.repos.getCommit({ ...where, ref: "task-7" })).data.files).toMatchObject([
      { filename: "src/a.txt" },
    ]);
    expect((await bot.rest.repos.listBranches(where)).data.map((one) => one.name)).toEqual(["main", "task-7"]);
    expect((await bot.rest.git.getRef({ ...where, ref: "heads/task-7" })).data.object.sha).toBe(house.pull.head.sha);
    expect((await bot.rest.git.listMatchingRefs({ ...where, ref: "heads/task" })).data).toHaveLength(1);
    expect(
      (await bot.rest.repos.compareCommitsWithBasehead({ ...where, basehead: "main...task-7" })).data,
    ).toMatchObject({ ahead_by: 1, behind_by: 0, status: "ahead" });
    expect(
      (await bot.rest.repos.listPullRequestsAssociatedWithCommit({ ...where, commit_sha: house.pull.head.sha })).data,
    ).toHaveLength(1);
    expect((await bot.rest.git.getCommit({ ...where, commit_sha: house.pull.head.sha })).data.message).toBe(
      "Add a line",
    );
  });

  it("writes a file only over the version that was read", async () => {
    const { bot } = house;
    const put = (sha?: string) =>
      bot.rest.repos.createOrUpdateFileContents({
        ...where,
        path: "README.md",
        message: "m",
        content: Buffer.from("x").toString("base64"),
        ...(sha === undefined ? {} : { sha }),
      });
    expect((await refusalOf(put())).status).toBe(422);
    expect((await refusalOf(put("0".repeat(40)))).status).toBe(409);
    const known = (await bot.rest.repos.getContent({ ...where, path: "README.md" })).data;
    expect((await put("sha" in known ? known.sha : "")).status).toBe(200);
  });

  it("moves and deletes refs, refusing what is no fast forward unless forced", async () => {
    const { bot, pull } = house;
    const main = (await bot.rest.git.getRef({ ...where, ref: "heads/main" })).data.object.sha;
    expect((await refusalOf(bot.rest.git.updateRef({ ...where, ref: "heads/task-7", sha: main }))).status).toBe(422);
    const tree = (await bot.rest.git.getCommit({ ...where, commit_sha: pull.head.sha })).data.tree.sha;
    const made = (await bot.rest.git.createCommit({ ...where, message: "again", tree, parents: [main] })).data.sha;
    await bot.rest.git.updateRef({ ...where, ref: "heads/task-7", sha: made, force: true });
    expect((await bot.rest.pulls.get({ ...where, pull_number: 1 })).data.head.sha).toBe(made);
    await bot.rest.git.deleteRef({ ...where, ref: "heads/task-7" });
    expect((await bot.rest.pulls.get({ ...where, pull_number: 1 })).data.state).toBe("closed");
  });

  it("follows a renamed repository", async () => {
    const { asAlice, bot } = house;
    await asAlice.rest.repos.update({ ...where, name: "renamed" });
    expect((await bot.rest.repos.get(where)).data.full_name).toBe("acme/renamed");
    await bot.rest.issues.addLabels({ ...where, issue_number: 1, labels: ["x"] });
    expect(house.pull.labelIds.size).toBe(1);
  });
});

describe("actions", () => {
  it("starts a workflow by hand and answers with the run", async () => {
    const { bot } = house;
    expect(
      (await refusalOf(bot.rest.actions.createWorkflowDispatch({ ...where, workflow_id: "qa.yml", ref: "main" })))
        .message,
    ).toContain("Required input 'pr'");
    expect(
      (
        await refusalOf(
          bot.rest.actions.createWorkflowDispatch({
            ...where,
            workflow_id: "qa.yml",
            ref: "main",
            inputs: { pr: "1", no: "x" },
          }),
        )
      ).message,
    ).toContain("Unexpected inputs");
    const answer = await bot.request("POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", {
      ...where,
      workflow_id: "qa.yml",
      ref: "main",
      inputs: { pr: "1" },
      return_run_details: true,
    });
    expect(answer.status).toBe(200);
    const runs = (await bot.rest.actions.listWorkflowRuns({ ...where, workflow_id: "qa.yml" })).data;
    expect(runs).toMatchObject({
      total_count: 1,
      workflow_runs: [{ event: "workflow_dispatch", status: "queued", name: "QA" }],
    });
    const told = runs.workflow_runs[0]?.id ?? 0;
    expect(told).toBeTypeOf("bigint");
    expect(answer.data).toMatchObject({ workflow_run_id: told });
    // Octokit leaves a bigint out of an address.
    const id = Number(told);
    expect(house.sandbox.world.runs.get(id)?.inputs).toEqual({ pr: "1", level: "low" });
    expect((await bot.rest.actions.listJobsForWorkflowRun({ ...where, run_id: id })).data.total_count).toBe(0);
    expect((await bot.rest.actions.cancelWorkflowRun({ ...where, run_id: id })).status).toBe(202);
    expect((await refusalOf(bot.rest.actions.reRunWorkflow({ ...where, run_id: id }))).status).toBe(403);
    expect((await bot.rest.actions.listRepoWorkflows(where)).data.workflows).toMatchObject([
      { path: ".github/workflows/qa.yml" },
    ]);
    await bot.rest.repos.createDispatchEvent({ ...where, event_type: "ping", client_payload: { a: 1 } });
  });
});

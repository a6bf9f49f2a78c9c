import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addComment,
  addJob,
  addLabelsByName,
  addSummary,
  appendLog,
  asApp as asTheApp,
  asUser,
  createCheckRun,
  createRun,
  submitReview,
  updateJob,
} from "../../src/sandbox/world/index.ts";
import { furnish, type House } from "./house.ts";

let house: House;

beforeEach(async () => {
  house = await furnish();
});
afterEach(() => house.close());

async function look(path: string): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(house.sandbox.url + path, { headers: { accept: "text/html" } });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const evil = `<script>alert("1")</script>`;

describe("pages", () => {
  it("show a pull request with its labels, checks, text, annotations and history, all escaped", async () => {
    const { sandbox, bob, alice, pull, app, repo } = house;
    const { world } = sandbox;
    addLabelsByName(world, asUser(bob), pull, [`l${evil}`]);
    addComment(world, asUser(bob), pull, `comment ${evil}`);
    submitReview(world, asUser(bob), pull, { state: "APPROVED", body: `fine ${evil}` });
    createCheckRun(world, asTheApp(world, app), {
      repository: repo,
      app,
      headSha: pull.head.sha,
      name: `check ${evil}`,
      conclusion: "failure",
      output: {
        title: `title ${evil}`,
        summary: `# Summary ${evil}`,
        text: "the text",
        annotations: [
          {
            path: `p${evil}`,
            startLine: 3,
            endLine: 3,
            startColumn: null,
            endColumn: null,
            level: "failure",
            message: `message ${evil}`,
            title: "t",
            rawDetails: "raw",
          },
        ],
      },
      actions: [{ label: "Retry", description: "d", identifier: "retry" }],
    });
    pull.title = `Title ${evil}`;
    const shown = await look("/acme/demo/pull/1");
    expect(shown.status).toBe(200);
    expect(shown.text).not.toContain("<script");
    for (const part of [
      "Title &lt;script",
      "check &lt;script",
      "# Summary",
      "the text",
      "message &lt;script",
      "raw",
      "approved",
      "fine &lt;script",
      "comment &lt;script",
      "Retry",
      "added",
    ]) {
      expect(shown.text).toContain(part);
    }
    expect(shown.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(alice.login).toBe("alice");
  });

  it("show workflow runs and jobs with log and summary", async () => {
    const { sandbox, alice, pull, repo } = house;
    const { world } = sandbox;
    const run = createRun(world, asUser(alice), {
      repository: repo,
      path: ".github/workflows/qa.yml",
      event: "push",
      ref: "refs/heads/task-7",
      sha: pull.head.sha,
      headSha: pull.head.sha,
      headBranch: "task-7",
      payload: {},
    });
    const job = addJob(world, run, { key: "qa", name: "qa (1)", labels: ["self-hosted"] });
    updateJob(world, job, { status: "in_progress", runner: { id: 1, name: "r1", groupId: 1, groupName: "Default" } });
    appendLog(job, `line ${evil}\n`);
    addSummary(job, `**verdict** ${evil}`);
    const home = `/acme/demo/actions/runs/${run.id}`;
    expect((await look(home)).text).toContain("**verdict** &lt;script");
    const page = (await look(`${home}/job/${job.id}`)).text;
    expect(page).toContain("line &lt;script");
    expect(page).toContain("r1".slice(0, 1));
    expect(page).toContain('http-equiv="refresh"');
    expect((await look(`/_logs/${job.id}`)).text).toBe(`line ${evil}\n`);
    expect((await look(`/_logs/${job.id}`)).headers.get("content-type")).toContain("text/plain");
    expect((await look(`/acme/demo/runs/${job.checkRunId}`)).text).toContain("<details open>");
  });

  it("lead everywhere, and nowhere with 404", async () => {
    await house.sandbox.webhooks.idle();
    const seen = new Set<string>(["/"]);
    const waiting = ["/"];
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const shown = await look(path);
      expect([path, shown.status]).toEqual([path, 200]);
      for (const [, next] of shown.text.matchAll(/href="(\/[^"#]*)/g)) {
        if (next === undefined || seen.has(next)) continue;
        seen.add(next);
        waiting.push(next);
      }
    }
    expect([...seen]).toEqual(
      expect.arrayContaining(["/acme/demo", "/acme/demo/pull/1", "/_deliveries", "/_style.css"]),
    );
    for (const path of [
      "/acme/demo/pull/9",
      "/acme/nothing",
      "/x",
      "/acme/demo/blob/main/no",
      "/acme/demo/actions/runs/1",
      "/_deliveries/1",
    ])
      expect((await look(path)).status).toBe(404);
  });
});

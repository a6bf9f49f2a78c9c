import { afterEach, describe, expect, test } from "vitest";
import {
  addApp,
  addProtectionRule,
  addUser,
  answerProtection,
  asUser,
  cancelRun,
  dispatchWorkflow,
  findWorkflow,
  forkRepository,
  jobsOf,
  rerun,
  resolveToken,
} from "../../../src/sandbox/world/index.ts";
import { type Place, place, until } from "./builders.ts";

let here: Place;
afterEach(async () => {
  await here.close();
  expect(here.failures).toEqual([]);
});

describe("a push", () => {
  test("starts the workflow on its commit, with checkout, and says so by events and check runs", async () => {
    here = await place({
      "ci.yml": `
name: ci
on: push
jobs:
  build:
    runs-on: [self-hosted, linux]
    steps:
      - uses: actions/checkout@v5
      - run: cat README.md; echo "$GITHUB_REPOSITORY $GITHUB_REF $GITHUB_EVENT_NAME $GITHUB_API_URL \${{ vars.COLOUR }}"
`,
    });
    const run = await here.completed("push");
    expect(run.conclusion).toBe("success");
    const log = here.log(run, "build");
    expect(log).toContain("# tests");
    expect(log).toContain("octo/tests refs/heads/main push http://ghe.test/api/v3 red");
    const events = here.changes.flatMap((one) =>
      one.kind === "workflow_run" || one.kind === "workflow_job" ? [`${one.kind}.${one.action}`] : [],
    );
    expect(events).toEqual([
      ...["workflow_run.requested", "workflow_job.queued", "workflow_job.in_progress", "workflow_run.in_progress"],
      ...["workflow_job.completed", "workflow_run.completed"],
    ]);
    const [job] = jobsOf(here.world, run);
    expect(job?.steps.map((step) => [step.name, step.conclusion])).toEqual([
      ["Set up job", "success"],
      ["Run actions/checkout@v5", "success"],
      [expect.stringMatching(/^Run cat/), "success"],
      ["Complete job", "success"],
    ]);
    expect(here.world.checkRuns.get(job?.checkRunId ?? 0)).toMatchObject({ name: "build", conclusion: "success" });
  });

  test("to another branch, or of paths that are not meant, starts nothing", async () => {
    const job = 'jobs: { a: { runs-on: self-hosted, steps: [{ run: "true" }] } }';
    here = await place({
      "ci.yml": `on: { push: { branches: ["release/**"], paths: ["src/**", "!src/docs/**"] } }\n${job}`,
    });
    here.push("release/1", { "src/a.ts": "1" });
    await here.completed("push");
    here.push("release/1", { "src/docs/a.md": "1" });
    here.push("other", { "src/b.ts": "1" });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(here.world.runs.size).toBe(1);
  });

  test("a broken file is a failed run with the reason on its check", async () => {
    here = await place({ "ci.yml": "on: push\njobs: { a: { runs-on: x, container: y, steps: [{ run: x }] } }" });
    const run = await here.completed("push");
    expect(run.conclusion).toBe("startup_failure");
    expect(here.annotations(run, ".github/workflows/ci.yml")).toEqual([
      "not implemented in the sandbox: jobs.a.container",
    ]);
  });
});

describe("jobs", () => {
  test("needs, outputs, conditions and a matrix made from an output", async () => {
    here = await place({
      "ci.yml": `
on: push
jobs:
  size:
    runs-on: self-hosted
    outputs: { list: "\${{ steps.s.outputs.list }}" }
    steps: [{ id: s, run: 'echo "list=[0,1,2]" >> "$GITHUB_OUTPUT"' }]
  agent:
    needs: size
    runs-on: self-hosted
    strategy: { fail-fast: false, max-parallel: 2, matrix: { index: "\${{ fromJSON(needs.size.outputs.list) }}" } }
    steps:
      - run: echo "i=\${{ matrix.index }} of \${{ strategy.job-total }} at \${{ strategy.job-index }}"; test "\${{ matrix.index }}" != 1
  after: { needs: agent, runs-on: self-hosted, steps: [{ run: "true" }] }
  report: { needs: agent, if: "always()", runs-on: self-hosted, steps: [{ run: "echo it was \${{ needs.agent.result }}" }] }
`,
    });
    const run = await here.completed("push");
    expect(run.conclusion).toBe("failure");
    expect(here.jobs(run)).toEqual({
      size: "success",
      "agent (0)": "success",
      "agent (1)": "failure",
      "agent (2)": "success",
      after: "skipped",
      report: "success",
    });
    expect(here.log(run, "agent (2)")).toContain("i=2 of 3 at 2");
    expect(here.log(run, "report")).toContain("it was failure");
  });

  test("fail-fast cancels the rest of the matrix", async () => {
    here = await place({
      "ci.yml": `
on: push
jobs:
  a:
    runs-on: self-hosted
    strategy: { matrix: { wait: [0, 30] } }
    steps: [{ run: "sleep \${{ matrix.wait }}; exit 1" }]
`,
    });
    const run = await here.completed("push");
    expect(here.jobs(run)).toEqual({ "a (0)": "failure", "a (30)": "cancelled" });
  });

  test("a called workflow gets typed inputs and gives outputs back", async () => {
    here = await place({
      "ci.yml": `
on: push
jobs:
  group: { uses: ./.github/workflows/group.yml, with: { agents: 2 }, permissions: { contents: read } }
  after: { needs: group, runs-on: self-hosted, steps: [{ run: "echo said \${{ needs.group.outputs.said }}" }] }
`,
      "group.yml": `
on:
  workflow_call:
    inputs: { agents: { type: number, required: true }, word: { type: string, default: hello } }
    outputs: { said: { value: "\${{ jobs.say.outputs.word }}" } }
jobs:
  say:
    runs-on: self-hosted
    outputs: { word: "\${{ steps.w.outputs.word }}" }
    steps: [{ id: w, run: 'echo "word=\${{ inputs.word }} \${{ inputs.agents == 2 }}" >> "$GITHUB_OUTPUT"' }]
`,
    });
    const run = await here.completed("push");
    expect(here.jobs(run)).toEqual({ "group / say": "success", after: "success" });
    expect(here.log(run, "after")).toContain("said hello true");
  });

  test("a job waits queued while no runner is free", async () => {
    here = await place(
      {
        "ci.yml": `on: push\njobs:\n${["a", "b"].map((key) => `  ${key}: { runs-on: self-hosted, steps: [{ run: "sleep 0.3" }] }\n`).join("")}`,
      },
      { runners: 1 },
    );
    const run = await until("the run", () => here.run("push"));
    await until("one running", () => jobsOf(here.world, run).some((job) => job.status === "in_progress"));
    expect(
      jobsOf(here.world, run)
        .map((job) => job.status)
        .sort(),
    ).toEqual(["in_progress", "queued"]);
    await here.completed("push");
    const runners = jobsOf(here.world, run).map((job) => job.runner?.name);
    expect(runners).toEqual(["runner-1", "runner-1"]);
  });

  test("a job whose labels no runner has says so while it waits, and can be cancelled", async () => {
    here = await place({ "ci.yml": 'on: push\njobs: { a: { runs-on: gpu, steps: [{ run: "true" }] } }' });
    const run = await until("the run", () => here.run("push"));
    await until("the reason", () =>
      jobsOf(here.world, run)[0]?.log.join("").includes("Waiting for a runner with the labels gpu"),
    );
    cancelRun(here.world, asUser(here.alice), run);
    expect((await here.completed("push")).conclusion).toBe("cancelled");
  });
});

describe("a pull request", () => {
  const workflow = `
on: pull_request
permissions: { contents: read, checks: write, id-token: write }
jobs:
  a:
    runs-on: self-hosted
    steps:
      - uses: actions/checkout@v5
      - run: ls; echo "$GITHUB_REF $GITHUB_HEAD_REF -> $GITHUB_BASE_REF"; echo "secret [\${{ secrets.KEY }}]"; cat "$GITHUB_EVENT_PATH"
`;

  test("runs on the merge commit and shows on the head", async () => {
    here = await place({ "pr.yml": workflow }, { secrets: { KEY: "opensesame" } });
    const pull = here.pull("feature", { "new.txt": "1" });
    const run = await here.completed("pull_request");
    expect(run).toMatchObject({
      headSha: pull.head.sha,
      sha: pull.mergeCommitSha,
      displayTitle: "Add feature",
      pullNumbers: [1],
    });
    const log = here.log(run, "a");
    expect(log).toContain("new.txt");
    expect(log).toContain("refs/pull/1/merge feature -> main");
    expect(log).toContain("secret [***]");
    expect(log).toContain('"action": "opened"');
  });

  test("from a fork has a read-only token and no secrets", async () => {
    here = await place({ "pr.yml": workflow }, { secrets: { KEY: "opensesame" } });
    const mallory = addUser(here.world, "mallory");
    const fork = forkRepository(here.world, asUser(mallory), here.repository, mallory);
    here.pull("evil", { "x.txt": "1" }, { headRepository: fork, by: mallory });
    const run = await until("the run", () => here.run("pull_request"));
    const token = await until("its token", () => [...here.world.tokens.values()].find((one) => one.kind === "job"));
    expect(token.kind === "job" && token.permissions).toEqual({ metadata: "read", contents: "read", checks: "read" });
    await here.completed("pull_request");
    expect(here.log(run, "a")).toContain("secret []");
    expect(resolveToken(here.world, token.token)).toBeNull();
  });
});

describe("cancelling and running again", () => {
  test("a cancelled run ends its jobs, and always() still runs", async () => {
    here = await place({
      "ci.yml": `
on: push
jobs:
  slow: { runs-on: self-hosted, steps: [{ run: "echo started; sleep 60" }, { if: "always()", run: "echo cleaned up" }] }
  last: { needs: slow, if: "always()", runs-on: self-hosted, steps: [{ run: "echo last" }] }
`,
    });
    const run = await until("the run", () => here.run("push"));
    await until("the start", () =>
      jobsOf(here.world, run)[0]
        ?.log.join("")
        .match(/Z started/),
    );
    cancelRun(here.world, asUser(here.alice), run);
    await here.completed("push");
    expect(run.conclusion).toBe("cancelled");
    expect(here.jobs(run)).toEqual({ slow: "cancelled", last: "success" });
    expect(here.log(run, "slow")).toContain("cleaned up");
  });

  test("re-run failed jobs starts those and what needs them, as the next attempt", async () => {
    here = await place({
      "ci.yml": `
on: push
jobs:
  good: { runs-on: self-hosted, outputs: { x: kept }, steps: [{ run: "echo attempt $GITHUB_RUN_ATTEMPT" }] }
  flaky: { runs-on: self-hosted, strategy: { fail-fast: false, matrix: { i: [0, 1] } }, steps: [{ run: 'test "\${{ matrix.i }}$GITHUB_RUN_ATTEMPT" != 11' }] }
  after: { needs: [good, flaky], runs-on: self-hosted, steps: [{ run: "echo \${{ needs.good.outputs.x }}" }] }
`,
    });
    const run = await here.completed("push");
    expect(here.jobs(run)).toEqual({
      good: "success",
      "flaky (0)": "success",
      "flaky (1)": "failure",
      after: "skipped",
    });
    rerun(here.world, asUser(here.alice), run, "failed");
    await here.completed("push");
    expect(run).toMatchObject({ attempt: 2, conclusion: "success" });
    expect(here.jobs(run)).toEqual({ "flaky (1)": "success", after: "success" });
    expect(here.log(run, "after")).toContain("kept");
    rerun(here.world, asUser(here.alice), run, "all");
    await here.completed("push");
    expect(Object.keys(here.jobs(run))).toEqual(["good", "flaky (0)", "flaky (1)", "after"]);
  });

  test("a newer run of a group with cancel-in-progress ends the older", async () => {
    here = await place({
      "ci.yml": `
on: push
concurrency: { group: "ci-\${{ github.ref }}", cancel-in-progress: true }
jobs: { a: { runs-on: self-hosted, steps: [{ run: "test -f fast || sleep 60" }, { run: "true" }] } }
`,
    });
    await until("the first", () =>
      jobsOf(here.world, here.run("push") ?? ({} as never)).some((job) => job.status === "in_progress"),
    );
    here.push("main", { x: "1" });
    const first = await here.completed("push");
    expect(first.conclusion).toBe("cancelled");
    expect(here.run("push", 1)?.status).not.toBe("completed");
  });
});

describe("starts by hand", () => {
  const deploy = `
run-name: Deploy \${{ inputs.to }}
on:
  workflow_dispatch:
    inputs: { to: { type: string, required: true }, really: { type: boolean, default: true } }
jobs:
  deploy:
    environment: qa
    runs-on: self-hosted
    steps: [{ run: "echo to \${{ inputs.to }} \${{ inputs.really == true }} \${{ github.event.inputs.really }}" }]
`;

  const dispatch = (): void => {
    const workflow = findWorkflow(here.world, here.repository, "deploy.yml");
    if (workflow === null) throw new Error("no workflow deploy.yml");
    dispatchWorkflow(here.world, asUser(here.alice), here.repository, workflow, {
      ref: "main",
      inputs: { to: "moon" },
    });
  };

  test("inputs keep their types, and run-name is the title", async () => {
    here = await place({ "deploy.yml": deploy });
    dispatch();
    const run = await here.completed("workflow_dispatch");
    expect(run.displayTitle).toBe("Deploy moon");
    expect(here.log(run, "deploy")).toContain("to moon true true");
  });

  test.each(["approved", "rejected"] as const)(
    "a job held by its environment waits for the app: %s",
    async (verdict) => {
      here = await place({ "deploy.yml": deploy });
      const guard = addApp(here.world, {
        slug: "guard",
        owner: here.alice,
        permissions: { deployments: "write" },
        events: [],
      });
      addProtectionRule(here.world, here.repository, "qa", guard);
      dispatch();
      const run = await until("the run", () => here.run("workflow_dispatch"));
      await until("the request", () => here.changes.some((change) => change.kind === "deployment_protection_rule"));
      expect(jobsOf(here.world, run)[0]).toMatchObject({ status: "waiting", runner: null });
      answerProtection(here.world, guard, run, { environment: "qa", verdict, comment: null });
      await here.completed("workflow_dispatch");
      expect(here.jobs(run)).toEqual({ deploy: verdict === "approved" ? "success" : "failure" });
      const [deployment] = [...here.world.deployments.values()];
      expect(deployment?.statuses.at(-1)?.state).toBe(verdict === "approved" ? "success" : "failure");
    },
  );
});

describe("chains", () => {
  test("a workflow that follows itself ends after three links", async () => {
    const job = 'jobs: { a: { runs-on: self-hosted, steps: [{ run: "true" }] } }';
    here = await place({
      "first.yml": `name: first\non: push\n${job}`,
      "next.yml": `name: next\non: { workflow_run: { workflows: [first, next], types: [completed] } }\n${job}`,
    });
    await here.completed("workflow_run", 2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([...here.world.runs.values()].map((run) => run.name)).toEqual(["first", "next", "next", "next"]);
  });

  test("[skip ci] in the message starts nothing", async () => {
    here = await place({
      "ci.yml": 'on: { push: { branches: [side] } }\njobs: { a: { runs-on: self-hosted, steps: [{ run: "true" }] } }',
    });
    here.push("side", { a: "1" }, "Change [skip ci]");
    here.push("side", { a: "2" }, "Change for real");
    await here.completed("push");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([...here.world.runs.values()].map((run) => run.displayTitle)).toEqual(["Change for real"]);
  });
});

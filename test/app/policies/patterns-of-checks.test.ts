import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addJob,
  asUser,
  completeRun,
  createRun,
  type PullRequest,
  updateJob,
  type WorkflowRun,
} from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

const POLICY = `
stages:
  - { name: opened, enter: { draft: false } }
  - { name: tested, enter: { checks: ["ci-*"] } }
  - { name: clean, enter: checks_pass }
`;
const WORKFLOW = "on: workflow_dispatch\njobs: { a: { runs-on: nowhere, steps: [{ run: 'true' }] } }\n";

describe("a pattern of checks", () => {
  let house: House;
  beforeEach(async () => {
    const files = { ".github/workflows/one.yml": WORKFLOW, ".github/workflows/two.yml": WORKFLOW };
    house = await openPolicyHouse(POLICY, { oneClock: true, files });
    await house.settled();
  });
  afterEach(async () => {
    await house.close();
  });

  const begin = (pull: PullRequest, file: string): WorkflowRun =>
    createRun(house.sandbox.world, asUser(house.rex), {
      repository: house.repository,
      path: `.github/workflows/${file}.yml`,
      event: "pull_request",
      ref: `refs/pull/${pull.number}/merge`,
      sha: pull.head.sha,
      headSha: pull.head.sha,
      headBranch: pull.head.ref,
      payload: {},
    });
  const job = (run: WorkflowRun, name: string) => {
    const { world } = house.sandbox;
    const made = addJob(world, run, { key: name, name, labels: [] });
    house.later();
    updateJob(world, made, { status: "in_progress" });
    updateJob(world, made, { status: "completed", conclusion: "success" });
  };
  const sweep = async () => {
    house.later(120);
    const repository = await house.store.repository(house.repository.id);
    if (repository === null) throw new Error("The repository is not known.");
    await house.app.engine().reconciliation.sweep(repository);
    await house.settled();
  };

  it.each(["told", "lost"])(
    "waits for the jobs that are not there yet, and for other workflows, when it is %s",
    async (way) => {
      const pull = house.open();
      await house.settled();
      const happens = async (what: () => void) => {
        if (way === "lost") house.sandbox.faults.place({ kind: "hookDrop", match: {}, times: 1_000_000 });
        what();
        await house.settled();
        house.sandbox.faults.clear();
        if (way === "lost") await sweep();
      };
      const one = begin(pull, "one");
      const two = begin(pull, "two");
      await happens(() => job(one, "ci-first"));
      expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
      await happens(() => {
        job(one, "ci-second");
        completeRun(house.sandbox.world, one);
      });
      expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
      const reason = (await house.row(pull))?.evaluation?.missing?.summary;
      expect(reason).toBe("more checks may come: .github/workflows/two.yml has not finished");
      await happens(() => {
        job(two, "lint");
        completeRun(house.sandbox.world, two);
      });
      expect(house.stageLabels(pull)).toEqual(["stage/clean"]);
      // What runs again withdraws nothing.
      await happens(() => {
        begin(pull, "two");
      });
      expect(house.stageLabels(pull)).toEqual(["stage/clean"]);
    },
  );

  it("asks GitHub for suites of which it was not told", async () => {
    const pull = house.open();
    await house.settled();
    const one = begin(pull, "one");
    await house.settled();
    house.sandbox.faults.place({ kind: "hookDrop", match: {}, times: 1_000_000 });
    begin(pull, "two");
    await house.settled();
    house.sandbox.faults.clear();
    job(one, "ci-only");
    completeRun(house.sandbox.world, one);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
    expect((await house.row(pull))?.evaluation?.missing?.summary).toMatch(/two\.yml has not finished/);
  });
});

/** Gates and starts with runners that carry the jobs out: what a team would see. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Actions, startActions } from "../../../src/sandbox/workflows/start.ts";
import {
  addLabelsByName,
  addProtectionRule,
  asUser,
  commitFiles,
  jobsOf,
  type WorkflowRun,
} from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

const POLICY = `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - name: qa
    enter: { label: go }
    on_enter: [{ release: preview }, { start: { workflow: qa.yml, limit: 1 } }]
  - { name: done, gate: true, enter: { workflow: qa.yml } }
on_push: { back_to: open, cancel: true }
`;
const PREVIEW = `on: pull_request
jobs:
  preview:
    runs-on: self-hosted
    environment: preview
    steps: [{ run: 'echo "previewing $GITHUB_REF"' }]
`;
const QA = `on:
  workflow_dispatch:
    inputs:
      sha: { required: true, type: string }
      pull_request: { required: true, type: string }
      stagewright_key: { required: true, type: string }
run-name: "QA of #\${{ inputs.pull_request }} (\${{ inputs.stagewright_key }})"
jobs:
  qa:
    runs-on: self-hosted
    environment: preview
    steps: [{ run: 'test "\${{ inputs.sha }}" != ""' }]
`;

let house: House;
let actions: Actions;
const faults: unknown[] = [];
beforeEach(async () => {
  house = await openHouse({
    permissions: { actions: "write", deployments: "write" },
    events: ["deployment_protection_rule"],
    files: {
      ".github/stagewright.yml": POLICY,
      ".github/workflows/preview.yml": PREVIEW,
      ".github/workflows/qa.yml": QA,
    },
  });
  addProtectionRule(house.sandbox.world, house.repository, "preview", house.registered);
  actions = await startActions(house.sandbox, {
    root: process.cwd(),
    runners: 2,
    oidc: false,
    cancelTimes: { interruptMs: 200, terminateMs: 200, drainMs: 200 },
    report: (error) => faults.push(error),
  });
});
afterEach(async () => {
  await actions.close(1_000);
  await house.close();
  expect(faults).toEqual([]);
});

const runs = (event: string): WorkflowRun[] =>
  [...house.sandbox.world.runs.values()].filter((run) => run.event === event);

it("a job is held until its pull request is in the stage, and what the stage starts passes the same gate", async () => {
  const pull = house.open();
  await house.until("the preview waits", () =>
    runs("pull_request").some((run) => jobsOf(house.sandbox.world, run)[0]?.status === "waiting"),
  );
  await house.settled();
  const [preview] = runs("pull_request");
  expect(preview).toMatchObject({ status: "waiting", conclusion: null });
  house.later();
  addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["go"]);
  await house.until("the preview was made", () => preview?.conclusion === "success");
  await house.until("QA has passed", () => runs("workflow_dispatch").some((run) => run.conclusion === "success"));
  await house.until("it is done", () => house.stageLabels(pull).join() === "stage/done");
  await house.settled();
  expect(runs("workflow_dispatch")).toHaveLength(1);
  const [qa] = runs("workflow_dispatch");
  expect(qa?.displayTitle).toBe(`QA of #${pull.number} (${qa?.inputs.stagewright_key})`);
  expect(house.checks(pull)).toMatchObject({
    "stagewright: qa.yml": "success",
    "stagewright / qa": "success",
    "stagewright / done": "success",
  });
  const lines = (await house.history(pull)).map((line) => line.reason).join("\n");
  expect(lines).toContain(`the job that waited for the environment preview may begin (run ${preview?.id})`);
  expect(lines).toContain(`the job that waited for the environment preview may begin (run ${qa?.id})`);
  expect(lines).toContain(`qa.yml succeeded: run ${qa?.id}`);
});

it("a push during QA cancels it on its runner", async () => {
  const pull = house.open();
  await house.settled();
  house.later();
  house.repository.environments.get("preview")?.rules.splice(0);
  const slow = QA.replace(/steps: .*/u, "steps: [{ run: sleep 60 }]");
  commitFiles(house.sandbox.world, asUser(house.owner), house.repository, {
    branch: "main",
    message: "Slower",
    files: { ".github/workflows/qa.yml": slow },
  });
  await house.settled();
  addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["go"]);
  await house.until("QA runs", () => runs("workflow_dispatch").some((run) => run.status === "in_progress"));
  house.later();
  house.push(pull);
  await house.until("QA is cancelled", () => runs("workflow_dispatch")[0]?.conclusion === "cancelled");
}, 60_000);

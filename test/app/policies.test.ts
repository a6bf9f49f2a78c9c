import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addLabelsByName,
  asUser,
  type CheckRun,
  commitFiles,
  type PullRequest,
} from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "./house.ts";

const FILE = ".github/stagewright.yml";
const TWO_STAGES = `version: 1
stages:
  - name: opened
    enter: { draft: false }
  - name: checked
    enter: { label: { name: checked, by: [cleo] } }
`;
const BROKEN = `version: 1
stages:
  - name: opened
    entr: { draft: false }
  - name: checked
    enter: { lable: checked }
`;

describe("the policy of a repository", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(async () => {
    await house.close();
  });

  const commit = (files: Record<string, string | null>, branch = "main", by = house.rex) =>
    commitFiles(house.sandbox.world, asUser(by), house.repository, { branch, message: "Change", files });
  const policy = (text: string | null) => commit({ [FILE]: text });
  const label = (pull: PullRequest, name: string, by = house.cleo) =>
    addLabelsByName(house.sandbox.world, asUser(by), pull, [name]);
  const runs = (): CheckRun[] =>
    [...house.sandbox.world.checkRuns.values()].filter((run) => run.name === "stagewright / policy");
  const said = () => runs().map((run) => [run.headSha, run.conclusion, run.output.title]);

  it("is read from the default branch when it is pushed, and its pull requests move by it", async () => {
    const pull = house.open();
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(said()).toEqual([]);

    const made = policy(TWO_STAGES);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
    expect(said()).toEqual([[made.sha, "success", "In force: opened → checked"]]);

    house.later();
    label(pull, "checked");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/checked"]);
  });
});

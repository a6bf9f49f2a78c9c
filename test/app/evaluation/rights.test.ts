import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addLabelsByName,
  addTeam,
  addTeamMember,
  asUser,
  type PullRequest,
  removeCollaborator,
  removeTeamMember,
  setCollaborator,
  submitReview,
  type Team,
} from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

const POLICY = `
stages:
  - { name: opened, enter: { draft: false } }
  - { name: ready, enter: { label: ready } }
  - { name: approved, gate: true, enter: { approvals: { by: ["@acme/testing"] } } }
`;
const GATE = "stagewright / approved";

describe("when rights change", () => {
  let house: House;
  let team: Team;
  beforeEach(async () => {
    house = await openPolicyHouse(POLICY, { oneClock: true });
    team = addTeam(world(), asUser(house.owner), house.owner, "testing");
    addTeamMember(world(), asUser(house.owner), team, house.tess);
    await house.settled();
  });
  afterEach(async () => {
    await house.close();
  });

  const world = () => house.sandbox.world;
  const ready = async (): Promise<PullRequest> => {
    const pull = house.open();
    await house.settled();
    house.later();
    addLabelsByName(world(), asUser(house.cleo), pull, ["ready"]);
    await house.settled();
    house.later();
    return pull;
  };
  const lost = async (what: () => void) => {
    house.sandbox.faults.place({ kind: "hookDrop", match: {}, times: 1_000_000 });
    what();
    await house.settled();
    house.sandbox.faults.clear();
  };
  const sweep = async () => {
    const repository = await house.store.repository(house.repository.id);
    if (repository === null) throw new Error("The repository is not known.");
    await house.app.engine().reconciliation.sweep(repository);
    await house.settled();
  };

  it("closes the gate when who approved leaves the team, and opens it when he is back", async () => {
    const pull = await ready();
    submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" });
    await house.settled();
    expect(house.checks(pull)).toMatchObject({ [GATE]: "success" });
    house.later();
    removeTeamMember(world(), asUser(house.owner), team, house.tess);
    await house.settled();
    expect(house.checks(pull)).toMatchObject({ [GATE]: "in_progress" });
    expect(house.stageLabels(pull)).toEqual(["stage/ready"]);
    house.later();
    addTeamMember(world(), asUser(house.owner), team, house.tess);
    await house.settled();
    expect(house.checks(pull)).toMatchObject({ [GATE]: "success" });
  });

  it("counts what somebody did before he joined", async () => {
    const pull = await ready();
    submitReview(world(), asUser(house.mallory), pull, { state: "APPROVED" });
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready"]);
    house.later();
    addTeamMember(world(), asUser(house.owner), team, house.mallory);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
  });

  it("takes back what somebody gave who may not write any more", async () => {
    const pull = await ready();
    expect(house.stageLabels(pull)).toEqual(["stage/ready"]);
    house.later();
    removeCollaborator(world(), asUser(house.owner), house.repository, house.cleo);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/opened"]);
    house.later();
    setCollaborator(world(), asUser(house.owner), house.repository, house.cleo, "write");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready"]);
  });

  it("is noticed by a sweep within an hour where no event tells of it", async () => {
    const pull = await ready();
    submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" });
    await house.settled();
    await sweep();
    house.later(60);
    await lost(() => removeTeamMember(world(), asUser(house.owner), team, house.tess));
    await sweep();
    expect(house.checks(pull)).toMatchObject({ [GATE]: "success" });
    // Sweeps come every ten minutes.
    for (let minutes = 0; minutes < 60; minutes += 10) {
      house.later(10 * 60 - 30);
      await sweep();
    }
    expect(house.checks(pull)).toMatchObject({ [GATE]: "in_progress" });
  });

  it("asks for no look at what rests on nobody", async () => {
    const alone = house.open();
    await house.settled();
    const pull = await ready();
    const before = [await house.row(alone), await house.row(pull)].map((row) => row?.version);
    house.later();
    addTeamMember(world(), asUser(house.owner), team, house.mallory);
    await house.settled();
    const after = [await house.row(alone), await house.row(pull)].map((row) => row?.version);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBeGreaterThan(before[1] ?? 0);
  });
});

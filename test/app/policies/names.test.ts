/** Those whom a policy names and who cannot see the repository, or cannot be asked: said, and taken back when it is over. */
import { afterEach, describe, expect, it } from "vitest";
import {
  addOrganizationMember,
  addTeam,
  addTeamMember,
  asUser,
  setCollaborator,
  setTeamPermission,
  type Team,
} from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

const POLICY = `
stages:
  - { name: opened, enter: { draft: false } }
  - { name: approved, enter: { approvals: { by: ["@acme/testing"] } } }
`;
const ASKING = `
stages:
  - { name: opened, enter: { draft: false }, on_enter: [{ request_review: "@acme/testing" }] }
`;
const NOTHING_LACKS = "In force: opened → approved";

describe("a team that a policy names", () => {
  let house: House;
  afterEach(async () => {
    await house.close();
  });

  const world = () => house.sandbox.world;
  const teamOf = (slug: string, ...members: readonly House["tess"][]): Team => {
    const team = addTeam(world(), asUser(house.owner), house.owner, slug);
    for (const member of members) {
      addTeamMember(world(), asUser(house.owner), team, member);
    }
    return team;
  };
  const newest = () =>
    [...world().checkRuns.values()].filter((run) => run.name === "stagewright / policy").at(-1)?.output;
  const outsider = () => {
    const found = [...world().accounts.values()].find((one) => one.login === "mallory");
    if (found === undefined) throw new Error("Nobody is called mallory.");
    setCollaborator(world(), asUser(house.owner), house.repository, found, "none");
    return found;
  };
  const sweep = async () => {
    const repository = await house.store.repository(house.repository.id);
    if (repository === null) throw new Error("The repository is not known.");
    await house.app.engine().reconciliation.sweep(repository);
    await house.settled();
  };

  it("and that cannot see a private repository is said, until it is given the repository", async () => {
    house = await openPolicyHouse(POLICY, { private: true });
    const team = teamOf("testing", outsider());
    await house.settled();
    expect(newest()?.title).toMatch(/^In force, but: The team @acme\/testing cannot see this repository/u);
    expect(newest()?.summary).toMatch(/named in approvals of approved; nobody is left for approvals of approved/u);

    setTeamPermission(world(), asUser(house.owner), team, house.repository, "read");
    await house.settled();
    expect(newest()?.title).toBe(NOTHING_LACKS);

    setTeamPermission(world(), asUser(house.owner), team, house.repository, null);
    await house.settled();
    expect(newest()?.title).toMatch(/cannot see this repository/u);
  });

  it("and whose members see a private repository otherwise is nothing to be said of", async () => {
    house = await openPolicyHouse(POLICY, { private: true });
    teamOf("testing", house.tess);
    await house.settled();
    expect(newest()?.title).toBe(NOTHING_LACKS);
  });

  it("and that does not exist is said until it does", async () => {
    house = await openPolicyHouse(POLICY);
    await house.settled();
    expect(newest()?.title).toMatch(/^In force, but: There is no team @acme\/testing/u);
    teamOf("testing", house.tess);
    await house.settled();
    expect(newest()?.title).toBe(NOTHING_LACKS);
  });

  it("and is to be asked for reviews needs the repository for itself, also a public one", async () => {
    house = await openPolicyHouse(ASKING);
    const team = teamOf("testing", house.tess);
    await house.settled();
    expect(newest()?.title).toMatch(
      /^In force, but: The team @acme\/testing was not given this repository, and GitHub asks no such team for a review/u,
    );
    setTeamPermission(world(), asUser(house.owner), team, house.repository, "read");
    await house.settled();
    expect(newest()?.title).toBe("In force: opened");
  });

  it("is looked at again by a sweep where no event tells of it", async () => {
    house = await openPolicyHouse(POLICY, { oneClock: true });
    await house.settled();
    await sweep();
    house.sandbox.faults.place({ kind: "hookDrop", match: {}, times: 1_000_000 });
    teamOf("testing", house.tess);
    await house.settled();
    house.sandbox.faults.clear();
    await sweep();
    expect(newest()?.title).toMatch(/There is no team/u);
    house.later(41 * 60);
    await sweep();
    expect(newest()?.title).toBe(NOTHING_LACKS);
  });

  it("costs nothing when something happens to another", async () => {
    house = await openPolicyHouse(POLICY);
    const other = teamOf("others", house.tess);
    await house.settled();
    house.requests();
    addOrganizationMember(world(), house.owner, house.rex);
    addTeamMember(world(), asUser(house.owner), other, house.rex);
    await house.settled();
    expect(house.requests().PolicyFile).toBeUndefined();
  });
});

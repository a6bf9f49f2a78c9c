/** What a policy shows of another repository, which its own readers may not be able to read. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadPolicy, readPolicyText } from "../../src/github/policy-files/load-policy.ts";
import type { PolicyFileSeen } from "../../src/github/policy-files/policy-file.ts";
import { POLICY_PATH } from "../../src/lifecycle/policy/read-policy.ts";
import * as w from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../app/house.ts";

const GOOD = "version: 1\nstages:\n  - { name: swordfish, enter: { draft: false } }\n";
const BROKEN = 'version: 1\noperators: ["the password is swordfish"]\nstages: 7\n';
const EXTENDING = "version: 1\nextends: acme/hidden\n";

/** How a repository may be, whose policy is extended and cannot be used; null: it is not there. */
const HIDDEN: Readonly<Record<string, string | null | undefined>> = {
  "is not there": null,
  "has no policy": undefined,
  "has errors": BROKEN,
  "is no YAML": "swordfish: [",
  "extends what is not there": "version: 1\nextends: acme/swordfish\n",
  "extends the one that extends it": "version: 1\nextends: acme/widget\n",
  "is too large": `# swordfish\n${"#".repeat(1_048_576)}`,
};

describe("what is read", () => {
  const seen = (text: string | undefined, isPrivate: boolean): PolicyFileSeen => ({
    repository: { id: 1, private: isPrivate },
    branch: "main",
    head: "0".repeat(40),
    reviewsRequired: 0,
    file: text === undefined ? null : { oid: "a", size: text.length, content: text.length > 1_048_576 ? null : text },
  });
  const files = (hidden: string | null | undefined, isPrivate: boolean) => async (place: { readonly name: string }) =>
    place.name === "widget"
      ? seen(EXTENDING, false)
      : place.name === "hidden" && hidden !== null
        ? seen(hidden, isPrivate)
        : null;
  const problemsOf = async (hidden: string | null | undefined, isPrivate = true) =>
    (await loadPolicy({ owner: "acme", name: "widget" }, files(hidden, isPrivate))).problems;

  it("is the same of every private repository whose policy cannot be used, and of one that is not there", async () => {
    const all = await Promise.all(Object.values(HIDDEN).map((hidden) => problemsOf(hidden)));
    expect(all[0]).toMatchObject([{ severity: "error", file: POLICY_PATH, line: 2, column: 10 }]);
    for (const problems of all) expect(problems).toEqual(all[0]);
    expect(JSON.stringify(all)).not.toContain("swordfish");
  });

  it.each(Object.entries(HIDDEN))("tells the log why, when it %s", async (_, hidden) => {
    const { untold } = await loadPolicy({ owner: "acme", name: "widget" }, files(hidden, true));
    expect(untold.at(-1)).toMatch(
      /^acme\/hidden (?:is not there|has no \.github|has \d+ errors?: acme\/hidden\/\.github\/)/u,
    );
  });

  it("tells what is wrong with a public one", async () => {
    expect(JSON.stringify(await problemsOf(BROKEN, false))).toContain("swordfish");
  });

  it("tells nothing of a private one that a public one extends", async () => {
    const read = async (hidden: string | undefined) =>
      (
        await loadPolicy({ owner: "acme", name: "top" }, async ({ name }) =>
          name === "hidden"
            ? seen(hidden, true)
            : seen(name === "top" ? "version: 1\nextends: acme/widget\n" : EXTENDING, false),
        )
      ).problems;
    expect(await read(BROKEN)).toEqual(await read(undefined));
  });

  it("tells who asks with a token of their own what is wrong with what it may read", async () => {
    const { problems } = await readPolicyText(Buffer.from(EXTENDING), "p.yml", files(BROKEN, true));
    expect(JSON.stringify(problems)).toContain("swordfish");
  });
});

describe("what is shown in a public repository", () => {
  let house: House;
  let hidden: w.Repository;
  beforeEach(async () => {
    house = await openHouse();
    const { world } = house.sandbox;
    const files = { "README.md": "x", [POLICY_PATH]: BROKEN };
    hidden = w.addRepository(world, w.asUser(house.owner), {
      owner: house.owner,
      name: "hidden",
      private: true,
      files,
    });
    const [installation] = world.installations.values();
    if (installation === undefined) throw new Error("not installed");
    w.changeInstallationRepositories(world, w.asUser(house.owner), installation, "added", [hidden]);
  });
  afterEach(() => house.close());

  const put = (repository: w.Repository, text: string | null): void => {
    const { world } = house.sandbox;
    w.commitFiles(world, w.asUser(house.owner), repository, {
      branch: "main",
      message: "m",
      files: { [POLICY_PATH]: text },
    });
  };
  /** All that the app says in this repository: whatever it writes. */
  const shown = (repository: w.Repository) =>
    [...house.sandbox.world.checkRuns.values()]
      .filter((run) => run.repositoryId === repository.id && run.name === "stagewright / policy")
      .map(({ id, externalId, conclusion, output, annotations }) => ({
        id,
        externalId,
        conclusion,
        output,
        annotations,
      }));

  it("stays the same, to the last id, whatever becomes of the private one; its own check says what is wrong", async () => {
    put(house.repository, EXTENDING);
    const pull = house.open();
    await house.settled();
    const before = shown(house.repository);
    expect(before).toMatchObject([{ conclusion: "failure" }]);
    expect(JSON.stringify(before)).not.toContain("swordfish");
    for (const text of [BROKEN.replace("7", "8"), null, "swordfish: [", EXTENDING.replace("hidden", "swordfish")]) {
      put(hidden, text);
      await house.settled();
      expect(shown(house.repository)).toEqual(before);
    }
    const { world } = house.sandbox;
    w.addComment(world, w.asUser(house.rex), pull, "/stage status");
    await house.settled();
    expect(JSON.stringify(pull.comments.map((each) => each.body))).not.toContain("swordfish");
    expect(JSON.stringify(shown(hidden).map(({ annotations }) => annotations))).toContain("swordfish");
    // Stages of a policy in force are what pull requests are shown with: that much of it is public by being extended.
    put(hidden, GOOD);
    await house.settled();
    expect(shown(house.repository).at(-1)?.output.title).toBe("In force: swordfish");
  });
});

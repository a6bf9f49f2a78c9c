/** Nobody can exchange a package or an action that this project was checked with. */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lockProblems, unpinnedActions } from "../../scripts/supply-chain.ts";

const COMMIT = "fbc6f3992d24b796d5a048ff273f7fcc4a7b6c09";

describe("the lock file", () => {
  it("has a checksum for every package, those of other platforms too, and names no registry", () => {
    expect(lockProblems(readFileSync("package-lock.json", "utf8"))).toEqual([]);
  });

  it("is refused where one package could be exchanged", () => {
    const packages = {
      "": {},
      "node_modules/good": { integrity: "sha512-x" },
      "node_modules/optional": { optional: true },
      "node_modules/weak": { integrity: "sha1-x" },
      "node_modules/bound": { integrity: "sha512-x", resolved: "https://registry.example/bound.tgz" },
    };
    expect(lockProblems(JSON.stringify({ packages }))).toEqual([
      expect.stringContaining("node_modules/optional"),
      expect.stringContaining("node_modules/weak"),
      expect.stringContaining("node_modules/bound"),
    ]);
  });
});

describe("workflows", () => {
  it("take others' actions by commit, in this repository and in the examples", () => {
    const files = globSync("{.github,examples,examples/*/.github}/workflows/*.yml");
    expect(files.length).toBeGreaterThan(5);
    expect(files.flatMap((file) => unpinnedActions(readFileSync(file, "utf8"), file))).toEqual([]);
  });

  it.each([
    ["a tag", "uses: actions/checkout@v5"],
    ["a branch in quotes", 'uses: "actions/checkout@main"'],
    ["an abbreviated commit", "uses: actions/checkout@fbc6f39 # v5"],
    ["a commit without its tag", `uses: actions/checkout@${COMMIT}`],
    ["an image by its tag", "uses: docker://alpine:3"],
    ["a mapping on one line", "{ name: x, uses: actions/cache@v4 }"],
    ["a look-alike of ours", "uses: stagewright-x/stagewright@v1"],
  ])("are refused with %s", (_, step) => {
    expect(unpinnedActions(`jobs:\n  a:\n    steps:\n      - ${step}\n`, "w.yml")).toEqual([
      expect.stringMatching(/^w\.yml:4: /u),
    ]);
  });

  it("are refused with others' workflows by tag", () => {
    expect(unpinnedActions("jobs:\n  a:\n    uses: o/r/.github/workflows/w.yml@v1\n", "w.yml")).toHaveLength(1);
  });

  it("may use what is released with them, and what is pinned", () => {
    const steps = [`actions/checkout@${COMMIT} # v5.1.0`, "./", "stagewright/stagewright@v1"];
    const text = `jobs:\n  a:\n    steps:\n${steps.map((each) => `      - uses: ${each}\n`).join("")}`;
    expect(unpinnedActions(text, "w.yml")).toEqual([]);
  });
});

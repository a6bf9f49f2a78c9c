/** What is released is what its tag says, and no page names a version that there is not. */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { notesOf, releaseProblems, unknownVersions } from "../../scripts/release.ts";

const FILES = {
  packageJson: readFileSync("package.json", "utf8"),
  changelog: readFileSync("CHANGELOG.md", "utf8"),
};
const MADE = {
  packageJson: '{"version":"1.2.3"}',
  changelog: "# Changelog\n\n## 1.2.3\n- It.\n\n## 1.2.2 (2026-01-01)\n",
};

describe("a tag", () => {
  it("is released only if package.json and CHANGELOG say the same", () => {
    expect(releaseProblems("v1.2.3", MADE)).toEqual([]);
    expect(notesOf("1.2.3", MADE.changelog)).toBe("- It.");
    expect(releaseProblems("v1.2.4", MADE)).toEqual([
      "the tag is v1.2.4, package.json says 1.2.3",
      'CHANGELOG.md has no section "## 1.2.4"',
    ]);
    expect(releaseProblems("v1.2.2", MADE)).toContain("the section of 1.2.2 in CHANGELOG.md is empty");
    for (const tag of ["", "1.2.3", "v1", "v1.2.3-rc.1", "v1.2.3; id"]) {
      expect(releaseProblems(tag, MADE)).toEqual([`${tag} is no tag of a release: expected v1.2.3`]);
    }
  });
});

describe("a page", () => {
  it("is found that names a version of which there is no release", () => {
    expect(unknownVersions("uses: stagewright/stagewright@v1\nnpx stagewright@1.2.3", MADE)).toEqual([]);
    expect(unknownVersions("stagewright@v2, stagewright@1.3, ghcr.io/x/stagewright:1.2.9", MADE)).toEqual([
      "2",
      "1.3",
      "1.2.9",
    ]);
  });

  it.each(
    globSync(["README.md", "SECURITY.md", "docs/*.md", "compose.yaml", "deploy/**/*"]).filter((f) => /\.\w+$/u.test(f)),
  )("%s names none, but for the first that is to be, where it says so", (file) => {
    // `published.test.ts` holds that each of these lines, or its page's head, says that it is not published yet.
    const text = readFileSync(file, "utf8").replaceAll("stagewright/stagewright@v1", "");
    expect(unknownVersions(text, FILES)).toEqual([]);
  });
});

describe("the workflow of releases", () => {
  const step = z.object({ uses: z.string().optional(), run: z.string().optional() });
  const workflow = z
    .object({
      permissions: z.record(z.string(), z.string()),
      jobs: z.record(
        z.string(),
        z.object({
          needs: z.union([z.string(), z.array(z.string())]).optional(),
          permissions: z.record(z.string(), z.string()).optional(),
          steps: z.array(step),
        }),
      ),
    })
    .parse(parse(readFileSync(".github/workflows/release.yml", "utf8")));
  const { test, package: packed, image, release } = workflow.jobs;
  const runs = (job: typeof test) => (job?.steps ?? []).flatMap(({ run }) => run ?? []);

  it("publishes nothing before everything was tested, and moves the major tag last", () => {
    expect(runs(test)).toEqual(expect.arrayContaining(["npm run check", "npm test", "npm start -- --once"]));
    expect(packed?.needs).toBe("test");
    expect(image?.needs).toBe("test");
    expect(release?.needs).toEqual(["package", "image"]);
    expect(runs(release).at(-1)).toContain("refs/tags/$major");
  });

  it("lets no step write more than its job needs", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(test?.permissions).toBeUndefined();
    expect(packed?.permissions).toEqual({ contents: "read", "id-token": "write", attestations: "write" });
    expect(release?.permissions).toEqual({ contents: "write" });
    // What comes with the event reaches a shell as a variable alone.
    for (const job of Object.values(workflow.jobs)) {
      for (const run of runs(job)) expect(run).not.toContain("${{");
    }
  });
});

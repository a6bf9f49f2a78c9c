/** Nothing that is not published yet is shown without what to write instead. */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

describe("until the action and the package are published", () => {
  const readme = readFileSync("README.md", "utf8");

  it("README says so before the first use of them, and what to write instead", () => {
    const section = readme.indexOf("## Until it is published\n");
    expect(section).toBeGreaterThan(0);
    const text = readme.slice(section, readme.indexOf("\n## ", section));
    expect(text).toMatch(/not(?:hing)? .*published yet|Neither .* published yet/u);
    expect(text).toMatch(/uses: YOUR-ORG\/stagewright@[0-9a-f]{40}/u);
    expect(text).toContain("/path/to/stagewright/dist/cli/index.js");
    expect(readme.search(/^npx stagewright|^ *- uses: stagewright\//mu)).toBeGreaterThan(section);
  });

  it("every page and example that uses the action says that it is not", () => {
    const silent = globSync(["README.md", "docs/**/*.md", "examples/**/*"], { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`)
      .flatMap((file) =>
        readFileSync(file, "utf8")
          .split("\n")
          .filter((line) => /uses: stagewright\/stagewright@/u.test(line) && !line.includes("not published yet"))
          .map((line) => `${file}: ${line.trim()}`),
      );
    expect(silent).toEqual([]);
  });
});

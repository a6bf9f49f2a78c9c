import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJob } from "../../src/action/input/job.ts";
import { readPlanInput } from "../../src/action/input/plan-file.ts";
import { RunnerConsole, RunnerFiles } from "../../src/action/runner.ts";
import { parseNamesAndValues } from "../../src/sandbox/runner/command-files.ts";
import { workflowCommandReader } from "../../src/sandbox/runner/workflow-commands.ts";

const shown = (text: string): string => text;

/** What the runner makes of everything that was written. */
function meanings(write: (console: RunnerConsole) => void) {
  let printed = "";
  write(
    new RunnerConsole((text) => {
      printed += text;
    }, shown),
  );
  const read = workflowCommandReader();
  return printed.split("\n").slice(0, -1).map(read);
}

describe("standard output", () => {
  const line = fc.oneof(
    fc.string().filter((text) => !/[\r\n]/u.test(text)),
    fc.constantFrom(
      "::error::x",
      "::add-mask::secret",
      "::stop-commands::abc",
      "::abc::",
      "##[error]x",
      "::endgroup::",
    ),
  );

  it("never lets a line of text be read as a command", () => {
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const read = meanings((console) => {
          for (const text of lines) console.text(text);
          console.resume();
        });
        expect(read.filter(({ kind }) => kind === "text")).toEqual(lines.map((text) => ({ kind: "text", text })));
        expect(read.filter(({ kind }) => !["text", "stopped", "resumed"].includes(kind))).toEqual([]);
      }),
    );
  });

  it("lets our own commands through between them", () => {
    const read = meanings((console) => {
      console.text("::error::not ours");
      console.mask("a\nb%");
      console.text("more");
      console.error("ours: 100%\nsecond line");
      console.mask("   ");
    });
    expect(read.filter(({ kind }) => kind === "mask" || kind === "annotation")).toMatchObject([
      { kind: "mask", value: "a\nb%" },
      { kind: "annotation", annotation: { level: "failure", message: "ours: 100%\nsecond line" } },
    ]);
  });
});

describe("command files", () => {
  it("carry values of any content", () => {
    const directory = mkdtempSync(join(tmpdir(), "files-"));
    const path = join(directory, "output");
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z-]{1,8}$/u), fc.string({ unit: "grapheme" })), (values) => {
        writeFileSync(path, "");
        const files = new RunnerFiles({ GITHUB_OUTPUT: path }, (text) => expect.fail(text), shown);
        for (const [name, value] of Object.entries(values)) files.output(name, value);
        // A file of lines knows no difference between the two line ends.
        const lines = (text: string) => text.replaceAll("\r\n", "\n");
        expect(parseNamesAndValues(readFileSync(path, "utf8"))).toEqual(
          new Map(Object.entries(values).map(([name, value]) => [name, lines(value)])),
        );
      }),
    );
  });

  it("that a runner does not name are left out, and said so", () => {
    const warnings: string[] = [];
    const files = new RunnerFiles({ GITHUB_STATE: "/nowhere/at/all" }, (text) => warnings.push(text), shown);
    files.output("a", "b");
    files.state("a", "b");
    expect(warnings).toEqual([
      "GITHUB_OUTPUT is not set: this runner takes no such file",
      expect.stringMatching(/^GITHUB_STATE: ENOENT/u),
    ]);
  });
});

describe("the summary of the result", () => {
  const inFile = (before: string) => {
    const path = join(mkdtempSync(join(tmpdir(), "summary-")), "summary.md");
    writeFileSync(path, before);
    const files = new RunnerFiles({ GITHUB_STEP_SUMMARY: path }, (text) => expect.fail(text), shown);
    return { path, files, read: () => readFileSync(path, "utf8") };
  };

  it("takes the place of what was told before, longer or shorter, and of nothing else", () => {
    const { files, read } = inFile("another step's\n");
    for (const text of ["## ünfinished\n", "## a much longer and final result\n", "## short\n"]) {
      files.resultSummary(text);
      expect(read()).toBe(`another step's\n${text}`);
    }
  });

  it("is added where somebody has written behind it", () => {
    const { path, files, read } = inFile("");
    files.resultSummary("## known\n");
    writeFileSync(path, "a command's\n", { flag: "a" });
    files.resultSummary("## final\n");
    expect(read()).toBe("## known\na command's\n## final\n");
  });
});

describe("the job", () => {
  const fallback = { workspace: "/w", temporary: "/t" };
  const withEvent = (event: unknown) => {
    const path = join(mkdtempSync(join(tmpdir(), "event-")), "event.json");
    writeFileSync(path, typeof event === "string" ? event : JSON.stringify(event));
    return readJob({ GITHUB_EVENT_PATH: path, GITHUB_SHA: "merge", GITHUB_REPOSITORY: "a/b" }, fallback);
  };
  const pull = (head: number | null, base: number) => ({
    pull_request: {
      head: { sha: "head", repo: head === null ? null : { id: head } },
      base: { repo: { id: base } },
    },
  });

  it("of a pull request belongs to its head, not the merge commit", () => {
    expect(withEvent(pull(1, 1))).toMatchObject({ headSha: "head", fork: false, owner: "a", repo: "b" });
  });
  it("of a fork's pull request is known as such, also when the fork is gone", () => {
    expect(withEvent(pull(2, 1)).fork).toBe(true);
    expect(withEvent(pull(null, 1)).fork).toBe(true);
  });
  it.each([["{}"], ["[]"], ["not JSON"], ['{"pull_request": 3}'], ['{"pull_request": {"head": {}}}']])(
    "of another event (%s) belongs to its commit",
    (event) => {
      expect(withEvent(event)).toMatchObject({ headSha: "merge", fork: false });
    },
  );
  it("outside a runner has what it needs", () => {
    expect(readJob({}, fallback)).toEqual({
      owner: null,
      repo: null,
      repositoryId: "local",
      runId: "local",
      attempt: 1,
      id: "local",
      headSha: null,
      fork: false,
      workspace: "/w",
      temporary: "/t",
      runUrl: null,
    });
  });
});

describe("the plan file", () => {
  const workspace = mkdtempSync(join(tmpdir(), "plans-"));
  writeFileSync(join(workspace, "ok.yml"), "stages: [{ name: a, run: 'true' }]");
  writeFileSync(join(workspace, "big.yml"), "#".repeat(1024 * 1024 + 1));

  it("is named relative to the workspace", () => {
    for (const path of ["ok.yml", "./ok.yml", join(workspace, "ok.yml")]) {
      expect(readPlanInput(path, workspace, {})).toMatchObject({ file: "ok.yml", problems: [] });
    }
  });
  it.each([
    ["missing.yml", /there is no file "missing\.yml" in the workspace/u],
    [".", /directory/u],
    ["big.yml", /1048577 bytes, expected at most 1048576/u],
    ["/dev/zero", /not a regular file/u],
  ])("%s is refused with its reason", (path, reason) => {
    const { plan, problems } = readPlanInput(path, workspace, {});
    expect(plan).toBeNull();
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(reason);
  });
});

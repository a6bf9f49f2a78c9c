import { expect, test } from "vitest";
import { blockedState, checkDigest, differs, mutationsNeeded } from "../../../app/evaluation/desired-state.ts";

const wanted = {
  stage: "qa",
  label: "stage/qa",
  gone: [],
  headSha: "0".repeat(40),
  checks: [
    {
      name: "stagewright / qa",
      status: "in_progress",
      conclusion: null,
      title: "",
      summary: "",
      text: "",
      actions: [],
    },
  ],
  shared: false,
  left: false,
} as const;
const blockedBy = (reason: string) => blockedState(wanted, null, null, reason).checks[0];

test("what blocks a move is quoted as plain text, whatever others named their labels", () => {
  const check = blockedBy("it also has the label stage/<img src=x>@acme/everyone [x](http://evil)\n# and more");
  expect(check?.title).toBe(
    "Blocked: it also has the label stage/<img src=x>@acme/everyone [x](http://evil) # and more",
  );
  const [first] = (check?.summary ?? "").split("\n\n");
  expect(first).toMatch(
    /^Blocked: it also has the label stage\/&lt;img src=x&gt;@.acme\/everyone \\\[x\\\]\(http:.\/\/evil\) # and more\.$/u,
  );
});

test("a long reason is cut between characters", () => {
  const title = blockedBy("\u{1f6a7}".repeat(200))?.title ?? "";
  expect(title.length).toBeLessThanOrEqual(200);
  expect(title.isWellFormed()).toBe(true);
  expect(blockedBy(`a${"\u{1f6a7}".repeat(200)}`)?.title.isWellFormed()).toBe(true);
});

const shownBefore = {
  stage: "qa",
  labels: [{ name: "stage/qa", nodeId: "L" }],
  absent: { labels: [], at: 0 },
  basis: "what was known",
  checks: wanted.checks.map((check) => ({
    name: check.name,
    nodeId: "C",
    sha: wanted.headSha,
    completed: false,
    seen: "in_progress: Waits",
    digest: checkDigest({ ...check, title: "Waits" }),
  })),
};
const say = (title: string, status: "in_progress" | "queued" = "in_progress") =>
  wanted.checks.map((check) => ({ ...check, title, status }));

test("another way of saying what is known already is not written by itself", () => {
  const upgraded = { ...wanted, checks: say("Is waiting"), basis: "what was known" };
  expect(differs(upgraded, shownBefore)).toBe(false);
  expect(mutationsNeeded(upgraded, shownBefore)).toBe(0);
});

test.each([
  ["something is new", { ...wanted, checks: say("Is waiting"), basis: "what was heard" }, shownBefore],
  ["it has come further", { ...wanted, checks: say("Is waiting", "queued"), basis: "what was known" }, shownBefore],
  [
    "GitHub shows something else",
    { ...wanted, checks: say("Is waiting"), basis: "what was known" },
    { ...shownBefore, checks: shownBefore.checks.map((check) => ({ ...check, digest: "" })) },
  ],
  [
    "an older version confirmed it",
    { ...wanted, checks: say("Is waiting"), basis: "what was known" },
    { ...shownBefore, basis: undefined },
  ],
])("the words are written when %s", (_, desired, { basis, ...shown }) => {
  expect(differs(desired, basis === undefined ? shown : { ...shown, basis })).toBe(true);
});

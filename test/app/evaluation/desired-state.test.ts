import { expect, test } from "vitest";
import { blockedState } from "../../../app/evaluation/desired-state.ts";

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

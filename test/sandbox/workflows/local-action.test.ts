import { expect, test } from "vitest";
import { localAction, NotBuilt } from "../../../src/sandbox/workflows/local-action.ts";
import { directoryWith } from "../runner/builders.ts";

test.each([
  ["stagewright/stagewright@v1", true],
  ["acme/stagewright@0123456789abcdef", true],
  ["acme/stagewright-fork@v1", false],
  ["acme/other/stagewright@v1", false],
  ["actions/cache@v4", false],
])("%s is this project's action: %s", async (uses, ours) => {
  const root = await directoryWith({ "dist/index.js": "", "action.yml": "" });
  expect(await localAction(root).resolveAction(uses)).toBe(ours ? root : null);
});

test("before the first build it says what to do", async () => {
  await expect(localAction(await directoryWith({})).resolveAction("a/stagewright@v1")).rejects.toThrow(NotBuilt);
});

test("its reusable workflows are read from the checkout, and nothing outside their folder", async () => {
  const { resolveWorkflow } = localAction(
    await directoryWith({ ".github/workflows/group.yml": "on: x", "secret.yml": "no" }),
  );
  expect(await resolveWorkflow("a/stagewright/.github/workflows/group.yml@v1")).toBe("on: x");
  expect(await resolveWorkflow("a/stagewright/.github/workflows/none.yml@v1")).toBeNull();
  expect(await resolveWorkflow("a/stagewright/.github/workflows/../../secret.yml@v1")).toBeNull();
});

import { join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../../../app/demo/child.ts";
import { waitFor } from "../../../app/demo/waiting.ts";
import { directoryWith } from "../../sandbox/runner/builders.ts";

const never = new AbortController().signal;

test("a wait ends at its deadline and names what is missing", async () => {
  const wait = waitFor({ missing: () => ["label a", "check b"], doomed: () => null, deadlineMs: 100, signal: never });
  await expect(wait).rejects.toThrow("after 0.1 s still missing: label a; check b");
});

test("a wait for what cannot come ends at once with the reason", async () => {
  const wait = waitFor({
    missing: () => ["x"],
    doomed: () => "the app ended by SIGKILL",
    deadlineMs: 60_000,
    signal: never,
  });
  await expect(wait).rejects.toThrow("the app ended by SIGKILL; still missing: x");
});

test("a wait ends once nothing is missing, or when it is interrupted", async () => {
  let looks = 0;
  const missing = (): readonly string[] => {
    looks += 1;
    return looks < 3 ? ["x"] : [];
  };
  await waitFor({ missing, doomed: () => null, deadlineMs: 5_000, signal: never });
  const wait = waitFor({
    missing: () => ["x"],
    doomed: () => null,
    deadlineMs: 60_000,
    signal: AbortSignal.timeout(50),
  });
  await expect(wait).rejects.toThrow(/abort|timeout/i);
});

test("a child that does not go is ended by force, and one that dies says how", async () => {
  const directory = await directoryWith({
    "stubborn.mjs": 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000);',
    "failing.mjs": 'console.error("no database"); process.exit(3);',
  });
  const failing = startChild({ name: "the app", file: join(directory, "failing.mjs"), env: {}, directory });
  await expect.poll(() => failing.ended()).toBe("the app ended with exit code 3");
  expect(failing.tail()).toEqual(["no database"]);
  const stubborn = startChild({ name: "the app", file: join(directory, "stubborn.mjs"), env: {}, directory });
  await expect.poll(() => stubborn.tail()).toEqual(["up"]);
  await stubborn.stop();
  expect(stubborn.ended()).toBe("the app ended by SIGKILL");
});

/** Whoever loses an installation in the midst of its work has not failed at it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ClaimLost } from "../../../app/store/model.ts";
import { failureOfWork } from "../../../app/work/failure.ts";

/** What is asked as the app, by people, or under claims of runs; and where nothing was claimed yet. */
const OTHERS = [
  "app/github-cache/held-clients.ts",
  "app/github-cache/identity.ts",
  "app/http/adopt.ts",
  "app/plan-runs/run-check.ts",
  "app/work/failure.ts",
];

it("sorts what failed, and passes on that the installation was lost", () => {
  expect(failureOfWork({ status: 429 }, 0).kind).toBe("rate_limit");
  const lost = new ClaimLost({ key: "installation:5", owner: "a", fence: 1 });
  expect(() => failureOfWork(lost, 0)).toThrow(lost);
});

it("is what all work for installations goes by", () => {
  const root = join(import.meta.dirname, "../../..");
  const files = readdirSync(join(root, "app"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  const direct = files
    .map((file) => join("app", file))
    .filter((file) => readFileSync(join(root, file), "utf8").includes("requestFailure("));
  expect(direct.sort()).toEqual(OTHERS);
});

/** The short form of `npm run soak`: the real app is killed twice under a small load, and nothing is lost or doubled. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { soak } from "./soak.ts";

const PATIENCE_MS = 120_000;

it("has every effect once and ends every run as its plan says, however often the app is killed", {
  timeout: 2 * PATIENCE_MS,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "stagewright-soak-"));
  const lines: string[] = [];
  const report = await soak(
    {
      ...{ seed: 1, pulls: 3, runs: 1, agents: 2, stepSeconds: 1, kills: 2, freezes: 0, freezeMs: 0, restarts: 0 },
      ...{
        database: "sqlite",
        replicas: 1,
        within: 3_000,
        patience: PATIENCE_MS,
        stillness: PATIENCE_MS,
        plant: true,
        faults: false,
        redeliver: true,
        readyFirst: true,
        organizations: 1,
      },
      ...{ directory, signal: new AbortController().signal },
    },
    (line) => lines.push(line),
  );
  expect(report.violations, [directory, ...lines].join("\n")).toEqual([]);
  expect(report.chaos.kills).toBe(2);
  expect(report.pulls).toBe(3);
  expect(report.webhooks.deliveries).toBeGreaterThan(20);
  const planted = [/^lost: the delivery 0/, /^doubled: 2 runs were started/, /comment .+ stands there 2 times$/];
  for (const fault of planted) expect(report.planted).toContainEqual(expect.stringMatching(fault));
  rmSync(directory, { recursive: true, force: true });
});

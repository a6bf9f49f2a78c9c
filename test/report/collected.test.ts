import { expect, it } from "vitest";
import { Masks } from "../../src/agent/masking/masks.ts";
import { COLLECT_BOUNDS } from "../../src/plan/bounds.ts";
import { CollectedParts, collectedPart, type KeptFiles, MOST_COLLECTED } from "../../src/report/record/collected.ts";
import { resultOf } from "../../src/report/record/json.ts";
import { resultSchema } from "../../src/report/record/result-schema.ts";
import { report } from "./builders.ts";

const masks = new Masks();
masks.hold("hunter2-hunter2");

const keptBy = (agent: string, overrides: Partial<KeptFiles> = {}): KeptFiles => ({
  agent,
  stage: { name: "load" },
  round: 1,
  folder: "/kept/a/load",
  bytes: 3,
  kept: [{ path: "log", bytes: 3 }],
  missed: [],
  isWhole: true,
  ...overrides,
});

it("names of kept files have no secrets in them, nor why others are left out", () => {
  const secret = { path: "hunter2-hunter2.log", bytes: 3 };
  const missed = [{ path: "b/hunter2-hunter2", why: "not copied (hunter2-hunter2)" }];
  const part = collectedPart(keptBy("a", { kept: [secret], missed, folder: "/hunter2-hunter2/a" }), masks);
  expect(JSON.stringify(part)).not.toContain("hunter2");
  expect(part).toMatchObject({
    files: [{ path: "***.log", bytes: 3 }],
    left_out: [{ path: "b/***", why: "not copied (***)" }],
  });
});

it("of a stage that is tried again what was kept last is told, by agent; nothing is told where nothing was kept", () => {
  const parts = new CollectedParts();
  for (const kept of [
    keptBy("b"),
    keptBy("a", { isWhole: false }),
    keptBy("a", { kept: [], bytes: 0 }),
    keptBy("a", { round: 2 }),
  ])
    parts.add(collectedPart(kept, masks));
  expect(parts.all().map(({ agent, round, files_total }) => [agent, round, files_total])).toEqual([
    ["a", 1, 0],
    ["a", 2, 1],
    ["b", 1, 1],
  ]);
  expect(resultOf(report({ collected: [] }))).not.toHaveProperty("collected");
  expect(resultOf(report({ collected: parts.all() })).collected).toEqual(parts.all());
});

it("as many names are told as a result holds, and the others counted", () => {
  const parts = new CollectedParts();
  const files = Array.from({ length: COLLECT_BOUNDS.files + 1 }, (_, n) => ({ path: `f-${n}`, bytes: 1 }));
  const agents = MOST_COLLECTED.names / COLLECT_BOUNDS.files + 1;
  for (let n = 0; n < agents; n += 1) parts.add(collectedPart(keptBy(`a-${n}`, { kept: files }), masks));
  const all = parts.all();
  expect(all.map((part) => part.files_total)).toEqual(Array(agents).fill(files.length));
  expect(all.flatMap((part) => part.files)).toHaveLength(MOST_COLLECTED.names);
  expect(resultSchema.safeParse(resultOf(report({ collected: all }))).success).toBe(true);
});

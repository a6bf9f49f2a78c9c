/** The recipe at a terminal: its deliverables, each looked at before it goes on. */
import { cpSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Bench } from "./cli.ts";
import { talk } from "./terminal.ts";

let bench: Bench;
beforeAll(() => {
  bench = new Bench();
  const recipe = "examples/recipe";
  cpSync(resolve(import.meta.dirname, "../..", recipe), join(bench.directory, recipe), { recursive: true });
});
afterAll(() => bench.dispose());

const APPROVED = ["evaluation", "sub-tasks", "execution", "review", "commit"];

it("asks before each step whether the deliverable before it will do, and keeps all of them", async () => {
  const { code, screen } = await talk(
    bench,
    ["run", "examples/recipe/recipe.yml", "--output-file", "result.json"],
    APPROVED.map((step) => [`Go on with ${step}?`, "y"] as const),
  );
  expect(code, screen).toBe(0);
  for (const id of ["warm", "measure", "document"])
    expect(bench.read("deliverables/validation.md")).toContain(`found: ${id}`);
  expect(bench.read("deliverables/review.md")).toContain("read: execution-measure.md");
  const { phase_results: phases } = JSON.parse(bench.read("result.json"));
  const approved = phases.filter((each: { approval?: unknown }) => each.approval !== undefined);
  expect(approved.map(({ phase }: { phase: string }) => phase)).toEqual(APPROVED);
});

it("ends where somebody does not agree", async () => {
  const { code, screen } = await talk(bench, ["run", "examples/recipe/recipe.yml"], [["Go on with evaluation?", "n"]]);
  expect(code).toBe(1);
  expect(screen).toMatch(/did not agree to evaluation/);
});

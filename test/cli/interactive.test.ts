import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Bench } from "./cli.ts";
import { talk } from "./terminal.ts";

let bench: Bench;
beforeAll(() => {
  bench = new Bench();
});
afterAll(() => bench.dispose());

const PLAN = `name: recipe
stages:
  - { name: mix, run: 'test -n "$STAGEWRIGHT_DEFICIENCIES" && echo "told: $STAGEWRIGHT_DEFICIENCIES"' }
  - { name: bake, tasks: [dough], run: 'echo "baked $1"; test "$1" != cake || test -f oven' }
  - { name: taste, run: 'echo tasted' }
`;

it("asks at a terminal: again with feedback, tasks in the editor, quit; what was edited is what it goes on with", async () => {
  bench.file("plan.yml", PLAN);
  bench.file("editor", '#!/bin/sh\nprintf "tasks: [bread, cake]\\n" > "$1"\n');
  chmodSync(join(bench.directory, "editor"), 0o755);
  const { code, screen } = await talk(
    bench,
    ["run", "plan.yml", "--interactive", "--save-state", "state.json"],
    [
      ["Before mix: [g]o on", "g"],
      ["After mix: [g]o on (the run fails), [r]etry", "r"],
      ["What was wanting?", "more salt"],
      ["Before mix:", "g"],
      ["After mix: [g]o on, [r]etry", "g"],
      ["Before bake: [g]o on, [e]dit the tasks", "e"],
      ["After bake: [g]o on (the run fails)", "q"],
    ],
  );
  expect(code).toBe(1);
  expect(screen).toMatch(/told: .*more salt/);
  for (const text of ["baked bread", "baked cake"]) expect(screen).toContain(text);
  for (const text of ["baked dough", "tasted"]) expect(screen).not.toContain(text);
  const state = JSON.parse(bench.read("state.json"));
  expect(state).toMatchObject({ phases_executed: ["mix"], tasks_given: { bake: ["bread", "cake"] } });
  bench.file("oven", "");
  const again = await bench.run(["run", "plan.yml", "--load-state", "state.json"]);
  expect([again.code, again.stderr.includes("baked dough")], again.stderr).toEqual([0, false]);
  for (const text of ["baked bread", "baked cake", "tasted"]) expect(again.stderr).toContain(text);
  expect(again.stderr).not.toContain("told:");
});

it("skips a stage, and asks no more once it is told to go on with all", async () => {
  bench.file(
    "easy.yml",
    "stages: [{ name: a, run: echo ran-a }, { name: b, run: echo ran-b }, { name: c, run: echo ran-c }]",
  );
  const { code, screen } = await talk(
    bench,
    ["run", "easy.yml", "-i"],
    [
      ["Before a:", "s"],
      ["Before b:", "a"],
    ],
  );
  expect(code, screen).toBe(0);
  expect(["ran-a", "ran-b", "ran-c"].map((text) => screen.includes(text))).toEqual([false, true, true]);
  for (const text of ["After b:", "Before c:"]) expect(screen).not.toContain(text);
});

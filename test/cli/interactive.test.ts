/** `run --interactive` at a real terminal: util-linux's script gives the command a pseudo-terminal, and types into it. */
import { spawn } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { COMPILE_CACHE } from "../compile-cache.ts";
import { program } from "../programs.ts";
import { Bench } from "./cli.ts";

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

/** What is answered to each question, in their order. */
type Dialogue = readonly (readonly [question: string, answer: string])[];

/** Runs the command at a terminal. @returns its exit code and all that the terminal showed */
function talk(args: readonly string[], dialogue: Dialogue): Promise<{ code: number | null; screen: string }> {
  const quoted = [process.execPath, program("src/cli.ts"), ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qefc", quoted, "/dev/null"], {
    cwd: bench.directory,
    env: {
      ...{ PATH: process.env.PATH, HOME: bench.directory, TMPDIR: bench.directory, TERM: "xterm" },
      ...{ EDITOR: join(bench.directory, "editor"), SHELL: "/bin/sh", ...COMPILE_CACHE },
    },
  });
  let screen = "";
  let read = 0;
  const left = [...dialogue];
  child.stdout.on("data", (data) => {
    screen += data;
    const [next] = left;
    if (next === undefined) return;
    const at = screen.indexOf(next[0], read);
    if (at < 0) return;
    read = at + next[0].length;
    left.shift();
    child.stdin.write(`${next[1]}\n`);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (left.length === 0) resolve({ code, screen });
      else reject(new Error(`never asked ${left[0]?.[0]}:\n${screen}`));
    });
  });
}

it("asks at a terminal: again with feedback, tasks in the editor, quit; what was edited is what it goes on with", async () => {
  bench.file("plan.yml", PLAN);
  bench.file("editor", '#!/bin/sh\nprintf "tasks: [bread, cake]\\n" > "$1"\n');
  chmodSync(join(bench.directory, "editor"), 0o755);
  const { code, screen } = await talk(
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

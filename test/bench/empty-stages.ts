/** What a stage costs when its command does nothing, against the loop that one would write in a shell. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Bench, ratioLine, sideBySide } from "./bench.ts";

const STAGES = 100;

export const bench: Bench = {
  what: `a plan of ${STAGES} stages, without a command and with one that does nothing, against a shell loop of ${STAGES} sh -c true`,
  async *run() {
    const folder = await mkdtemp(path.join(tmpdir(), "stagewright-bench-"));
    try {
      const loop = `i=0; while [ $i -lt ${STAGES} ]; do sh -c true; i=$((i+1)); done`;
      for (const [ours, what] of [
        ["without a command", "type: prepare"],
        ['with run: "true"', 'run: "true"'],
      ] as const) {
        const stages = Array.from({ length: STAGES }, (_, n) => `  - { name: stage-${n}, ${what} }\n`);
        const plan = path.join(folder, "plan.yml");
        await writeFile(plan, `stages:\n${stages.join("")}`);
        const { a, b } = await sideBySide(
          { file: process.execPath, args: [path.resolve("dist/cli/index.js"), "run", plan], cwd: folder },
          { file: "sh", args: ["-c", loop], cwd: folder },
          7,
        );
        yield ratioLine({ ours, theirs: "shell loop", a, b, aim: "≤ 1.5" });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

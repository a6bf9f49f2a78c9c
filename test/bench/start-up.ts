/** How long the action takes to run a plan of one stage without a command, against the runtime doing nothing. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Bench, ratioLine, sideBySide } from "./bench.ts";

export const bench: Bench = {
  what: "dist/index.js with a plan of one stage, against bare node -e 0",
  async *run() {
    const folder = await mkdtemp(path.join(tmpdir(), "stagewright-bench-"));
    try {
      await writeFile(path.join(folder, "plan.yml"), "stages:\n  - { name: prepare }\n");
      for (const file of ["output", "summary", "state", "env", "path"]) await writeFile(path.join(folder, file), "");
      const env = {
        PATH: process.env.PATH,
        INPUT_PLAN: "plan.yml",
        INPUT_REPORT: "commands",
        GITHUB_WORKSPACE: folder,
        GITHUB_OUTPUT: path.join(folder, "output"),
        GITHUB_STEP_SUMMARY: path.join(folder, "summary"),
        GITHUB_STATE: path.join(folder, "state"),
        GITHUB_ENV: path.join(folder, "env"),
        GITHUB_PATH: path.join(folder, "path"),
        RUNNER_TEMP: folder,
        GITHUB_ACTIONS: "true",
      };
      const action = path.resolve("dist/index.js");
      const { a, b } = await sideBySide(
        { file: process.execPath, args: [action], env, cwd: folder },
        { file: process.execPath, args: ["-e", "0"], env, cwd: folder },
        15,
      );
      yield ratioLine({ ours: "action", theirs: "node -e 0", a, b, aim: "≤ 2.5" });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

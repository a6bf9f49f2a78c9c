/** What a stage costs when its command does nothing, against the loop that one would write in a shell. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Bench, type Command, median, milliseconds, ratioLine, sideBySide, timeCommand } from "./bench.ts";

const STAGES = 100;
/** Node itself, starting one shell after the other and reading what it prints. */
const SPAWNING = `
  const { spawn } = require("node:child_process");
  const next = (left) => {
    if (left === 0) return;
    const child = spawn("bash", ["-e", "-c", "true"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.resume();
    child.stderr.resume();
    child.on("close", () => next(left - 1));
  };
  next(Number(process.argv[1]));
`;

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
      yield await againstSpawn(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** What one more stage takes, against one more shell of Node's own: the start of neither counts. */
async function againstSpawn(folder: string): Promise<string> {
  const plan = async (count: number): Promise<Command> => {
    const file = path.join(folder, `spawn-${count}.yml`);
    const stages = Array.from({ length: count }, (_, n) => `  - { name: stage-${n}, run: "true" }\n`);
    await writeFile(file, `stages:\n${stages.join("")}`);
    return { file: process.execPath, args: [path.resolve("dist/cli/index.js"), "run", file], cwd: folder };
  };
  const spawning = (count: number): Command => ({ file: process.execPath, args: ["-e", SPAWNING, String(count)] });
  const commands = [await plan(1), await plan(STAGES + 1), spawning(1), spawning(STAGES + 1)];
  const rounds: { readonly ours: number; readonly theirs: number }[] = [];
  for (let round = 0; round < 8; round += 1) {
    const times: number[] = [];
    for (const command of commands) times.push(await timeCommand(command));
    const [one = 0, many = 0, oneShell = 0, manyShells = 0] = times;
    // The first is the warm-up.
    if (round > 0) rounds.push({ ours: (many - one) / STAGES, theirs: (manyShells - oneShell) / STAGES });
  }
  const [ours, theirs] = [median(rounds.map((each) => each.ours)), median(rounds.map((each) => each.theirs))];
  const ratio = median(rounds.map((each) => each.ours / each.theirs));
  return `one more stage ${milliseconds(ours)} | one more spawn ${milliseconds(theirs)} | ratio ${ratio.toFixed(2)} (aim ≤ 1.3)`;
}

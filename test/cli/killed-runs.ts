/** Runs that are killed and gone on with, again and again, until one comes to its end. */
import { setTimeout as sleep } from "node:timers/promises";
import { readSavedRun } from "../../src/run/resume/read-saved-run.ts";
import type { Bench } from "./cli.ts";

export const STAGES = ["prepare", "load", "epoch-1", "epoch-2", "epoch-3", "report"] as const;
const PLAN = `name: killed
stages:
${STAGES.map((name) => `  - { name: ${name}, run: 'echo ${name} >> ran; sleep 0.05; stagewright emit n=$STAGEWRIGHT_AGENT_INDEX' }`).join("\n")}
`;

export interface Killing {
  readonly agents: number;
  /** When the process is killed: resolves then, or when it has ended by itself. Told how often it was before. */
  readonly moment: (kills: number, ran: () => readonly string[]) => Promise<void>;
  readonly kills: number;
}

/** @returns what was wrong: nothing, if all is well */
export async function killAgainAndAgain(bench: Bench, { agents, moment, kills }: Killing): Promise<readonly string[]> {
  bench.file("plan.yml", PLAN);
  const problems: string[] = [];
  const ran = (): readonly string[] => lines(bench, "ran");
  let before: readonly string[] = [];
  let finished: readonly string[] = [];
  for (let killed = 0; ; killed += 1) {
    const load = finished.length > 0 ? ["--load-state", "F"] : [];
    const words = ["run", "plan.yml", "--save-state", "F", ...load, "--agents", String(agents)];
    const { child, outcome } = bench.start(words);
    if (killed < kills) {
      await Promise.race([moment(killed, () => ran().slice(before.length)), outcome]);
      child.kill("SIGKILL");
    }
    const { code, signal, stderr } = await outcome;
    // A killed parent's agents notice, and leave.
    for (let tries = 0; tries < 1_000 && bench.processes().length > 0; tries += 1) await sleep(10);
    const again = ran()
      .slice(before.length)
      .filter((stage) => finished.includes(stage));
    if (again.length > 0) problems.push(`run ${killed} repeated ${again.join(", ")}, finished by then`);
    if (signal === null && code !== 0) problems.push(`run ${killed} exited ${code}: ${stderr}`);
    before = ran();
    const state = stateOf(bench);
    if (state === "broken") problems.push(`the state is not whole after run ${killed}`);
    else if (state !== null) {
      const lost = finished.filter((stage) => !state.includes(stage));
      if (lost.length > 0) problems.push(`run ${killed} lost ${lost.join(", ")}`);
      finished = state;
    }
    if (signal === null || problems.length > 0) break;
  }
  const missing = STAGES.filter((stage) => !finished.includes(stage));
  return problems.length > 0 || missing.length === 0 ? problems : [`in the end not done: ${missing.join(", ")}`];
}

function stateOf(bench: Bench): readonly string[] | "broken" | null {
  let text: string;
  try {
    text = bench.read("F");
  } catch {
    return null;
  }
  const read = readSavedRun(Buffer.from(text));
  return "saved" in read ? read.saved.phases_executed : "broken";
}

function lines(bench: Bench, name: string): readonly string[] {
  try {
    return bench.read(name).split("\n").slice(0, -1);
  } catch {
    return [];
  }
}

/** A checkpoint asks the person at the terminal whether the run may go on. */
import { userInfo } from "node:os";
import { createInterface } from "node:readline/promises";
import type { PlanStage } from "../../plan/plan.ts";

/** @returns true for yes; false for anything else, and when the input ends or the signal aborts. */
export async function ask(stage: PlanStage, signal: AbortSignal): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => prompt.once("close", () => resolve("")));
  // readline takes Ctrl-C for itself while it asks.
  prompt.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    const answer = await Promise.race([prompt.question(`Go on with ${stage.name}? [y/N] `, { signal }), closed]);
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    prompt.close();
  }
}

/** Who sits at the terminal. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "the person at the terminal";
  }
}

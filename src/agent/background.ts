/** Background commands: started in their stage, ready when others may rely on them, ended after their last stage. */
import { connect } from "node:net";
import type { PlanStage } from "../plan/plan.ts";
import type { Attempt } from "./attempt.ts";
import type { Surroundings } from "./attempt-options.ts";
import { sleepFor } from "./clock.ts";
import { remainingText } from "./process/process.ts";

const ASK_AGAIN_MS = 250;
/** One try of a readiness check. */
const ANSWER_MS = 5_000;

/**
 * Waits until a background command is ready: its port accepts connections on this machine, or its `run` exits 0.
 * @returns false when the signal aborted before.
 */
export async function becomesReady(
  stage: PlanStage,
  attempt: Attempt,
  around: Surroundings,
  signal: AbortSignal,
): Promise<boolean> {
  await attempt.started;
  const ready = stage.background?.ready ?? null;
  if (ready === null) return !signal.aborted;
  while (!signal.aborted) {
    const holds = "port" in ready ? await accepts(ready.port) : await succeeds(ready.run, stage, attempt, around);
    if (holds) return !signal.aborted;
    await sleepFor(ASK_AGAIN_MS, signal);
  }
  return false;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    // "localhost": tries both address families.
    const socket = connect({ port, host: "localhost" });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_MS, () => done(false));
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}

async function succeeds(script: string, stage: PlanStage, attempt: Attempt, around: Surroundings): Promise<boolean> {
  const check = around.processes.start({
    command: { kind: "script", script },
    args: [],
    name: `${stage.name}-ready`,
    env: attempt.environment,
    workingDirectory: attempt.workingDirectory,
    onLine: () => undefined,
    onLeftBehind: () => undefined,
    onRemaining: (left) => around.log({ kind: "warning", stage, text: remainingText(left) }),
  });
  const timer = setTimeout(() => check.end(0), ANSWER_MS);
  const end = await check.ended;
  clearTimeout(timer);
  return end.kind === "exited" && end.code === 0;
}

/** What works in a loop goes on when it failed, and says so once. */
import { pino } from "pino";
import { expect, it } from "vitest";
import { RepeatedFailure } from "../../../app/work/repeated-failure.ts";
import { WorkerLoop } from "../../../app/work/worker-loop.ts";

it("tells of failures that repeat when they begin, each minute and when they are over", async () => {
  const lines: { msg: string; times: number }[] = [];
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
  let at = 0;
  const failure = new RepeatedFailure({ log, now: () => at, failing: "it fails", over: "it succeeds again" });
  let runs = 0;
  const over = new Promise<void>((resolve) => {
    const loop = new WorkerLoop(
      async () => {
        runs += 1;
        // Told again: it need not wait for its pause.
        if (runs < 80) loop.wake();
        else resolve();
        at += 1_000;
        if (runs < 70) throw new Error("the database is away");
        return null;
      },
      () => at,
      failure,
    );
    loop.wake();
  });
  await over;
  expect(lines.map(({ msg, times }) => `${msg} ${times}`)).toEqual([
    "it fails 1",
    "it fails 61",
    "it succeeds again 69",
  ]);
});

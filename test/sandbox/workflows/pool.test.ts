import { expect, test } from "vitest";
import { createConcurrencyGroups } from "../../../src/sandbox/workflows/concurrency.ts";
import { createRunnerPool } from "../../../src/sandbox/workflows/pool.ts";

const never = new AbortController().signal;

test("a job waits in line until a runner is free, and who gives up leaves the line", async () => {
  const pool = createRunnerPool({ count: 1, labels: ["gpu"] });
  const first = await pool.acquire(["self-hosted", "GPU"], never);
  const impatient = new AbortController();
  const second = pool.acquire(["gpu"], impatient.signal);
  const third = pool.acquire(["gpu"], never);
  impatient.abort();
  expect(await second).toBeNull();
  first?.release();
  first?.release();
  expect((await third)?.runner.name).toBe("runner-1");
  expect(pool.serves(["gpu", "windows"])).toBe(false);
});

test("a group has one holder and one waiting; a newcomer sends the one waiting away", async () => {
  const groups = createConcurrencyGroups();
  const cancelled: string[] = [];
  const member = (what: string, controller?: AbortController) => ({
    what,
    cancel: () => {
      cancelled.push(what);
      controller?.abort();
    },
  });
  const leave = await groups.enter("Deploy", member("first"), false, never);
  const waiting = new AbortController();
  const second = groups.enter("deploy", member("second", waiting), false, waiting.signal);
  const third = groups.enter("deploy", member("third"), true, never);
  expect(await second).toBeNull();
  expect(cancelled).toEqual(["second", "first"]);
  leave?.();
  const third2 = await third;
  expect(third2).toBeTypeOf("function");
  third2?.();
  expect(await groups.enter("deploy", member("fourth"), false, never)).toBeTypeOf("function");
});

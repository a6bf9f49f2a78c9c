/**
 * One life of an app that some stored items kill: the real engine over a file, which ends the process in the midst of
 * handling them. Ends with 0, and tells what it sees, once there is nothing left to do.
 */
import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import { pino } from "pino";
import { createEngine } from "../../app/app.ts";
import { openStore } from "../../app/store/open.ts";
import { pullsSetAside } from "../../app/work/in-progress/set-aside.ts";
import { createRuntime } from "../../app/work/runtime.ts";
import { DEFAULT_TIMINGS } from "../../app/work/timings.ts";
import { deliveryOrder } from "../../src/github/webhooks/webhook.ts";

const KILLED = 9;
const [url = "", deliveriesFile = ""] = process.argv.slice(2);
const opened = await openStore(url);
const store = {
  ...opened,
  commit: async (commit: Parameters<typeof opened.commit>[0]) => {
    if (JSON.stringify(commit.pulls ?? []).includes("kills when it is handled")) {
      process.exit(KILLED);
    }
    return await opened.commit(commit);
  },
};
const killer = new Writable({
  write(line, _, done) {
    if (/"pull":13,.*evaluated/.test(String(line))) {
      process.exit(KILLED);
    }
    done();
  },
});
const unreachable = async () => {
  throw new Error("GitHub cannot be reached.");
};
const engine = createEngine({
  runtime: createRuntime({
    store,
    clients: { installation: unreachable, app: unreachable },
    log: pino({ level: "info" }, killer),
    timings: { ...DEFAULT_TIMINGS, reconcileDelay: 3_600_000 },
    now: Date.now,
  }),
  ourselves: () => ({ appId: 1, botLogin: "stagewright[bot]" }),
  publicUrl: null,
});
await engine.start();
const payloads: Record<string, { repository: { id: number } }> = JSON.parse(readFileSync(deliveriesFile, "utf8"));
for (const [id, payload] of Object.entries(payloads)) {
  void engine.inbox.accept({
    id,
    event: "pull_request",
    payload: JSON.stringify(payload),
    ...deliveryOrder("pull_request", payload),
    receivedAt: Date.now(),
  });
}
await engine.idle();
const dead = (await opened.deadDeliveries(10)).items.map(({ id, error }) => ({ id, error }));
const aside = (await pullsSetAside(opened, 10)).map(({ number, blocked }) => ({ number, reason: blocked?.reason }));
const pulls = (await opened.pulls({}, 10)).map(({ number, reevaluateAt, reevaluationTries }) => ({
  number,
  reevaluateAt,
  reevaluationTries,
}));
process.stdout.write(JSON.stringify({ dead, aside, pulls, counts: await opened.countDeliveries() }));
await engine.stop();
await opened.close();
process.exit(0);

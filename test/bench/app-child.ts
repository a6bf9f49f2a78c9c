/**
 * The app in a process of its own, beside a sandbox that is in another: what it costs is its own. It is told what to
 * do by messages: see `app-beside.ts`.
 */

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { pino } from "pino";
import { createNodeMiddleware, createProbot } from "probot";
import { createApp } from "../../app/app.ts";
import { readConfig } from "../../app/config.ts";
import { fetchWithin, Octokit } from "../../app/github-cache/octokit.ts";
import type { Pull, Store } from "../../app/store/model.ts";
import { isPostgresUrl, openStore } from "../../app/store/open.ts";
import { another } from "./another-pull.ts";
import type { Answer, Question } from "./app-beside.ts";

const HOUR_MS = 3_600_000;

const config = readConfig(process.env);
const opened = await openStore(process.env.DATABASE_URL);
/** By order key: when the first event came that no evaluation contains yet. */
const unseen = new Map<string, number>();
let latencies: number[] = [];
const store: Store = {
  ...opened,
  acceptDeliveries: async (batch) => {
    const at = performance.now();
    const accepted = await opened.acceptDeliveries(batch);
    for (const { key } of accepted) if (!unseen.has(key)) unseen.set(key, at);
    return accepted;
  },
  commit: async (commit) => {
    const outcome = await opened.commit(commit);
    for (const { repositoryId, number, reevaluateAt } of commit.pulls ?? []) {
      const key = `${repositoryId}#${number}`;
      const since = unseen.get(key);
      if (outcome.committed && reevaluateAt === null && since !== undefined) {
        unseen.delete(key);
        latencies.push(performance.now() - since);
      }
    }
    return outcome;
  },
};
const appId = Number(process.env.APP_ID);
const probot = createProbot({
  env: process.env,
  overrides: {
    appId,
    secret: process.env.WEBHOOK_SECRET ?? "",
    Octokit,
    request: { fetch: fetchWithin(config.timings.requestTimeout) },
    log: pino({ level: "silent" }),
  },
});
const shared = isPostgresUrl(config.databaseUrl);
const app = createApp({
  store,
  appId,
  ...(shared ? { replica: { id: randomUUID(), address: null, version: "bench" } } : {}),
  config: {
    ...config,
    timings: { ...config.timings, writeInterval: 0, reconcileDelay: HOUR_MS, sweepPause: 0, settled: 0 },
  },
});
const middleware = await createNodeMiddleware(app.load, { probot, webhooksPath: config.webhookPath });
const server = createServer((request, response) => {
  void middleware(request, response, () => response.writeHead(404).end());
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => answer({ ready: true }));

process.on("message", (question: Question) => void answerTo(question));
process.on("disconnect", () => process.exit());

async function answerTo(question: Question): Promise<void> {
  switch (question.ask) {
    case "idle":
      await app.engine().idle();
      return answer({});
    case "sweep": {
      const repository = await store.repository(question.repositoryId);
      if (repository === null) throw new Error("The repository is not known.");
      const report = await app.engine().reconciliation.sweep(repository);
      await app.engine().idle();
      return answer({ swept: { open: report.open, unchanged: report.unchanged } });
    }
    case "copies": {
      const row = await store.pull(question.of);
      if (row === null) throw new Error("The pull request is not known.");
      await copies(row, question.from, question.count);
      return answer({});
    }
    case "latencies": {
      const told = latencies;
      latencies = [];
      unseen.clear();
      return answer({ latencies: told });
    }
    case "heap":
      setFlagsFromString("--expose-gc");
      runInNewContext("gc")();
      return answer({ heap: process.memoryUsage().heapUsed });
    case "pending":
      return answer({ pending: (await opened.countDeliveries()).pending });
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return answer({ cpu: (user + system) / 1_000 });
    }
  }
}

/** Of those that a pull request of a few days has had, with what our own check runs and labels come back as. */
const DELIVERIES = 10;

/** Known and shown as that one is, with its history, and deliveries that have had their effect. */
async function copies(row: Pull, from: number, count: number): Promise<void> {
  const history = await store.history(row, 10);
  for (let at = from; at < from + count; at += 500) {
    const numbers = Array.from({ length: Math.min(500, from + count - at) }, (_, index) => at + index);
    const receivedAt = Date.now();
    const deliveries = numbers.flatMap((number) =>
      Array.from({ length: DELIVERIES }, () => ({
        id: randomUUID(),
        event: "pull_request",
        payload: "{}",
        key: `${row.repositoryId}#${number}`,
        installationId: row.installationId,
        receivedAt,
      })),
    );
    const accepted = await opened.acceptDeliveries(deliveries);
    await opened.commit({
      done: accepted.map(({ seq }) => seq),
      pulls: numbers.map((number) => another(row, number, 0)),
      history: numbers.flatMap((number) => history.items.map(({ id: _, ...entry }) => ({ ...entry, number }))),
      now: Date.now(),
    });
  }
}

function answer(told: Answer): void {
  process.send?.(told);
}

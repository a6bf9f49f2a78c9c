/**
 * The Probot app function. `main.ts` runs it for real; with Probot's own `createNodeMiddleware` it works, too.
 * Webhooks are stored before they are answered, so its own endpoint comes before Probot's; where only Probot's is
 * reached, each event is stored all the same.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ApplicationFunction } from "probot";
import type { Registry } from "prom-client";
import { tokenClient } from "../src/github/client.ts";
import { orderKey } from "../src/github/webhooks/webhook.ts";
import type { Config } from "./config.ts";
import { createClients } from "./github-cache/clients.ts";
import { Identity } from "./github-cache/identity.ts";
import { adoptEndpoint } from "./http/adopt.ts";
import { pages } from "./http/pages.ts";
import { webhookEndpoint } from "./http/webhook.ts";
import { Metrics } from "./metrics/metrics.ts";
import { metered } from "./metrics/octokit.ts";
import { type HostedRuns, hostRuns, installationLookup } from "./plan-runs/plan-runs.ts";
import { YamlReader } from "./policies/reader.ts";
import type { Store } from "./store/model.ts";
import { createEngine, type Engine } from "./work/engine.ts";
import { createRuntime } from "./work/runtime.ts";

export interface AppOptions {
  readonly config: Config;
  readonly store: Store;
  readonly appId: number;
  readonly now?: () => number;
  /** Where its metrics are kept, with those of the process; default: a registry of its own. */
  readonly registry?: Registry;
  /** Shared with other apps of this process; default: one of its own, which ends with it. */
  readonly reader?: YamlReader;
}

export interface App {
  readonly load: ApplicationFunction;
  /** Known once Probot has loaded it. */
  engine(): Engine;
  stop(): Promise<void>;
}

export function createApp({ config, store, appId, now = Date.now, registry, reader: shared }: AppOptions): App {
  const reader = shared ?? new YamlReader();
  let engine: Engine | undefined;
  let runs: HostedRuns | undefined;
  let stopping = false;
  let identity: Identity | undefined;

  const load: ApplicationFunction = async (probot, { addHandler }) => {
    const { log } = probot;
    const metrics = new Metrics({
      store,
      now,
      runs: async () => (runs === undefined ? null : await runs.states()),
      ...(registry === undefined ? {} : { registry }),
    });
    const { requestTimeout } = config.timings;
    const who = new Identity({ appId, client: () => probot.auth(), log, now, requestTimeout });
    identity = who;
    const clients = createClients(async (installationId) => {
      await who.accepted();
      return metered(await probot.auth(installationId), installationId ?? null, metrics);
    });
    who.start();
    const runtime = createRuntime({ store, clients, log, now, timings: config.timings });
    const made = createEngine({
      ...runtime,
      runtime,
      ourselves: () => who.ourselves(),
      publicUrl: config.publicUrl,
      metrics,
      reading: reader.of,
    });
    engine = made;
    await made.start();
    const { inbox } = made;
    addHandler(
      webhookEndpoint({
        inbox,
        secret: config.webhookSecret,
        path: config.webhookPath,
        log,
        now,
        memory: config.webhookMemory,
        onRefused: (reason) => metrics.refused("webhooks", reason),
      }),
    );
    if (config.publicUrl !== null) {
      runs = await hostRuns({
        store,
        publicUrl: config.publicUrl,
        issuer: config.oidcIssuer,
        installation: installationLookup(store, () => clients.app()),
        client: async (installationId) =>
          runtime.writers.of(installationId).client(await clients.installation(installationId)),
        pace: { now, sleep: async (ms, signal) => sleep(ms, undefined, { signal }) },
        onError: (error, what) => log.error({ err: error }, what),
        quotas: config.quotas,
        onRefused: (code) => metrics.refused("runs", code),
        onQuota: (quota) => metrics.overQuota(quota),
      });
      addHandler(runs.handler);
    }
    addHandler(
      adoptEndpoint({
        ...runtime,
        appId,
        onRefused: (reason) => metrics.refused("adopt", reason),
        withToken: (token) => tokenClient(token, config.apiUrl),
      }),
    );
    addHandler(
      pages({
        store,
        inbox,
        metrics,
        now,
        ready: () => (stopping ? "stopping" : who.refusal),
        wake: () => runtime.wakeups.notify("pulls"),
      }),
    );
    probot.onAny(async ({ id, name, payload }) => {
      const text = JSON.stringify(payload);
      await inbox.accept({ id, event: name, payload: text, key: orderKey(name, payload), receivedAt: now() });
    });
  };

  return {
    load,
    engine: () => {
      if (engine === undefined) {
        throw new Error("The app is not loaded yet.");
      }
      return engine;
    },
    stop: async () => {
      stopping = true;
      identity?.stop();
      await runs?.close();
      if (shared === undefined) {
        await reader.close();
      }
      await engine?.stop();
    },
  };
}

/** Everything that the app answers over HTTP, in the order in which it is tried. */
import { setTimeout as sleep } from "node:timers/promises";
import { tokenClient } from "../../src/github/client.ts";
import type { Config } from "../config.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { ReplicaLease } from "../plan-runs/owners.ts";
import { type HostedRuns, hostRuns, installationLookup } from "../plan-runs/plan-runs.ts";
import type { Inbox } from "../webhooks/inbox.ts";
import type { Runtime } from "../work/runtime.ts";
import { adoptEndpoint } from "./adopt.ts";
import { deadEffects } from "./dead-effects.ts";
import { monitoring } from "./monitoring.ts";
import { pages } from "./pages.ts";
import { type Handler, webhookEndpoint } from "./webhook.ts";

export interface EndpointsOptions extends Runtime {
  readonly config: Config;
  readonly appId: number;
  readonly inbox: Inbox;
  readonly metrics: Metrics;
  /** This process's lease among several on one database; null: it has the database to itself. */
  readonly lease: ReplicaLease | null;
  /** Null: it is ready; else why not. */
  readonly ready: () => string | null;
}

export interface Endpoints {
  readonly handlers: readonly Handler[];
  /** For a listener of its own: whether the app lives, and its metrics. */
  readonly monitoring: Handler;
  /** Runs of groups that are hosted here; null: where nobody can reach the app there are none. */
  readonly runs: HostedRuns | null;
}

export async function createEndpoints(options: EndpointsOptions): Promise<Endpoints> {
  const { config, appId, inbox, metrics, ready, store, log, now, wakeups } = options;
  const runs = config.publicUrl === null ? null : await hosted(options, config.publicUrl);
  const webhooks = webhookEndpoint({
    inbox,
    secrets: () => config.webhookSecrets.current,
    path: config.webhookPath,
    log,
    now,
    memory: config.webhookMemory,
    onRefused: (reason) => metrics.refused("webhooks", reason),
  });
  const adopt = adoptEndpoint({
    ...options,
    appId,
    onRefused: (reason) => metrics.refused("adopt", reason),
    withToken: (token) => tokenClient(token, config.apiUrl),
  });
  const watched = { store, inbox, metrics, ready, metricsToken: config.metricsToken };
  const others = [
    monitoring(watched, { own: false }),
    deadEffects({ store, log, now, wake: () => wakeups.notify("effects") }),
    pages({ store, inbox, now, log, wake: () => wakeups.notify("pulls") }),
  ];
  return {
    handlers: [webhooks, ...(runs === null ? [] : [runs.handler]), adopt, ...others],
    monitoring: monitoring(watched, { own: true }),
    runs,
  };
}

async function hosted(options: EndpointsOptions, publicUrl: string): Promise<HostedRuns> {
  const { config, metrics, store, clients, writers, log, now, lease } = options;
  return await hostRuns({
    store,
    replicas: lease === null ? null : { lease, requestMs: config.timings.requestTimeout },
    publicUrl,
    issuer: config.oidcIssuer,
    installation: installationLookup(store, () => clients.app()),
    client: async (installationId) => writers.of(installationId).client(await clients.installation(installationId)),
    pace: { now, sleep: async (ms, signal) => sleep(ms, undefined, { signal }) },
    onError: (error, what) => log.error({ err: error }, what),
    quotas: config.quotas,
    onRefused: (code) => metrics.refused("runs", code),
    onQuota: (quota) => metrics.overQuota(quota),
    onChange: (run) => metrics.runChanged(run),
  });
}

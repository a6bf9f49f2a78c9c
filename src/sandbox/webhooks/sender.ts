/** Sends webhooks: so many at once per hook, in their order, each once, remembered with what was answered. */
import { createHmac } from "node:crypto";
import { serverVersion } from "../rest/meta.ts";
import { app, type Change, type Delivery, required, type World } from "../world/index.ts";
import { payload, recipients } from "./payloads.ts";

/** GitHub gives up after that long. */
const timeoutMs = 10_000;
/** How long a delivery that is to be overtaken waits for another. */
const reorderMs = 1_000;
const responseLimit = 64 * 1024;
/** Oldest deliveries beyond that many are forgotten. */
const deliveriesKept = 20_000;

/** What goes wrong on the way of one delivery. */
export type HookFault =
  | { readonly kind: "drop" }
  | { readonly kind: "duplicate" }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "reorder" };

/** What the receiver of a webhook answered. */
export interface HookAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Rejects when there was no answer. */
export type Post = (delivery: Delivery, signal: AbortSignal) => Promise<HookAnswer>;

export interface SenderOptions {
  readonly world: World;
  /** Asked once per delivery. */
  readonly fault: (delivery: Delivery) => HookFault | null;
  /** Default: over HTTP. */
  readonly post?: Post;
  /** To one hook at once; default: one after another. */
  readonly atOnce?: number;
}

export class Sender {
  readonly #world: World;
  readonly #fault: SenderOptions["fault"];
  readonly #post: Post;
  readonly #atOnce: number;
  readonly #queues = new Map<number, Delivery[]>();
  /** By app: how many are being sent. */
  readonly #busy = new Map<number, number>();
  readonly #stop = new AbortController();
  readonly #later = new Map<NodeJS.Timeout, Delivery>();
  #waiters: (() => void)[] = [];

  constructor(options: SenderOptions) {
    this.#world = options.world;
    this.#fault = options.fault;
    this.#post = options.post ?? overHttp;
    this.#atOnce = options.atOnce ?? 1;
    this.#world.changes.record((change) => this.#told(change));
  }

  #told(change: Change): void {
    const told = recipients(this.#world, change).filter((one) => app(this.#world, one.appId).webhook !== null);
    if (told.length === 0) return;
    const common = payload(this.#world, change);
    if (common === null) return;
    for (const installation of told) {
      const body = JSON.stringify({
        ...common,
        ...("installation" in common ? {} : { installation: { id: installation.id, node_id: installation.nodeId } }),
      });
      const action = typeof common.action === "string" ? common.action : null;
      const repositoryId = "repository" in change ? change.repository.id : null;
      this.#enqueue({
        appId: installation.appId,
        installationId: installation.id,
        repositoryId,
        event: change.kind,
        action,
        body,
        guid: this.#world.ids.guid(),
        redelivery: false,
      });
    }
  }

  #enqueue(
    input: Pick<Delivery, "appId" | "installationId" | "repositoryId" | "event" | "action" | "guid" | "redelivery"> & {
      readonly body: string;
    },
  ): void {
    const { body, ...about } = input;
    const target = app(this.#world, input.appId);
    const { url, secret } = required(target.webhook);
    const sign = (algorithm: "sha1" | "sha256") =>
      `${algorithm}=${createHmac(algorithm, secret).update(body).digest("hex")}`;
    const headers = {
      accept: "*/*",
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/sandbox",
      "x-github-delivery": input.guid,
      "x-github-event": input.event,
      "x-github-hook-id": String(target.id),
      "x-github-hook-installation-target-id": String(target.id),
      "x-github-hook-installation-target-type": "integration",
      "x-github-enterprise-host": new URL(this.#world.baseUrl).host,
      "x-github-enterprise-version": serverVersion,
      "x-hub-signature": sign("sha1"),
      "x-hub-signature-256": sign("sha256"),
    };
    const delivery: Delivery = {
      ...about,
      id: this.#world.ids.nextDelivery(),
      url,
      request: { headers, body },
      queuedAt: this.#world.now(),
      deliveredAt: null,
      duration: 0,
      status: "pending",
      statusCode: 0,
      response: null,
    };
    this.#world.deliveries.set(delivery.id, delivery);
    const oldest = this.#world.deliveries.keys().next().value;
    if (this.#world.deliveries.size > deliveriesKept && oldest !== undefined) this.#world.deliveries.delete(oldest);
    this.#queue(delivery);
  }

  #queue(delivery: Delivery): void {
    const queue = this.#queues.get(delivery.appId) ?? [];
    queue.push(delivery);
    this.#queues.set(delivery.appId, queue);
    void this.#work(delivery.appId, queue);
  }

  /** Sends a delivery again: the same guid and payload, as a delivery of its own. */
  redeliver(delivery: Delivery): void {
    const { appId, installationId, repositoryId, event, action, guid } = delivery;
    this.#enqueue({
      appId,
      installationId,
      repositoryId,
      event,
      action,
      guid,
      redelivery: true,
      body: delivery.request.body,
    });
  }

  /** When nothing waits to be sent. */
  async idle(): Promise<void> {
    if (this.#pending()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  close(): void {
    this.#stop.abort();
    for (const timer of this.#later.keys()) clearTimeout(timer);
    this.#later.clear();
    for (const queue of this.#queues.values()) queue.length = 0;
    this.#settle();
  }

  #pending(): boolean {
    return this.#busy.size > 0 || this.#later.size > 0 || [...this.#queues.values()].some((queue) => queue.length > 0);
  }

  #settle(): void {
    if (this.#pending()) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  async #work(appId: number, queue: Delivery[]): Promise<void> {
    const busy = this.#busy.get(appId) ?? 0;
    if (busy >= this.#atOnce) return;
    this.#busy.set(appId, busy + 1);
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await this.#sendWithFaults(next, queue);
    const left = (this.#busy.get(appId) ?? 1) - 1;
    if (left > 0) this.#busy.set(appId, left);
    else this.#busy.delete(appId);
    this.#settle();
  }

  async #sendWithFaults(delivery: Delivery, queue: Delivery[]): Promise<void> {
    const fault = this.#fault(delivery);
    switch (fault?.kind) {
      case undefined:
        return this.#send(delivery);
      case "drop":
        Object.assign(delivery, { deliveredAt: this.#world.now(), status: "dropped by a fault", statusCode: 0 });
        return;
      case "duplicate":
        await this.#send(delivery);
        return this.#send(delivery);
      case "delay":
        this.#sendLater(delivery, fault.ms);
        return;
      case "reorder": {
        const overtaking = queue.shift();
        if (overtaking === undefined) {
          this.#sendLater(delivery, reorderMs);
          return;
        }
        await this.#send(overtaking);
        return this.#send(delivery);
      }
    }
  }

  #sendLater(delivery: Delivery, ms: number): void {
    const timer = setTimeout(() => {
      void this.#send(delivery).finally(() => {
        this.#later.delete(timer);
        this.#settle();
      });
    }, ms);
    this.#later.set(timer, delivery);
  }

  /** Never throws: what went wrong is written into the delivery. */
  async #send(delivery: Delivery): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const started = performance.now();
    try {
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]);
      const { status: statusCode, statusText, headers, body } = await this.#post(delivery, signal);
      const ok = statusCode >= 200 && statusCode < 300;
      Object.assign(delivery, {
        statusCode,
        status: ok ? "OK" : statusText || "Invalid HTTP Response",
        response: { headers, body: body.slice(0, responseLimit) },
      });
    } catch (error) {
      const timedOut = error instanceof Error && error.name === "TimeoutError";
      Object.assign(delivery, { statusCode: 0, status: timedOut ? "timed out" : "failed to connect to host" });
    }
    delivery.deliveredAt = this.#world.now();
    delivery.duration = Math.round(performance.now() - started);
  }
}

const overHttp: Post = async (delivery, signal) => {
  const response = await fetch(delivery.url, {
    method: "POST",
    headers: delivery.request.headers,
    body: delivery.request.body,
    redirect: "manual",
    signal,
  });
  const { status, statusText } = response;
  return { status, statusText, headers: Object.fromEntries(response.headers), body: await response.text() };
};

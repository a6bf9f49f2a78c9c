/**
 * What strangers on the network and a job of a hostile repository send, all at once, until told to stop: a process of
 * its own, so that it takes no time from GitHub's stand-in. Told of its target by IPC, it ends with its counts.
 */
import { createHmac, randomUUID } from "node:crypto";
import http from "node:http";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { PROTOCOL } from "../../../src/coordinator/protocol/protocol.ts";
import { readPlan } from "../../../src/plan/read.ts";

/** Sent by the parent once. */
export interface Target {
  readonly url: string;
  /** Where the hostile job asks for its OIDC tokens. */
  readonly oidc: { readonly url: string; readonly token: string };
  readonly repository: { readonly id: string; readonly runId: string };
  readonly secret: string;
  /** A webhook that somebody recorded on its way. */
  readonly captured: { readonly event: string; readonly body: string };
}

/** Attack -> status of the answer (`none`: the connection was ended) -> how often. */
export type Counts = Record<string, Record<string, number>>;

const counts: Counts = {};
const stop = new AbortController();
const BOMB = gzipSync(Buffer.alloc(8 * 1024 * 1024, 0x20));
const UNFINISHED = 60;
const UNFINISHED_BYTES = 24 * 1024 * 1024;
const SLOW_CONNECTIONS = 200;
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

process.on("message", (message: Target | "stop") => {
  if (message === "stop") {
    stop.abort();
    return;
  }
  void besiege(message).then(() => {
    process.send?.(counts, () => process.exit(0));
  });
});

async function besiege(target: Target): Promise<void> {
  await Promise.all([
    every(50, () => joinWithoutToken(target)),
    every(200, () => adopt(target)),
    every(2_000, () => Promise.all(Array.from({ length: 50 }, () => leader(target)))),
    every(100, () => wrongSignature(target)),
    every(500, () => replay(target)),
    every(250, () => pages(target)),
    every(100, () => openRuns(target)),
    every(5_000, () => hostileAgent(target)),
    ...Array.from({ length: UNFINISHED }, () => every(1_000, () => unfinishedBody(target))),
    ...Array.from({ length: SLOW_CONNECTIONS }, () => every(1_000, () => slowHeaders(target))),
  ]);
}

async function every(ms: number, act: () => Promise<unknown>): Promise<void> {
  while (!stop.signal.aborted) {
    const began = performance.now();
    await act().catch((error: unknown) => count("failed", String(error).slice(0, 60)));
    const rest = ms - (performance.now() - began);
    await sleep(Math.max(1, rest), undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

function count(attack: string, status: string): void {
  const answers = counts[attack] ?? {};
  answers[status] = (answers[status] ?? 0) + 1;
  counts[attack] = answers;
}

interface Sent {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

async function send(attack: string, { url }: Target, { method, path, headers, body }: Sent): Promise<string> {
  return await new Promise((resolve) => {
    const request = http.request(new URL(path, url), { method, headers: { ...headers }, agent, timeout: 30_000 });
    const done = (status: string, text = ""): void => {
      count(attack, status);
      resolve(text);
    };
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => done(String(response.statusCode), Buffer.concat(chunks).toString("utf8")));
      response.on("error", () => done("none"));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => done("none"));
    stop.signal.addEventListener("abort", () => request.destroy(), { once: true });
    request.end(body);
  });
}

/** Eight kilobytes that become eight megabytes. */
function joinWithoutToken(target: Target): Promise<string> {
  const bearer = `${btoa(JSON.stringify({ alg: "RS256", kid: randomUUID() }))}.${btoa("{}")}.eHg`;
  const headers = {
    "content-type": "application/json",
    "content-encoding": "gzip",
    authorization: `Bearer ${bearer}`,
  };
  return send("join without a token", target, { method: "POST", path: "/api/runs/join", headers, body: BOMB });
}

function adopt(target: Target): Promise<string> {
  const headers = { "content-type": "application/json", authorization: "Bearer a-token-of-nobody-at-all" };
  const body = JSON.stringify({ repository: "acme/quiet-0" });
  return send("adopt without rights", target, { method: "POST", path: "/api/adopt", headers, body });
}

function leader(target: Target): Promise<string> {
  return send("leader's proof of the app", target, { method: "GET", path: "/api/leader" });
}

function wrongSignature(target: Target): Promise<string> {
  const body = "[".repeat(200_000);
  return send("webhook with a wrong signature", target, {
    method: "POST",
    path: "/api/github/webhooks",
    headers: webhookHeaders("pull_request", `sha256=${"0".repeat(64)}`),
    body,
  });
}

/** A true webhook once more, under an id that GitHub never gave. */
function replay(target: Target): Promise<string> {
  const { event, body } = target.captured;
  const signature = `sha256=${createHmac("sha256", target.secret).update(body).digest("hex")}`;
  const headers = webhookHeaders(event, signature);
  return send("captured webhook, a new id", target, { method: "POST", path: "/api/github/webhooks", headers, body });
}

function webhookHeaders(event: string, signature: string): Record<string, string> {
  return {
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": randomUUID(),
    "x-hub-signature-256": signature,
  };
}

/** What a page of another site would have a browser on the app's machine ask for. */
async function pages(target: Target): Promise<void> {
  const headers = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
  for (const path of ["/api/overdue", "/api/pulls/acme/quiet-0/1", "/api/deliveries/dead", "/metrics"]) {
    await send("operator's pages from another site", target, { method: "GET", path, headers });
  }
}

/** A body that never ends: its start is sent as fast as it is taken, then nothing. */
async function unfinishedBody(target: Target): Promise<void> {
  const headers = {
    ...webhookHeaders("push", `sha256=${"0".repeat(64)}`),
    "content-length": `${UNFINISHED_BYTES + 1}`,
  };
  await new Promise<void>((resolve) => {
    const request = http.request(new URL("/api/github/webhooks", target.url), { method: "POST", headers });
    const done = (status: string) => () => {
      count("unfinished body", status);
      request.destroy();
      resolve();
    };
    request.on("response", (response) => done(String(response.statusCode))());
    request.on("error", done("none"));
    stop.signal.addEventListener("abort", done("stopped"), { once: true });
    const chunk = Buffer.alloc(1024 * 1024, 0x20);
    let left = UNFINISHED_BYTES;
    const more = (): void => {
      while (left > 0 && !request.destroyed) {
        left -= chunk.length;
        if (!request.write(chunk)) {
          request.once("drain", more);
          return;
        }
      }
    };
    more();
  });
}

/** A connection that says a header a second. */
async function slowHeaders(target: Target): Promise<void> {
  const { hostname, port } = new URL(target.url);
  await new Promise<void>((resolve) => {
    const socket = net.connect(Number(port), hostname, () =>
      socket.write("POST /api/runs/join HTTP/1.1\r\nhost: x\r\n"),
    );
    const timer = setInterval(() => socket.write(`x-${randomUUID()}: 1\r\n`), 1_000);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearInterval(timer);
      count("slow headers", stop.signal.aborted ? "stopped" : "ended by the app");
      resolve();
    });
    stop.signal.addEventListener("abort", () => socket.destroy(), { once: true });
  });
}

let token: { readonly value: string; readonly until: number } | null = null;

async function jobToken({ oidc, url }: Target): Promise<string> {
  if (token === null || token.until < Date.now()) {
    const answer = await fetch(`${oidc.url}&audience=${encodeURIComponent(url)}`, {
      headers: { authorization: `Bearer ${oidc.token}` },
    });
    const { value } = (await answer.json()) as { value: string };
    token = { value, until: Date.now() + 200_000 };
  }
  return token.value;
}

const { plan: PLAN } = readPlan('name: endless\nagents: 2\nstages: [{ name: work, run: "true" }]\n', "plan.yml");
let groups = 0;

/** One job's token opens one group after the other. */
async function openRuns(target: Target): Promise<string> {
  groups += 1;
  return await join("a group more of one job", target, `group-${groups}`, "agent-0");
}

async function join(attack: string, target: Target, group: string, name: string): Promise<string> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${await jobToken(target)}` };
  const key = {
    repositoryId: target.repository.id,
    runId: target.repository.runId,
    attempt: 1,
    group,
    plan: PLAN?.name ?? "",
  };
  const body = JSON.stringify({
    protocol: PROTOCOL,
    nonce: randomUUID(),
    key,
    plan: PLAN,
    selection: { only: null, skip: [], stopAfter: null },
    agentCount: 2,
    agent: name,
    role: null,
    index: null,
    address: null,
  });
  return await send(attack, target, { method: "POST", path: "/api/runs/join", headers, body });
}

/** An agent that says what it may not, as long as it may: escapes without an end, masks, giant names. */
async function hostileAgent(target: Target): Promise<void> {
  const said = await join("a hostile agent joins", target, "hostile", "agent-0");
  const { run, session } = JSON.parse(said === "" ? "{}" : said) as { run?: string; session?: string };
  if (run === undefined || session === undefined) {
    return;
  }
  const message = `\u001b]8;;${"\u001b[".repeat(32_000)}`;
  const annotations = Array.from({ length: 6 }, () => ({ path: "plan.yml", line: 1, level: "failure", message }));
  const headers = { "content-type": "application/json", authorization: `Bearer ${session}` };
  const body = JSON.stringify({
    protocol: PROTOCOL,
    seq: 1,
    holdMs: 0,
    reset: null,
    sync: {
      doing: message,
      status: "idle",
      stage: 0,
      progress: null,
      finished: [{ attempt: "0.0.1", end: { kind: "exited", code: 1 }, annotations, outputs: { [message]: message } }],
      wants: 1_000_000,
      addTasks: [],
      ready: [],
      outputs: {},
    },
    known: { roster: null, outputs: null, notice: 0 },
  });
  await send("what a hostile agent says", target, { method: "POST", path: `/api/runs/${run}/sync`, headers, body });
}

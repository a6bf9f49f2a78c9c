/**
 * What the app tells Prometheus: how much waits, read from the store when asked, and how often something happened
 * since the process began. No repository and no pull request is named, and no label takes more values than are shown
 * together (`MOST_…`).
 */
import { Counter, Gauge, Registry } from "prom-client";
import { QUOTA_NAMES, type QuotaName } from "../../src/coordinator/admission/quotas.ts";
import type { GroupRun } from "../../src/coordinator/hosting/group-run.ts";
import type { Store } from "../store/model.ts";
import type { ReplicaCounts } from "../work/replicas/replica.ts";
import { GroupRunMetrics, type HostedRunSeen } from "./group-runs.ts";
import { MoveMetrics, type MoveOutcome, type MoveTime } from "./moves.ts";
import { QuotaLeft, type RateLimit } from "./quota-left.ts";

/** Where requests are refused, and what for: of closed lists. */
export type Door = "runs" | "webhooks" | "adopt";
export const WEBHOOK_REFUSALS = [
  "headers",
  "signature",
  "content",
  "not_stored",
  "too_large",
  "slow",
  "over_budget",
  "aborted",
] as const;
export type WebhookRefusal = (typeof WEBHOOK_REFUSALS)[number];

/** An answer of GitHub, or that there was none. */
export interface Request {
  readonly installationId: number | null;
  /** `graphql`, or the method. */
  readonly kind: string;
  /** Null: there was no answer. */
  readonly status: number | null;
  /** As its headers say; null: they do not. */
  readonly rateLimit: RateLimit | null;
}

export interface MetricsOptions {
  readonly store: Pick<Store, "counts">;
  readonly now: () => number;
  /** Of the groups' runs in memory; null: none are hosted. */
  readonly runs: () => Promise<readonly HostedRunSeen[] | null>;
  /** What became of what this replica claimed, since it began; left out: it shares its database with nobody. */
  readonly claims?: () => ReplicaCounts | null;
  readonly registry?: Registry;
}

const PREFIX = "stagewright_";
/** Policies name their stages as they like: beyond so many names the rest is counted together. */
const MOST_STAGES = 50;
const NO_STAGE = "(none)";
const OTHER_STAGES = "(other)";
const METHODS: ReadonlySet<string> = new Set(["graphql", "GET", "POST", "PATCH", "PUT", "DELETE"]);

export class Metrics {
  readonly #options: MetricsOptions;
  readonly #registry: Registry;
  readonly #moves: MoveMetrics;
  readonly #quotas: QuotaLeft;
  readonly #groups: GroupRunMetrics;
  readonly #requests: Counter<"kind" | "status">;
  readonly #refusals: Counter<"door" | "reason">;
  readonly #quotaRefusals: Counter<"quota">;
  readonly #claims: Counter<"event">;
  readonly #pulls: Gauge<"stage">;
  readonly #deliveries: Gauge<"state">;
  readonly #effects: Gauge<"state">;
  readonly #starts: Gauge<"state">;
  readonly #single: Readonly<Record<"overdue" | "blocked" | "moving" | "oldest" | "gates", Gauge>>;
  #reading: Promise<string> | null = null;

  constructor(options: MetricsOptions) {
    this.#options = options;
    const registry = options.registry ?? new Registry();
    this.#registry = registry;
    const registers = [registry];
    const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Gauge<T> =>
      new Gauge({ name: `${PREFIX}${name}`, help, labelNames: [...labelNames], registers });
    const counter = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Counter<T> =>
      new Counter({ name: `${PREFIX}${name}`, help, labelNames: [...labelNames], registers });

    this.#pulls = gauge("pull_requests", "Open pull requests by the stage that GitHub shows.", ["stage"]);
    this.#single = {
      overdue: gauge("pull_requests_overdue", "Open pull requests that are in their stage for longer than allowed."),
      blocked: gauge("moves_blocked", "Pull requests whose move was given up for now."),
      moving: gauge("moves_pending", "Pull requests whose decided move is not confirmed yet."),
      oldest: gauge("inbox_oldest_seconds", "Age of the oldest delivery that is not handled yet; 0: none waits."),
      gates: gauge("gates_waiting", "Jobs that wait for an environment."),
    };
    this.#deliveries = gauge("inbox_deliveries", "Deliveries that wait (pending) or were given up (dead).", ["state"]);
    this.#effects = gauge(
      "outbox_effects",
      "Effects beside labels and checks: to be done now (due), later (parked), or given up (dead).",
      ["state"],
    );
    this.#starts = gauge("workflow_runs", "Workflow runs started for pull requests that have not ended.", ["state"]);
    this.#moves = new MoveMetrics(registry, PREFIX);
    this.#quotas = new QuotaLeft(registry, PREFIX);
    this.#groups = new GroupRunMetrics(registry, PREFIX);
    this.#requests = counter("github_requests_total", "Requests to GitHub, by kind and class of the answer.", [
      "kind",
      "status",
    ]);
    this.#refusals = counter("refusals_total", "Requests to this app that were refused, by where and what for.", [
      "door",
      "reason",
    ]);
    this.#quotaRefusals = counter(
      "quota_refusals_total",
      "Requests of agents beyond what a repository, an installation or a workflow run may have.",
      ["quota"],
    );
    this.#claims = counter(
      "claims_total",
      "Installations and others of which replicas take turns: taken over from one that ended without giving them back, handed over, lost to another.",
      ["event"],
    );
    // What is not there cannot be seen to increase: the first refusal would be missed.
    for (const reason of WEBHOOK_REFUSALS) {
      this.#refusals.inc({ door: "webhooks", reason }, 0);
    }
    for (const quota of QUOTA_NAMES) {
      this.#quotaRefusals.inc({ quota }, 0);
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  moved(outcome: MoveOutcome): void {
    this.#moves.moved(outcome);
  }

  /** GitHub shows the pull request in another stage than before. */
  transitioned(): void {
    this.#moves.transitioned();
  }

  /** How long it took until GitHub showed what follows from an event, or it was given up for the first time. */
  timed(time: MoveTime): void {
    this.#moves.timed(time);
  }

  /** A run that is hosted here has changed. */
  runChanged(run: GroupRun): void {
    this.#groups.changed(run);
  }

  refused(door: Door, reason: string): void {
    this.#refusals.inc({ door, reason });
  }

  overQuota(quota: QuotaName): void {
    this.#quotaRefusals.inc({ quota });
  }

  requested({ installationId, kind, status, rateLimit }: Request): void {
    this.#requests.inc({
      kind: METHODS.has(kind) ? kind : "other",
      status: status === null ? "none" : `${Math.floor(status / 100)}xx`,
    });
    if (rateLimit !== null) {
      this.#quotas.heard(installationId, rateLimit);
    }
  }

  /** In Prometheus' text format. Those who ask at the same time get the same answer. Throws what the store throws. */
  async text(): Promise<string> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return await this.#reading;
  }

  async #read(): Promise<string> {
    const { store, runs } = this.#options;
    const now = this.#options.now();
    const counts = await store.counts.all(now);
    const seen = await runs();
    this.#pulls.reset();
    for (const [index, { stage, count }] of counts.stages.entries()) {
      this.#pulls.inc({ stage: index < MOST_STAGES ? (stage ?? NO_STAGE) : OTHER_STAGES }, count);
    }
    this.#single.overdue.set(counts.overdue);
    this.#single.blocked.set(counts.blocked);
    this.#single.moving.set(counts.moving);
    this.#single.gates.set(counts.gates);
    const { pending, dead, oldestPendingAt } = counts.deliveries;
    this.#single.oldest.set(oldestPendingAt === null ? 0 : Math.max(0, now - oldestPendingAt) / 1_000);
    this.#deliveries.set({ state: "pending" }, pending);
    this.#deliveries.set({ state: "dead" }, dead);
    for (const state of ["due", "parked", "dead"] as const) {
      this.#effects.set({ state }, counts.effects[state]);
    }
    this.#starts.reset();
    for (const state of ["queued", "sent", "running"]) {
      this.#starts.set({ state }, counts.starts.find((each) => each.state === state)?.count ?? 0);
    }
    const { takeovers, handovers, lost } = this.#options.claims?.() ?? { takeovers: 0, handovers: 0, lost: 0 };
    this.#claims.reset();
    this.#claims.inc({ event: "taken_over" }, takeovers);
    this.#claims.inc({ event: "handed_over" }, handovers);
    this.#claims.inc({ event: "lost" }, lost);
    this.#groups.read(seen ?? []);
    this.#quotas.read(now);
    return await this.#registry.metrics();
  }
}

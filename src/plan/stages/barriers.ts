/** Barriers and liveness: what a stage says, over what the plan says for its type, over the plan's default, over ours. */
import { PLAN_BOUNDS } from "../bounds.ts";
import { HEARTBEAT_INTERVAL_MS, LOST_AFTER_MS, WARN_AFTER_MS } from "../liveness.ts";
import { formatDuration } from "../parsing/duration.ts";
import type { Keys, Place } from "../parsing/key-parser.ts";
import type { Barrier, BarrierRule, Liveness, StageType } from "../plan.ts";
import type { barrierShape, barrierSyncShape, livenessShape } from "../schema.ts";

type BarrierKeys = Keys<typeof barrierShape>;
type BarrierValue = string | BarrierKeys;
export type BarrierSync = Keys<typeof barrierSyncShape>;

const STRAGGLER_GRACE_MS = 30_000;
/** Heartbeats that may be missed where neither these nor `lost_after` are said: as many as the defaults come to. */
export const MISSED_THRESHOLD = LOST_AFTER_MS / HEARTBEAT_INTERVAL_MS;

/** The barrier of a stage of this type. `own` stands at `place`, `sync` at `barrier_sync`. */
export function barrierOf(own: BarrierValue | undefined, type: StageType, sync: BarrierSync, place: Place): Barrier {
  const layers = [keysOf(own), keysOf(ofType(sync, type)), defaults(sync)];
  const first = <K extends keyof BarrierKeys>(key: K): BarrierKeys[K] | undefined =>
    layers.find((layer) => layer[key] !== undefined)?.[key];
  const ruled = layers.find((layer) => layer.type !== undefined || layer.at_least !== undefined) ?? {};
  return {
    rule: ruleOf(ruled, place),
    timeoutMs: first("agent_barrier_timeout") ?? null,
    stragglerGraceMs: first("straggler_grace") ?? STRAGGLER_GRACE_MS,
    onStraggler: first("on_straggler") ?? "exclude",
    heartbeatIntervalMs: first("heartbeat_interval") ?? null,
    missedThreshold: first("missed_threshold") ?? null,
    queryTimeoutMs: first("query_timeout") ?? null,
    queryRetries: first("query_retries") ?? null,
  };
}

function keysOf(value: BarrierValue | undefined): BarrierKeys {
  return typeof value === "string" ? { type: value } : (value ?? {});
}

function ofType(sync: BarrierSync, type: StageType): BarrierValue | undefined {
  switch (type) {
    case "validation":
    case "prepare":
    case "execute":
    case "cleanup":
      return sync[type];
    case "custom":
    case "hybrid":
    case "quorum":
      return undefined;
  }
}

function defaults(sync: BarrierSync): BarrierKeys {
  return {
    type: sync.default_type,
    at_least: sync.default_at_least,
    agent_barrier_timeout: sync.default_agent_barrier_timeout,
    straggler_grace: sync.default_straggler_grace,
    on_straggler: sync.default_on_straggler,
    heartbeat_interval: sync.default_heartbeat_interval,
    missed_threshold: sync.default_missed_threshold,
    query_timeout: sync.default_query_timeout,
    query_retries: sync.default_query_retries,
  };
}

function ruleOf(keys: BarrierKeys, place: Place): BarrierRule {
  const { type, at_least } = keys;
  switch (type) {
    case "all_or_nothing":
    case "majority":
    case "best_effort":
    case "none":
      if (at_least !== undefined) {
        place.problems.error(
          place.source.at(place.path),
          `barrier: at_least belongs to type: at_least, not to ${type}`,
        );
      }
      return { kind: type };
    case undefined:
      return at_least === undefined ? { kind: "all_or_nothing" } : shareOf(at_least);
    default: {
      const [, inline] = type.split(" ");
      const share = inline ?? at_least;
      if (share === undefined || (inline !== undefined && at_least !== undefined)) {
        const message = 'barrier: expected how many, once, such as "at_least 3" or {type: at_least, at_least: 75%}';
        place.problems.error(place.source.at(place.path), message);
      }
      return shareOf(share ?? 1);
    }
  }
}

function shareOf(value: string | number): BarrierRule {
  return String(value).endsWith("%")
    ? { kind: "at_least_percent", percent: Number.parseInt(String(value), 10) }
    : { kind: "at_least", count: Number(value) };
}

/**
 * The run's liveness. What is not said follows what is: a slower heartbeat moves the later limits along, and a
 * barrier's own heartbeat × missed_threshold raises the default of `lost_after`. What is said must hold together.
 * `place` is that of the `liveness` key.
 */
export function livenessOf(
  said: Keys<typeof livenessShape>,
  barriers: readonly { readonly barrier: Barrier; readonly place: Place }[],
  place: Place,
): Liveness {
  const heartbeatIntervalMs = said.heartbeat_interval ?? HEARTBEAT_INTERVAL_MS;
  const silences = barriers.map(({ barrier }) => silenceOf(barrier, heartbeatIntervalMs));
  const warnAfterMs =
    said.warn_after ??
    Math.min(said.lost_after ?? PLAN_BOUNDS.durationMs, Math.max(WARN_AFTER_MS, 2.5 * heartbeatIntervalMs));
  const lostAfterMs =
    said.lost_after ?? Math.min(PLAN_BOUNDS.durationMs, Math.max(LOST_AFTER_MS, 6 * warnAfterMs, ...silences));
  const { source, problems } = place;
  if (warnAfterMs <= heartbeatIntervalMs) {
    const message = `warn_after (${formatDuration(warnAfterMs)}) must be longer than heartbeat_interval (${formatDuration(heartbeatIntervalMs)})`;
    problems.error(
      source.at([...place.path, said.warn_after === undefined ? "lost_after" : "warn_after"]),
      `liveness: ${message}`,
    );
  }
  if (lostAfterMs < warnAfterMs) {
    const message = `lost_after (${formatDuration(lostAfterMs)}) must not be shorter than warn_after (${formatDuration(warnAfterMs)})`;
    problems.error(source.at([...place.path, "lost_after"]), `liveness: ${message}`);
  }
  for (const [index, at] of barriers.entries()) {
    const silence = silences[index] ?? 0;
    if (silence > PLAN_BOUNDS.durationMs) {
      const message = `missed_threshold × heartbeat_interval (${formatDuration(silence)}) must be at most ${formatDuration(PLAN_BOUNDS.durationMs)}`;
      problems.error(at.place.source.at(at.place.path), `barrier: ${message}`);
    } else if (silence > lostAfterMs) {
      const message =
        `liveness.lost_after (${formatDuration(lostAfterMs)}) must be at least missed_threshold × heartbeat_interval of ` +
        `this stage's barrier (${formatDuration(silence)})`;
      problems.error(at.place.source.at(at.place.path), message);
    }
  }
  return { heartbeatIntervalMs, warnAfterMs, lostAfterMs };
}

/** A barrier with a heartbeat of its own: how many may be missed follows, unless a silence that is said decides. */
export function withMissedThreshold(barrier: Barrier, said: Keys<typeof livenessShape>): Barrier {
  const isSaid = barrier.heartbeatIntervalMs === null || barrier.missedThreshold !== null;
  return isSaid || said.lost_after !== undefined ? barrier : { ...barrier, missedThreshold: MISSED_THRESHOLD };
}

/** How long an agent may be silent by this barrier's own rule; 0 when it has none. */
function silenceOf(barrier: Barrier, heartbeatIntervalMs: number): number {
  if (barrier.heartbeatIntervalMs === null && barrier.missedThreshold === null) {
    return 0;
  }
  return (barrier.heartbeatIntervalMs ?? heartbeatIntervalMs) * (barrier.missedThreshold ?? 1);
}

/** Barriers of a sai3-bench configuration: nearly a plan's own. */
import { PLAN_BOUNDS } from "../bounds.ts";
import { formatDuration, parseDuration } from "../parsing/duration.ts";
import { MISSED_THRESHOLD } from "../stages/barriers.ts";
import type { Section } from "./notes.ts";
import { durationAt, flagAt, wholeAt, wordAt } from "./values.ts";

const RULES = ["all_or_nothing", "majority", "best_effort"] as const;
const PHASES = ["validation", "prepare", "execute", "cleanup"] as const;

/** One barrier: what its mapping says, as a plan's says it. @param missed the most heartbeats that any may miss */
export function benchBarrier(section: Section, missed: number): Readonly<Record<string, unknown>> {
  const type = wordAt(section, "type", RULES);
  const timeout = durationAt(section, "agent_barrier_timeout");
  const rest = silence(section, "", missed);
  section.rest({});
  return {
    ...(type === null ? {} : { type }),
    ...(timeout === null ? {} : { agent_barrier_timeout: timeout }),
    ...rest,
  };
}

/**
 * The most heartbeats that any of its barriers may miss: the interval that one says may stand beside the number that
 * another one says.
 */
export function mostMissed(distributed: Section): number {
  const ahead = distributed.lookAhead();
  const sync = ahead.section("barrier_sync");
  const own = [
    ...PHASES.map((phase) => sync?.section(phase) ?? null),
    ...ahead.sections("stages").map((stage) => stage.section("barrier")),
  ];
  const usual = sync === null ? null : missedAt(sync, "default_");
  return own.reduce(
    (most, barrier) => Math.max(most, barrier === null ? 0 : (missedAt(barrier, "") ?? 0)),
    Math.max(MISSED_THRESHOLD, usual ?? 0),
  );
}

/** `barrier_sync`; null: the plan's own defaults. @param alone only the first agent prepares, and others wait for it */
export function barrierSyncOf(
  distributed: Section,
  alone: boolean,
  missed: number,
): Readonly<Record<string, unknown>> | null {
  const section = distributed.section("barrier_sync");
  if (section === null) {
    distributed.tell("changed", "barrier_sync", "stages end in a barrier for all, unless they say `barrier: none`");
    return null;
  }
  const enabled = flagAt(section, "enabled");
  const sync: Record<string, unknown> = { ...silence(section, "default_", missed) };
  for (const phase of PHASES) {
    const own = section.section(phase);
    if (own !== null) sync[phase] = benchBarrier(own, missed);
  }
  section.rest({});
  if (enabled !== false) {
    distributed.tell("mapped", "barrier_sync", "barrier_sync");
    return sync;
  }
  // Whoever does not prepare must not begin before it is prepared.
  const kept = alone ? { prepare: { ...(sync.prepare ?? {}), type: "all_or_nothing" } } : {};
  section.tell("mapped", "enabled", `no barriers (default_type: none)${alone ? ", but after prepare" : ""}`);
  const none = Object.entries(sync).map(([key, value]) => [
    key,
    typeof value === "object" ? { ...value, type: "none" } : value,
  ]);
  return { default_type: "none", ...Object.fromEntries(none), ...kept };
}

/** How long an agent may be silent. Left out where that would be more than a plan takes. */
function silence(section: Section, prefix: Prefix, most: number): Readonly<Record<string, unknown>> {
  const heartbeat = durationAt(section, `${prefix}heartbeat_interval`);
  const missed = missedAt(section, prefix);
  const timeout = durationAt(section, `${prefix}query_timeout`);
  const retries = wholeAt(section, `${prefix}query_retries`, 0, 100);
  const ms = heartbeat === null ? 0 : (parseDuration(heartbeat) ?? 0);
  const isLong = ms * most > PLAN_BOUNDS.durationMs;
  if (isLong) {
    const longest = formatDuration(PLAN_BOUNDS.durationMs);
    const message = `${most} missed ones would be a silence of more than ${longest}, left out`;
    section.tell("changed", `${prefix}heartbeat_interval`, message);
  }
  const entries = [
    ["heartbeat_interval", isLong ? null : heartbeat],
    ["missed_threshold", missed],
    ["query_timeout", timeout],
    ["query_retries", retries],
  ] as const;
  return Object.fromEntries(
    entries.flatMap(([key, value]) => (value === null ? [] : [[`${prefix}${key}`, value] as const])),
  );
}

type Prefix = "" | "default_";

function missedAt(section: Section, prefix: Prefix): number | null {
  return wholeAt(section, `${prefix}missed_threshold`, 1, 1_000);
}

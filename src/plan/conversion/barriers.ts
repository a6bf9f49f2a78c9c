/** Barriers of a sai3-bench configuration: nearly a plan's own. */
import { PLAN_BOUNDS } from "../bounds.ts";
import { parseDuration } from "../parsing/duration.ts";
import type { Section } from "./notes.ts";
import { durationAt, flagAt, wholeAt, wordAt } from "./values.ts";

const RULES = ["all_or_nothing", "majority", "best_effort"] as const;

/** One barrier: what its mapping says, as a plan's says it. */
export function benchBarrier(section: Section): Readonly<Record<string, unknown>> {
  const type = wordAt(section, "type", RULES);
  const timeout = durationAt(section, "agent_barrier_timeout");
  const rest = silence(section, "");
  section.rest({});
  return {
    ...(type === null ? {} : { type }),
    ...(timeout === null ? {} : { agent_barrier_timeout: timeout }),
    ...rest,
  };
}

/** `barrier_sync`; null: the plan's own defaults. @param alone only the first agent prepares, and others wait for it */
export function barrierSyncOf(distributed: Section, alone: boolean): Readonly<Record<string, unknown>> | null {
  const section = distributed.section("barrier_sync");
  if (section === null) {
    distributed.tell("changed", "barrier_sync", "stages end in a barrier for all, unless they say `barrier: none`");
    return null;
  }
  const enabled = flagAt(section, "enabled");
  const sync: Record<string, unknown> = { ...silence(section, "default_") };
  for (const phase of ["validation", "prepare", "execute", "cleanup"] as const) {
    const own = section.section(phase);
    if (own !== null) sync[phase] = benchBarrier(own);
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
function silence(section: Section, prefix: "" | "default_"): Readonly<Record<string, unknown>> {
  const heartbeat = durationAt(section, `${prefix}heartbeat_interval`);
  const missed = wholeAt(section, `${prefix}missed_threshold`, 1, 1_000);
  const timeout = durationAt(section, `${prefix}query_timeout`);
  const retries = wholeAt(section, `${prefix}query_retries`, 0, 100);
  const ms = (heartbeat === null ? 0 : (parseDuration(heartbeat) ?? 0)) * 1_000;
  const isLong = ms > PLAN_BOUNDS.durationMs;
  if (isLong) section.tell("changed", `${prefix}heartbeat_interval`, "is longer than a plan takes, left out");
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

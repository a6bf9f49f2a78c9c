/** Values of a sai3-bench configuration as a plan takes them; null for what it does not take. */
import { PLAN_BOUNDS } from "../bounds.ts";
import { formatDuration } from "../parsing/duration.ts";
import { quote } from "../parsing/problems.ts";
import type { Section } from "./notes.ts";

/** As the crate `humantime` reads them, and sai3-bench's own reader of seconds. */
const UNITS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(["ms", "msec", "millis"].map((unit) => [unit, 1])),
  ...Object.fromEntries(["s", "sec", "secs", "second", "seconds"].map((unit) => [unit, 1_000])),
  ...Object.fromEntries(["m", "min", "mins", "minute", "minutes"].map((unit) => [unit, 60_000])),
  ...Object.fromEntries(["h", "hr", "hrs", "hour", "hours"].map((unit) => [unit, 3_600_000])),
  ...Object.fromEntries(["d", "day", "days"].map((unit) => [unit, 86_400_000])),
  ...Object.fromEntries(["w", "week", "weeks"].map((unit) => [unit, 604_800_000])),
};

/** "1h 30m", "90", 90, "5min" -> milliseconds; null for what is no duration. A bare number is seconds. */
export function benchDuration(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? Math.round(value * 1_000) : null;
  if (typeof value !== "string" || value.length > 64) return null;
  const text = value.trim();
  if (/^[0-9]+$/.test(text)) return Number(text) * 1_000;
  if (!/^(?:[0-9]+ ?[a-z]+ ?)+$/.test(text)) return null;
  let total = 0;
  for (const [, amount, unit = ""] of text.matchAll(/(?<![0-9])([0-9]+) ?([a-z]+)/g)) {
    const size = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (size === undefined) return null;
    total += Number(amount) * size;
  }
  return total;
}

/** The duration below a key as a plan writes it, in (0, 24 days]. Zero is null without a word: who asks knows what it means. */
export function durationAt(section: Section, key: string): string | null {
  const value = section.get(key);
  if (value === undefined || value === null) return null;
  const ms = benchDuration(value);
  if (ms === 0) return null;
  if (ms === null || ms > PLAN_BOUNDS.durationMs) {
    const most = formatDuration(PLAN_BOUNDS.durationMs);
    section.tell("changed", key, `${quote(value)} is no duration of at most ${most}, left out`);
    return null;
  }
  return formatDuration(ms);
}

/** A whole number below a key; thousands may be parted as in 64,032,768. */
export function wholeAt(section: Section, key: string, least: number, most: number): number | null {
  const value = section.get(key);
  if (value === undefined || value === null) return null;
  const text = typeof value === "string" ? value.replaceAll(/[,_ ]/g, "") : value;
  const number = typeof text === "string" && /^[0-9]+$/.test(text) ? Number(text) : text;
  if (typeof number === "number" && Number.isInteger(number) && number >= least && number <= most) return number;
  section.tell("changed", key, `${quote(value)} is no whole number from ${least} to ${most}, left out`);
  return null;
}

export function flagAt(section: Section, key: string): boolean | null {
  const value = section.get(key);
  if (typeof value === "boolean") return value;
  if (value !== undefined && value !== null)
    section.tell("changed", key, `expected true or false, got ${quote(value)}, left out`);
  return null;
}

/** One of these words, as they are or as plans write them (snake case). */
export function wordAt<const T extends string>(section: Section, key: string, words: readonly T[]): T | null {
  const value = section.get(key);
  if (value === undefined || value === null) return null;
  const plain = typeof value === "string" ? value.toLowerCase().replaceAll("-", "_") : "";
  const known = words.find((word) => word === plain || word.replaceAll("_", "") === plain);
  if (known === undefined) section.tell("changed", key, `expected ${words.join(" | ")}, got ${quote(value)}, left out`);
  return known ?? null;
}

/** A name as plans take it, made of whatever is given; "" for what has no letter. */
export function nameOf(text: string): string {
  return text
    .slice(0, 4 * PLAN_BOUNDS.name)
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z]+/, "")
    .replace(/(?<!-)-+$/, "")
    .slice(0, PLAN_BOUNDS.name - 8);
}

/** The name, with a number where it is taken. */
export function distinct(name: string, taken: Set<string>): string {
  let free = name;
  for (let count = 2; taken.has(free); count += 1) free = `${name}-${count}`;
  taken.add(free);
  return free;
}

/** Whether a text can be a variable's value: no placeholder that the plan's reader would look for, not too long. */
export function isVariableValue(text: string): boolean {
  return !text.includes("{{") && Buffer.byteLength(text) <= PLAN_BOUNDS.argumentBytes;
}

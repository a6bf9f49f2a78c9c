/** Durations as plans write them: `90`, `"90s"`, `"5m"`, `"1h30m"`, `"250ms"`; a bare number is seconds. */

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/**
 * Units in falling order, each at most once, each a number that may have a fraction. Also the JSON Schema's pattern,
 * so it is kept free of look-arounds; that it is not empty is checked beside it.
 */
export const DURATION_PATTERN =
  /^(?:[0-9]+(?:\.[0-9]+)?d)?(?:[0-9]+(?:\.[0-9]+)?h)?(?:[0-9]+(?:\.[0-9]+)?m)?(?:[0-9]+(?:\.[0-9]+)?s)?(?:[0-9]+(?:\.[0-9]+)?ms)?$/;
const BARE = /^[0-9]+(?:\.[0-9]+)?$/;

/** Milliseconds, rounded; null for what is no duration. Does not judge the size. */
export function parseDuration(value: string | number): number | null {
  if (typeof value === "number") {
    return Number.isFinite(value) && value >= 0 ? Math.round(value * UNITS.s) : null;
  }
  // A plan may be 1 MiB: no expression runs over a text that cannot be a duration.
  const text = value.length > 64 ? "" : value.trim();
  if (BARE.test(text)) {
    return Math.round(Number(text) * UNITS.s);
  }
  if (text === "" || !DURATION_PATTERN.test(text)) {
    return null;
  }
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(?<![0-9.])([0-9.]+)(ms|[dhms])/g)) {
    total += Number(amount) * unitOf(unit);
  }
  return Math.round(total);
}

/** The shortest spelling that reads back as the same number of milliseconds: 5400000 -> `1h30m`, 0 -> `0s`. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  let text = "";
  for (const [unit, size] of Object.entries(UNITS)) {
    const amount = Math.floor(rest / size);
    if (amount > 0) {
      text += `${amount}${unit}`;
      rest -= amount * size;
    }
  }
  return text === "" ? "0s" : text;
}

function unitOf(unit: string | undefined): number {
  switch (unit) {
    case "d":
    case "h":
    case "m":
    case "s":
    case "ms":
      return UNITS[unit];
    default:
      return Number.NaN;
  }
}

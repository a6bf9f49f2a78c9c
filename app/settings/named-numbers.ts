/** Settings that are several numbers at once: `history=90, runs=14`. */
import { DEFAULT_TIMINGS, type KeepTimes, type Timings } from "../work/timings.ts";

const DAY_MS = 24 * 60 * 60_000;
/** GitHub redelivers for three: what is known by its id is not handled twice. */
const LEAST_DELIVERY_DAYS = 4;
/** Those of the waits that may be shortened or lengthened. */
const WAITS = [
  ...(["lease", "requestTimeout", "deliveriesEvery", "deliveryGrace", "redeliverPause"] as const),
  ...(["askRuns", "blockedPause", "sharedPoll"] as const),
] as const satisfies readonly (keyof Timings)[];
const LEAST_WAIT_SECONDS = 2;
const MOST_WAIT_SECONDS = 3_600;
/** So many beats within a lease: two may be missed. */
const BEATS = 3;

/** `runs=100, agents=512`: those that are named, instead of the defaults. Undefined where it is none of that. */
export function namedNumbers<T extends Readonly<Record<string, number>>>(
  defaults: T,
  value: string,
  isRight: (name: string, number: number) => boolean,
): T | undefined {
  const numbers: Record<string, number> = { ...defaults };
  for (const each of value.split(",").filter((part) => part.trim() !== "")) {
    const [, name = "", number = ""] = /^\s*(?<name>[a-zA-Z]+)\s*=\s*(?<number>\d{1,9})\s*$/u.exec(each) ?? [];
    if (!Object.hasOwn(defaults, name) || number === "" || !isRight(name, Number(number))) {
      return undefined;
    }
    numbers[name] = Number(number);
  }
  return { ...defaults, ...numbers };
}

export const KEEP_DAYS_EXPECTED = `name=days, separated by commas; names are ${Object.keys(DEFAULT_TIMINGS.keep).join(", ")}; deliveries for at least 4 days, since GitHub sends them again for 3`;

export function readKeepDays(value: string): KeepTimes | undefined {
  const scaled = (factor: number, times: KeepTimes): KeepTimes =>
    Object.fromEntries(Object.entries(times).map(([name, time]) => [name, time * factor])) as unknown as KeepTimes;
  const isRight = (name: string, days: number): boolean =>
    days >= (name === "deliveries" ? LEAST_DELIVERY_DAYS : 1) && days < 100_000;
  const days = namedNumbers({ ...scaled(1 / DAY_MS, DEFAULT_TIMINGS.keep) }, value, isRight);
  return days === undefined ? undefined : scaled(DAY_MS, days);
}

export const WAITS_EXPECTED = `name=seconds, separated by commas, from ${LEAST_WAIT_SECONDS} to ${MOST_WAIT_SECONDS}; names are ${WAITS.join(", ")}`;

/** What a replica says of itself within its lease follows from the lease. */
export function readWaits(value: string): Partial<Timings> | undefined {
  const defaults = Object.fromEntries(WAITS.map((name) => [name, DEFAULT_TIMINGS[name] / 1_000]));
  const isRight = (_: string, seconds: number): boolean =>
    seconds >= LEAST_WAIT_SECONDS && seconds <= MOST_WAIT_SECONDS;
  const seconds = namedNumbers(defaults, value, isRight);
  if (seconds === undefined) {
    return undefined;
  }
  const waits = Object.fromEntries(Object.entries(seconds).map(([name, each]) => [name, each * 1_000]));
  return { ...waits, beatEvery: Math.round((waits.lease ?? DEFAULT_TIMINGS.lease) / BEATS) };
}

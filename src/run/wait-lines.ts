/** When a log tells of a wait: first after 10 s, then more and more seldom, and at once when it has become another. */

/** Since the wait began. Milliseconds. */
const FIRST = [10_000, 60_000, 300_000] as const;
const THEN_EVERY_MS = 900_000;

/** What is waited for: as long as it is the same, it is the same wait. */
export interface WaitAbout {
  readonly key: string;
  /** When it began: a time of the same clock as `now`. */
  readonly since: number;
}

/** The wait that was told of last, and when. */
export interface ToldWait {
  readonly key: string;
  readonly at: number;
}

export interface WaitLine {
  readonly isDue: boolean;
  /** To be given with the next call. */
  readonly told: ToldWait | null;
  /** When to call again at the latest, if nothing changes; null: nothing will be due. */
  readonly next: number | null;
}

/** Whether to tell of a wait now. `wait` null: nobody waits. */
export function waitLine(told: ToldWait | null, wait: WaitAbout | null, now: number): WaitLine {
  if (wait === null) return { isDue: false, told: null, next: null };
  const { key, since } = wait;
  // The same again, which has ended in between, is as new as one that nobody has heard of.
  const before = told !== null && told.key === key && told.at < since ? null : told;
  const hasChanged = before !== null && before.key !== key;
  const due = nextMark(since, before === null ? since : before.at);
  if (!hasChanged && now < due) return { isDue: false, told: before, next: due };
  return { isDue: true, told: { key, at: now }, next: nextMark(since, now) };
}

/** The first time after `at` at which a wait that began at `since` is to be told of. */
function nextMark(since: number, at: number): number {
  const mark = FIRST.find((ms) => since + ms > at);
  if (mark !== undefined) return since + mark;
  const beyond = at - since - FIRST[2];
  return since + FIRST[2] + THEN_EVERY_MS * (Math.floor(beyond / THEN_EVERY_MS) + 1);
}

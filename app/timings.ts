/** How long things wait. Milliseconds; tests and a local sandbox shorten some of them. */
export interface Timings {
  /** Between two writes of one installation: GitHub asks for a second. */
  readonly writeInterval: number;
  /** After the first, second and third write that could not be confirmed; then it is given up for a while. */
  readonly retryPauses: readonly number[];
  /** GitHub ends a request itself after 10 s. */
  readonly requestTimeout: number;
  /** A blocked move is tried again after this, doubled each time, up to `blockedPauseMost`. */
  readonly blockedPause: number;
  readonly blockedPauseMost: number;
  /** After a pull request could not be looked at (GitHub did not answer), doubled each time, up to `lookPauseMost`. */
  readonly lookPause: number;
  readonly lookPauseMost: number;
  /** What is known of people's standing is asked again after this. */
  readonly keepStanding: number;
  /** When GitHub says that it is too much, but not for how long. */
  readonly rateLimitPause: number;
  /** A write request should take about this long; its size is adapted to it. */
  readonly requestTarget: number;
}

export const DEFAULT_TIMINGS: Timings = {
  writeInterval: 1_000,
  retryPauses: [5_000, 10_000, 20_000],
  requestTimeout: 15_000,
  blockedPause: 5 * 60_000,
  blockedPauseMost: 60 * 60_000,
  lookPause: 2_000,
  lookPauseMost: 5 * 60_000,
  keepStanding: 10 * 60_000,
  rateLimitPause: 60_000,
  requestTarget: 5_000,
};

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
  /** After a pull request could not be evaluated (GitHub did not answer), doubled each time, up to `reevaluationPauseMost`. */
  readonly reevaluationPause: number;
  readonly reevaluationPauseMost: number;
  /** What is known of people's permissions is asked again after this. */
  readonly keepPermissions: number;
  /**
   * What rests on people is evaluated again after this, should the event that changed their permissions have been lost, or
   * there be none. With what is kept of their permissions at most an hour.
   */
  readonly reevaluatePeople: number;
  /** A policy is read again after this, should the event that it changed have been lost. */
  readonly keepPolicy: number;
  /** When GitHub says that it is too much, but not for how long. */
  readonly rateLimitPause: number;
  /** A write request should take about this long, well below GitHub's 10 s; its size is adapted to it. */
  readonly requestTarget: number;
  /** Reconciling begins this long after the start, when whoever sends webhooks has found us again. */
  readonly reconcileDelay: number;
  /** Between two sweeps over a repository's open pull requests, while something happens there or was missed. */
  readonly sweepEvery: number;
  /** The same where nothing did for a while. */
  readonly sweepIdle: number;
  /** So long after something happened in a repository, or was missed, nothing did "for a while". */
  readonly sweepActive: number;
  /** Between two pages of a sweep. */
  readonly sweepPause: number;
  /** A sweep over one repository that takes longer is ended, and begun again later. */
  readonly sweepMost: number;
  /** After a sweep that failed, doubled each time, up to `sweepEvery`. */
  readonly sweepRetryPause: number;
  /**
   * What GitHub shows is believed against what events told only when those are older than this: clocks differ, and
   * events are on their way for a while.
   */
  readonly settled: number;
  /** Between two readings of GitHub's list of webhook deliveries. */
  readonly deliveriesEvery: number;
  /** A delivery that is not here this long after it was sent is missed. */
  readonly deliveryGrace: number;
  /** After a redelivery that did not arrive, doubled each time. */
  readonly redeliverPause: number;
  /** Between two questions about a run that goes on, in case its events were lost. */
  readonly askRuns: number;
  /** A run that was asked for and has not appeared after this is asked for again. */
  readonly runAppears: number;
  /** Between two questions about a run whose job waits for an environment. */
  readonly askGates: number;
  /** A job that waits for an environment and belongs to no pull request is rejected after this. */
  readonly freeRunMost: number;
  /** Between two readings of the installations, and of rows that are old enough to go. */
  readonly maintenanceEvery: number;
  /** Of a replica among several: it is taken for gone so long after it was last heard of, and says so often that it lives. */
  readonly lease: number;
  readonly beatEvery: number;
  /** Where others work on the same database, between two looks at what they may have said in vain. */
  readonly sharedPoll: number;
  /** How long rows are kept that are of no use for what goes on. */
  readonly keep: KeepTimes;
}

/** Milliseconds. */
export interface KeepTimes {
  /** Deliveries that were handled: their ids make redeliveries known, and GitHub redelivers for three days. */
  readonly deliveries: number;
  /** Deliveries that could not be handled, with what they said. */
  readonly deadDeliveries: number;
  /** Effects that were done or given up, of pull requests that are not open. */
  readonly effects: number;
  /** The same of those that are open still, beyond the newest of each. */
  readonly openEffects: number;
  /** Lines of the history, of open pull requests, too. */
  readonly history: number;
  /** What was learnt from GitHub and can be asked for again: permissions, labels' ids. */
  readonly cache: number;
  /** Workflow runs that were started and jobs that waited, once they ended: GitHub lets a run be run again for 30 days. */
  readonly starts: number;
  /** Runs of groups that are over, with all that happened in them: GitHub runs jobs again for 30 days. */
  readonly runs: number;
  /** Pull requests with their history, from when something last happened to them while they were closed. */
  readonly closedPulls: number;
  /** All that is known of a repository, once the app is not installed there any more: it may come back. */
  readonly repositories: number;
}

const DAY = 24 * 60 * 60_000;

export const DEFAULT_TIMINGS: Timings = {
  writeInterval: 1_000,
  retryPauses: [5_000, 10_000, 20_000],
  requestTimeout: 15_000,
  blockedPause: 5 * 60_000,
  blockedPauseMost: 60 * 60_000,
  reevaluationPause: 2_000,
  reevaluationPauseMost: 5 * 60_000,
  keepPermissions: 10 * 60_000,
  reevaluatePeople: 40 * 60_000,
  keepPolicy: 10 * 60_000,
  rateLimitPause: 60_000,
  requestTarget: 6_000,
  reconcileDelay: 5_000,
  sweepEvery: 10 * 60_000,
  sweepIdle: 6 * 60 * 60_000,
  sweepActive: 60 * 60_000,
  sweepPause: 250,
  sweepMost: 15 * 60_000,
  sweepRetryPause: 30_000,
  settled: 60_000,
  deliveriesEvery: 5 * 60_000,
  deliveryGrace: 60_000,
  redeliverPause: 2 * 60_000,
  askRuns: 5 * 60_000,
  runAppears: 2 * 60_000,
  askGates: 6 * 60 * 60_000,
  freeRunMost: 24 * 60 * 60_000,
  maintenanceEvery: 60 * 60_000,
  lease: 15_000,
  beatEvery: 5_000,
  sharedPoll: 10_000,
  keep: {
    deliveries: 7 * DAY,
    deadDeliveries: 30 * DAY,
    effects: 30 * DAY,
    openEffects: 365 * DAY,
    history: 365 * DAY,
    cache: 2 * DAY,
    starts: 60 * DAY,
    runs: 35 * DAY,
    closedPulls: 90 * DAY,
    repositories: 90 * DAY,
  },
};

/**
 * Milliseconds since the epoch, by the wall clock at the start of this process and the time that has passed since: a
 * wall clock that is set in the middle of a run neither holds its deadlines up nor brings them forward.
 */
export function steadyNow(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

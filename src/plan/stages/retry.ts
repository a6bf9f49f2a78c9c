/** A stage's `retry`: how often it is tried, for what reasons, and after what pauses. */
import { formatDuration } from "../parsing/duration.ts";
import type { Place } from "../parsing/key-parser.ts";
import { RETRY_REASONS, type Retry } from "../plan.ts";
import type { Written } from "./written.ts";

const BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;

export function retryOf(written: Written, place: Place): Retry {
  const { source, problems, path } = place;
  const said = written.keys.retry ?? {};
  if (written.keys.retry !== undefined && said.max_attempts === undefined) {
    problems.error(source.keyAt([...path, "retry"]), 'retry: nothing would be tried again, expected "max_attempts"');
  }
  const backoffMs = said.backoff ?? BACKOFF_MS;
  const maxBackoffMs = said.max_backoff ?? Math.max(MAX_BACKOFF_MS, backoffMs);
  if (maxBackoffMs < backoffMs) {
    const message = `retry: max_backoff (${formatDuration(maxBackoffMs)}) is shorter than backoff (${formatDuration(backoffMs)})`;
    problems.error(source.at([...path, "retry", "max_backoff"]), message);
  }
  const both = (said.on_exit_codes ?? []).find((code) => said.not_on_exit_codes?.includes(code));
  if (both !== undefined) {
    problems.error(
      source.keyAt([...path, "retry", "not_on_exit_codes"]),
      `retry: exit code ${both} stands in on_exit_codes, too`,
    );
  }
  const soft = (written.keys.soft_fail ?? []).find((code) => said.on_exit_codes?.includes(code));
  if (soft !== undefined) {
    const message = `soft_fail: exit code ${soft} is never tried again, but stands in retry.on_exit_codes, too`;
    problems.error(source.keyAt([...path, "soft_fail"]), message);
  }
  checkReasons(written, place);
  return {
    maxAttempts: said.max_attempts ?? 1,
    attemptTimeoutMs: said.attempt_timeout ?? null,
    on: [...new Set(said.on ?? RETRY_REASONS)],
    backoffMs,
    maxBackoffMs,
    onExitCodes: said.on_exit_codes ?? null,
    notOnExitCodes: said.not_on_exit_codes ?? [],
  };
}

/** Whether what is said of one attempt can ever matter beside what is said of the stage. */
function checkReasons({ keys }: Written, { source, problems, path }: Place): void {
  const said = keys.retry ?? {};
  const one = said.attempt_timeout;
  const at = (key: string) => source.keyAt([...path, "retry", key]);
  if (said.on?.includes("timeout") && one === undefined && keys.max_duration === undefined) {
    const message = 'retry: on: timeout needs "attempt_timeout": after the timeout of the stage nothing is tried again';
    problems.error(at("on"), message);
  }
  const lists = (["on_exit_codes", "not_on_exit_codes"] as const).filter((key) => said[key] !== undefined);
  for (const key of said.on === undefined || said.on.includes("failure") ? [] : lists) {
    problems.error(at(key), `retry: ${key} is about failures, which "on" leaves out`);
  }
  if (one === undefined) return;
  const length = formatDuration(one);
  const timeout = keys.timeout ?? keys.timeout_secs;
  if (keys.duration !== undefined && one <= keys.duration) {
    const message = `retry: attempt_timeout (${length}) ends each attempt before its duration (${formatDuration(keys.duration)})`;
    problems.error(at("attempt_timeout"), `${message} is over, expected a longer one`);
  } else if (keys.max_duration !== undefined && one <= keys.max_duration) {
    const message = `retry: attempt_timeout (${length}) fails each attempt before its max_duration`;
    problems.warning(at("attempt_timeout"), `${message} (${formatDuration(keys.max_duration)}) can end it`);
  }
  if (timeout !== undefined && one >= timeout) {
    const message = `retry: attempt_timeout (${length}) is not shorter than the stage's timeout (${formatDuration(timeout)})`;
    problems.warning(at("attempt_timeout"), `${message}, which bounds all attempts together`);
  }
}

/** All pauses between its attempts. */
export function pausesOf({ maxAttempts, backoffMs, maxBackoffMs }: Retry): number {
  let all = 0;
  for (let failures = 1; failures < maxAttempts; failures++) all += pauseAfter(failures, backoffMs, maxBackoffMs);
  return all;
}

/** Milliseconds before the attempt that follows this many failures. */
export function pauseAfter(failures: number, backoffMs: number, maxBackoffMs: number): number {
  return Math.min(backoffMs * 2 ** Math.min(failures - 1, 40), maxBackoffMs);
}

/** A quorum stage as written: its validators, which are the stage's tasks, and what their votes lead to. */

import type { Place } from "../parsing/key-parser.ts";
import { quote } from "../parsing/problems.ts";
import type { PlanStage, Quorum, StageType, Tasks } from "../plan.ts";
import { quorumKeys } from "../shapes/quorum-schema.ts";
import type { Expanded } from "./written.ts";

const PASS_AT = 60;
const RETRY_AT = 40;
const MAX_RETRIES = 3;
const BACKOFF_MS = 1_000;
const MAX_PREEMPTIONS = 100;

/** Keys that mean nothing where validators do the work, and what does instead. */
const NOT_IN_QUORUM: Readonly<Record<string, string>> = {
  run: 'expected "run" in each of the validators',
  command: 'expected "run" in each of the validators',
  args: 'expected "run" in each of the validators',
  needs: "validators do not wait for one another",
  retry: "max_failures says how often a validator is tried again",
  background: "a quorum ends with its last vote",
  soft_fail: "whoever does not exit with 0 has not voted",
  when: "a quorum decides how a run goes on that has not failed",
};

/** The quorum of a stage, with the tasks that its validators are; null: it is none. */
export function quorumOfStage(
  { written, resolve }: Expanded,
  type: StageType,
  { source, problems, path }: Place,
): { readonly quorum: Quorum; readonly tasks: Tasks } | null {
  const { keys, value } = written;
  const has = (key: string): boolean => Object.hasOwn(value, key);
  if (type !== "quorum") {
    for (const key of Object.keys(quorumKeys).filter(has)) {
      problems.error(source.keyAt([...path, key]), `${key}: it belongs to "type: quorum", which is not here`);
    }
    return null;
  }
  if (!has("validators")) problems.error(source.at(path), 'a quorum stage has nobody who votes, expected "validators"');
  for (const [key, instead] of Object.entries(NOT_IN_QUORUM)) {
    if (has(key) && !(key === "when" && keys.when === "on_success"))
      problems.error(source.keyAt([...path, key]), `${key}: it has no effect on a quorum stage: ${instead}`);
  }
  const names = new Set<string>();
  const validators = (keys.validators ?? []).map(({ name, run, weight = 1, timeout = null }, index) => {
    if (names.has(name)) {
      const at = source.at([...path, "validators", index, "name"]);
      problems.error(at, `validators: there is another ${quote(name)}, expected distinct names`);
    }
    names.add(name);
    return { name, run, weight, timeoutMs: timeout };
  });
  const maxRetries = keys.max_retries ?? MAX_RETRIES;
  if (!has("retry_stages") && maxRetries > 0) {
    const message = 'a quorum stage can say RETRY, expected "retry_stages", or "max_retries: 0"';
    problems.error(source.at(path), message);
  } else if (has("retry_stages") && maxRetries === 0) {
    problems.error(
      source.keyAt([...path, "retry_stages"]),
      "retry_stages: with max_retries: 0 none of them is repeated",
    );
  }
  const { concurrency = 1, max_failures: maxFailures = 0, max_preemptions: maxPreemptions = MAX_PREEMPTIONS } = keys;
  return {
    quorum: {
      validators,
      passAt: keys.pass_at ?? PASS_AT,
      retryAt: keys.retry_at ?? RETRY_AT,
      retryStages: [...new Set((keys.retry_stages ?? []).map(resolve))],
      maxRetries,
      backoffMs: keys.backoff ?? BACKOFF_MS,
      onExhausted: keys.on_exhausted ?? "warn",
    },
    tasks: {
      source: { kind: "list", values: [...names] },
      concurrency,
      maxFailures,
      maxPreemptions,
      needs: {},
    },
  };
}

/** Whether what the quorum stages send back can be repeated: told between stages that are in order. */
export function checkRetries(
  steps: readonly { readonly expanded: Expanded; readonly stage: PlanStage }[],
  { source, problems }: Omit<Place, "path">,
): void {
  const indexes = new Map(steps.map(({ stage }, index) => [stage.name, index]));
  for (const [index, { expanded, stage }] of steps.entries()) {
    const at = (position: number) => source.at([...expanded.written.path, "retry_stages", position]);
    let from = index;
    for (const [position, said] of (expanded.written.keys.retry_stages ?? []).entries()) {
      const found = indexes.get(expanded.resolve(said));
      if (found === undefined) {
        problems.error(
          at(position),
          `retry_stages: there is no stage ${quote(said)}${problems.suggest(said, indexes.keys())}`,
        );
      } else if (found >= index) {
        problems.error(
          at(position),
          `retry_stages: ${quote(said)} does not run before this stage, expected an earlier one`,
        );
      } else from = Math.min(from, found);
    }
    if (stage.quorum === undefined) continue;
    for (const { stage: other } of steps.slice(from, index)) {
      const until = other.background === null ? -1 : lastOf(other, steps, indexes);
      if (until > index) {
        const place = source.keyAt([...expanded.written.path, "retry_stages"]);
        const message = `retry_stages: the background stage ${quote(other.name)} begins among what is repeated and lives on after this stage`;
        problems.error(
          place,
          `${message}, expected "until: ${stage.name}" there, or that it begins before ${quote(steps[from]?.stage.name)}`,
        );
      }
    }
  }
}

/** The last stage for which a background command must live. */
function lastOf(
  { background }: PlanStage,
  steps: readonly { readonly stage: PlanStage }[],
  indexes: ReadonlyMap<string, number>,
): number {
  const until = background?.until ?? "";
  return until === "" ? steps.findLastIndex(({ stage }) => stage.type !== "cleanup") : (indexes.get(until) ?? -1);
}

/** The jobs of a workflow file in their order: `needs`, `if`, matrices, and the workflows that jobs call. */
import { expand, expandText, holds, type Scope, type Value } from "../runner/expressions.ts";
import { addJob, updateJob } from "../world/actions/runs.ts";
import { readFileAt } from "../world/code/commits.ts";
import { fullName } from "../world/world.ts";
import { type Attempt, type JobConclusion, type JobOutcome, type Level, typedInputs } from "./attempt.ts";
import type { JobDefinition, WorkflowDefinition } from "./definition/definition.ts";
import { readWorkflow } from "./definition/read.ts";
import { brokenJob, finishJob, queueJob } from "./job-run.ts";
import { type Combination, combinationName, expandMatrix } from "./matrix.ts";
import { grant } from "./permissions.ts";

/** How deep workflows may call each other: GitHub's four levels below the top. */
const DEPTH_LIMIT = 4;

const worst = (results: readonly JobConclusion[]): JobConclusion =>
  (["failure", "cancelled", "success"] as const).find((one) => results.includes(one)) ?? "skipped";

/** Runs all jobs of a level and resolves with what each came to. Never rejects. */
export async function runJobs(attempt: Attempt, level: Level): Promise<ReadonlyMap<string, JobOutcome>> {
  const started = new Map<string, Promise<JobOutcome>>();
  const byKey = new Map(level.definition.jobs.map((job) => [job.key, job]));
  const start = (job: JobDefinition): Promise<JobOutcome> => {
    const known = started.get(job.key);
    if (known !== undefined) return known;
    const made = (async () => {
      const above = ancestors(byKey, job);
      const outcomes = new Map<string, JobOutcome>();
      for (const key of above) {
        const other = byKey.get(key);
        if (other !== undefined) outcomes.set(key, await start(other));
      }
      return runWithNeeds(attempt, level, job, outcomes);
    })().catch((error: unknown): JobOutcome => {
      brokenJob(attempt, job.key, `${level.prefix}${job.name ?? job.key}`, error);
      return { result: "failure", outputs: {}, fresh: true };
    });
    started.set(job.key, made);
    return made;
  };
  const finished = new Map<string, JobOutcome>();
  await Promise.all(level.definition.jobs.map(start));
  for (const job of level.definition.jobs) finished.set(job.key, await start(job));
  return finished;
}

/** The keys of all jobs that a job needs, directly or not, nearest last. */
function ancestors(byKey: ReadonlyMap<string, JobDefinition>, job: JobDefinition): readonly string[] {
  const found = new Set<string>();
  const visit = (key: string): void => {
    if (found.has(key)) return;
    for (const need of byKey.get(key)?.needs ?? []) visit(need);
    found.add(key);
  };
  for (const need of job.needs) visit(need);
  return [...found];
}

/** One job (or one call) of a matrix, ready to be started. */
interface Instance {
  readonly place: string;
  readonly name: string;
  readonly scope: Scope;
}

async function runWithNeeds(
  attempt: Attempt,
  level: Level,
  job: JobDefinition,
  above: ReadonlyMap<string, JobOutcome>,
): Promise<JobOutcome> {
  const { world } = attempt.surroundings;
  const direct = job.needs.flatMap((key) => {
    const outcome = above.get(key);
    return outcome === undefined ? [] : [[key, { result: outcome.result, outputs: outcome.outputs }] as const];
  });
  const contexts = {
    github: attempt.github,
    inputs: level.inputs,
    needs: Object.fromEntries(direct),
    vars: attempt.surroundings.variables(fullName(world, attempt.repository)),
  };
  const all = [...above.values()];
  const functions = {
    success: () => !attempt.cancel.aborted && all.every((one) => one.result === "success"),
    failure: () => !attempt.cancel.aborted && all.some((one) => one.result === "failure"),
    cancelled: () => attempt.cancel.aborted,
    always: () => true,
  };
  const again = job.needs.some((key) => above.get(key)?.fresh === true);
  const plainName = `${level.prefix}${job.name ?? job.key}`;
  if (attempt.force.aborted || !holds(job.if, { contexts, functions })) {
    const place = `${level.prefix}${job.key}`;
    const earlier = attempt.memory.get(place);
    if (earlier !== undefined && !again && !attempt.wanted(place))
      return { result: earlier.result, outputs: earlier.outputs, fresh: false };
    const result = attempt.force.aborted ? "cancelled" : "skipped";
    const skipped = addJob(world, attempt.run, { key: job.key, name: plainName, labels: [] });
    updateJob(world, skipped, { status: "completed", conclusion: result });
    attempt.memory.set(place, { name: plainName, result, outputs: {} });
    return { result, outputs: {}, fresh: true };
  }
  const scope = { contexts, functions };
  const matrix = job.strategy?.matrix ?? null;
  const combinations = matrix === null ? [null] : expandMatrix(expand(matrix, scope));
  const failFast = job.strategy === null || expandText(job.strategy.failFast, scope) === "true";
  const limit = job.strategy === null ? null : expand(job.strategy.maxParallel, scope);
  const parallel = limit === null || limit === "" ? combinations.length : Math.max(1, Number(limit));
  const instances = combinations.map((combination, at) =>
    instanceOf(level, job, scope, combination, {
      "fail-fast": failFast,
      "job-index": at,
      "job-total": combinations.length,
      "max-parallel": parallel,
    }),
  );
  return runInstances(attempt, level, job, instances, { failFast, parallel, again });
}

function instanceOf(
  level: Level,
  job: JobDefinition,
  scope: Scope,
  combination: Combination | null,
  strategy: Readonly<Record<string, Value>>,
): Instance {
  const own: Scope = { ...scope, contexts: { ...scope.contexts, matrix: combination ?? {}, strategy } };
  const suffix = combination === null ? "" : combinationName(combination);
  // A name with an expression of its own tells the jobs apart; to any other the values are added.
  const name = job.name === null ? `${job.key}${suffix}` : expandText(job.name, own);
  const shown = job.name !== null && !job.name.includes("${{") ? `${name}${suffix}` : name;
  return { place: `${level.prefix}${job.key}${suffix}`, name: `${level.prefix}${shown}`, scope: own };
}

interface InstanceEnd {
  readonly result: JobConclusion;
  readonly outputs: Readonly<Record<string, string>>;
  readonly fresh: boolean;
}

async function runInstances(
  attempt: Attempt,
  level: Level,
  job: JobDefinition,
  instances: readonly Instance[],
  rules: { readonly failFast: boolean; readonly parallel: number; readonly again: boolean },
): Promise<JobOutcome> {
  const fast = new AbortController();
  // A job that was let in although the run is cancelled (always()) is not cancelled with it.
  const cancel = attempt.cancel.aborted ? fast.signal : AbortSignal.any([attempt.cancel, fast.signal]);
  const started = instances.map((instance) => {
    const earlier = attempt.memory.get(instance.place);
    const stays = earlier !== undefined && !rules.again && !attempt.wanted(instance.place);
    return { instance, begin: stays ? null : prepare(attempt, level, job, instance, cancel), earlier };
  });
  const ends: InstanceEnd[] = [];
  const queue = [...started];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (next.begin === null) {
        ends.push({ result: next.earlier?.result ?? "skipped", outputs: next.earlier?.outputs ?? {}, fresh: false });
        continue;
      }
      const end = await next.begin();
      const forgiven = end.result === "failure" && expandText(job.continueOnError, next.instance.scope) === "true";
      const counted = forgiven ? { ...end, result: "success" as const } : end;
      attempt.memory.set(next.instance.place, { ...counted, name: next.instance.name });
      ends.push({ ...counted, fresh: true });
      if (counted.result === "failure" && rules.failFast) fast.abort();
    }
  };
  await Promise.all(Array.from({ length: Math.min(rules.parallel, queue.length) }, worker));
  return {
    result: worst(ends.map((end) => end.result)),
    outputs: Object.assign({}, ...ends.map((end) => end.outputs)),
    fresh: ends.some((end) => end.fresh),
  };
}

type Begin = () => Promise<{ readonly result: JobConclusion; readonly outputs: Readonly<Record<string, string>> }>;

/** Lists the job at once, as GitHub does for a whole matrix; what comes back starts it. */
function prepare(attempt: Attempt, level: Level, job: JobDefinition, instance: Instance, cancel: AbortSignal): Begin {
  const { work } = job;
  switch (work.kind) {
    case "steps": {
      const placed = { attempt, level, definition: { ...job, work }, contexts: instance.scope.contexts, ...instance };
      const listed = queueJob(placed);
      return () => finishJob(placed, listed, cancel);
    }
    case "call":
      return async () => {
        try {
          return await call({ ...attempt, cancel }, level, job, work, instance);
        } catch (error) {
          brokenJob(attempt, job.key, instance.name, error);
          return { result: "failure", outputs: {} };
        }
      };
    default:
      return work satisfies never;
  }
}

async function calledFile(
  attempt: Attempt,
  level: Level,
  uses: string,
): Promise<{ readonly definition: WorkflowDefinition; readonly ref: string }> {
  const { world } = attempt.surroundings;
  if (uses.startsWith("./")) {
    const path = uses.slice(2);
    const file = readFileAt(world, attempt.repository, path, attempt.run.sha);
    if (file === null) throw new Error(`there is no workflow file ${path} at ${attempt.run.sha}`);
    const ref = `${fullName(world, attempt.repository)}/${path}@${attempt.run.ref}`;
    return { definition: readWorkflow(file.bytes.toString("utf8")), ref };
  }
  const text = await attempt.surroundings.resolveWorkflow(uses);
  if (text === null) throw new Error(`not implemented in the sandbox: ${level.prefix}uses: ${uses}`);
  return { definition: readWorkflow(text), ref: uses };
}

async function call(
  attempt: Attempt,
  level: Level,
  job: JobDefinition,
  work: Extract<JobDefinition["work"], { kind: "call" }>,
  instance: Instance,
): Promise<{ readonly result: JobConclusion; readonly outputs: Readonly<Record<string, string>> }> {
  if (level.depth >= DEPTH_LIMIT) throw new Error(`workflows call each other more than ${DEPTH_LIMIT} levels deep`);
  const { definition, ref } = await calledFile(attempt, level, work.uses);
  if (definition.call === null) throw new Error(`${work.uses} has no \`workflow_call\` trigger`);
  const scope: Scope = {
    ...instance.scope,
    contexts: { ...instance.scope.contexts, secrets: level.secrets },
  };
  const given = Object.fromEntries(Object.entries(work.with).map(([name, value]) => [name, expand(value, scope)]));
  const secrets =
    work.secrets === "inherit"
      ? level.secrets
      : Object.fromEntries(Object.entries(work.secrets).map(([name, value]) => [name, expandText(value, scope)]));
  for (const [name, { required }] of Object.entries(definition.call.secrets)) {
    if (required && secrets[name] === undefined) throw new Error(`the called workflow requires the secret "${name}"`);
  }
  const inputs = typedInputs(definition.call.inputs, given);
  const outcomes = await runJobs(attempt, {
    definition,
    prefix: `${instance.name} / `,
    workflowRef: ref,
    inputs,
    secrets,
    ceiling: grant(level.definition.permissions, job.permissions, level.ceiling, attempt.untrusted),
    depth: level.depth + 1,
  });
  const jobs = Object.fromEntries(
    [...outcomes].map(([key, outcome]) => [key, { result: outcome.result, outputs: outcome.outputs }]),
  );
  const contexts = { github: attempt.github, inputs, jobs, vars: instance.scope.contexts.vars ?? {} };
  const outputs = Object.fromEntries(
    Object.entries(definition.call.outputs).map(([name, value]) => [
      name,
      expandText(value, { contexts, functions: {} }),
    ]),
  );
  return { result: worst([...outcomes.values()].map((outcome) => outcome.result)), outputs };
}

/** The outcome of a whole run. */
export function runConclusion(outcomes: ReadonlyMap<string, JobOutcome>, cancelled: boolean): JobConclusion {
  const result = worst([...outcomes.values()].map((outcome) => outcome.result));
  return cancelled && result !== "failure" ? "cancelled" : result;
}

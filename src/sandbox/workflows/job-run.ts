/** One job from queued to completed: its environment's gate, its concurrency group, its runner, its end. */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { expand, expandText, type Scope, type Value } from "../runner/expressions.ts";
import { runJob } from "../runner/job.ts";
import type { JobObserver, JobRequest } from "../runner/types.ts";
import { addJob, addSummary, annotateJob, appendLog, updateJob } from "../world/actions/runs.ts";
import { deployJob, environment, setDeploymentState } from "../world/checks/deployments.ts";
import { actionsActor } from "../world/checks/suites.ts";
import type { Deployment, WorkflowJob } from "../world/model/index.ts";
import { mintJobToken } from "../world/people/apps.ts";
import type { Attempt, JobConclusion, Level } from "./attempt.ts";
import { checkoutInto } from "./checkout.ts";
import { oidcClaims } from "./contexts.ts";
import type { JobDefinition } from "./definition/definition.ts";
import { grant, tokenPermissions } from "./permissions.ts";

/** GitHub gives up on a job that no self-hosted runner took for a day, and on a gate after 30 days. */
const QUEUE_LIMIT_MS = 24 * 3_600_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Characters of a job's log that the sandbox keeps in its memory. */
const LOG_LIMIT = 8 * 1024 * 1024;

/** One of a matrix's jobs (or the only one). */
export interface Placed {
  readonly attempt: Attempt;
  readonly level: Level;
  readonly definition: JobDefinition & { readonly work: { readonly kind: "steps" } };
  /** `github`, `needs`, `inputs`, `vars`, `strategy`, `matrix`. */
  readonly contexts: Readonly<Record<string, Value>>;
  readonly scope: Scope;
  readonly name: string;
}

export interface JobEnd {
  readonly result: JobConclusion;
  readonly outputs: Readonly<Record<string, string>>;
}

const failed: JobEnd = { result: "failure", outputs: {} };

/** Puts the job on the list, `queued` or held by its environment. A job that cannot be placed fails with its reason. */
export function queueJob(placed: Placed): WorkflowJob {
  const { attempt, definition, scope, name } = placed;
  const { world } = attempt.surroundings;
  try {
    const wanted = expand(definition.work.runsOn, scope);
    const labels = (Array.isArray(wanted) ? wanted : [wanted]).map(String);
    const environmentName = definition.environment === null ? null : expandText(definition.environment, scope);
    const held = environmentName !== null && environment(world, attempt.repository, environmentName).rules.length > 0;
    const status = held ? "waiting" : "queued";
    return addJob(world, attempt.run, { key: definition.key, name, labels, environment: environmentName, status });
  } catch (error) {
    return brokenJob(attempt, definition.key, name, error);
  }
}

/** A job that failed before it could start, with the reason where people look for it. */
export function brokenJob(attempt: Attempt, key: string, name: string, error: unknown): WorkflowJob {
  const { world } = attempt.surroundings;
  const message = error instanceof Error ? error.message : String(error);
  const job = addJob(world, attempt.run, { key, name, labels: [] });
  const place = { path: attempt.run.path, startLine: 1, endLine: 1, startColumn: null, endColumn: null };
  annotateJob(world, job, [{ ...place, level: "failure", message, title: null, rawDetails: null }]);
  appendLog(job, `##[error]${message}\n`);
  updateJob(world, job, { status: "completed", conclusion: "failure" });
  return job;
}

/** Takes the job to its end. Never rejects. `cancel`: by the run, by fail-fast, or by a concurrency group. */
export async function finishJob(placed: Placed, job: WorkflowJob, cancel: AbortSignal): Promise<JobEnd> {
  if (job.status === "completed") return failed;
  const { attempt, definition, scope } = placed;
  const { world } = attempt.surroundings;
  const end = (conclusion: Exclude<JobConclusion, "skipped">): JobEnd => {
    if (job.status !== "completed") updateJob(world, job, { status: "completed", conclusion });
    return { result: conclusion, outputs: {} };
  };
  if (cancel.aborted) return end("cancelled");
  const own = new AbortController();
  const signal = AbortSignal.any([cancel, own.signal]);
  let leave: (() => void) | null = null;
  let deployment: Deployment | null = null;
  try {
    if (definition.concurrency !== null) {
      const group = expandText(definition.concurrency.group, scope);
      const inProgress = expandText(definition.concurrency.cancelInProgress, scope) === "true";
      const member = {
        what: job.name,
        cancel: (why: string) => {
          appendLog(job, `##[error]${why}\n`);
          own.abort();
        },
      };
      leave = await attempt.concurrency.enter(group, member, inProgress, signal);
      if (leave === null) return end("cancelled");
    }
    if (job.environment !== null) {
      const deployed = deployJob(world, attempt.run, job);
      deployment = deployed.deployment;
      if (deployed.requests.length > 0) {
        const verdict = await attempt.gate(job, signal);
        if (verdict !== "approved") return end(verdict === "rejected" ? "failure" : "cancelled");
        updateJob(world, job, { status: "queued" });
      }
    }
    return await onRunner(placed, job, signal, deployment);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    appendLog(job, `##[error]${message}\n`);
    return end("failure");
  } finally {
    leave?.();
    if (deployment !== null && deployment.statuses.at(-1)?.state !== "failure") {
      setDeploymentState(world, actionsActor(world), deployment, job.conclusion === "success" ? "success" : "failure");
    }
  }
}

async function onRunner(
  placed: Placed,
  job: WorkflowJob,
  signal: AbortSignal,
  deployment: Deployment | null,
): Promise<JobEnd> {
  const { attempt, level, definition, scope } = placed;
  const { world, pool, issuer, cache } = attempt.surroundings;
  if (!pool.serves(job.labels)) {
    appendLog(job, `Waiting for a runner with the labels ${job.labels.join(", ")}: the sandbox has none.\n`);
  }
  const deadline = AbortSignal.timeout(QUEUE_LIMIT_MS);
  const lease = await pool.acquire(job.labels, AbortSignal.any([signal, deadline]));
  if (lease === null) {
    if (deadline.aborted) appendLog(job, "##[error]No runner took the job within 24 hours.\n");
    updateJob(world, job, { status: "completed", conclusion: "cancelled" });
    return { result: "cancelled", outputs: {} };
  }
  const granted = grant(level.definition.permissions, definition.permissions, level.ceiling, attempt.untrusted);
  const claims = oidcClaims(world, attempt.run, job, level.workflowRef);
  const oidc = issuer !== null && granted["id-token"] === "write" ? issuer.grant(claims) : null;
  try {
    const { runner } = lease;
    updateJob(world, job, {
      status: "in_progress",
      runner: { id: runner.id, name: runner.name, groupId: 1, groupName: "Default" },
    });
    if (deployment !== null) setDeploymentState(world, actionsActor(world), deployment, "in_progress");
    const token = mintJobToken(world, job, tokenPermissions(granted));
    const minutes = Number(expandText(definition.timeoutMinutes, scope));
    const request: JobRequest = {
      id: definition.key,
      runner: { name: runner.name, labels: runner.labels },
      steps: definition.work.steps,
      github: { ...attempt.github, token },
      contexts: { ...placed.contexts, secrets: { ...level.secrets, GITHUB_TOKEN: token } },
      env: [level.definition.env, definition.env],
      defaults: {
        shell: definition.defaults.shell ?? level.definition.defaults.shell,
        workingDirectory: definition.defaults.workingDirectory ?? level.definition.defaults.workingDirectory,
      },
      outputs: definition.outputs,
      timeoutMinutes: Number.isFinite(minutes) && minutes > 0 ? Math.min(minutes, LONGEST_TIMER_MS / 60_000) : 360,
      token,
      oidc,
      ...(cache === undefined ? {} : { cache }),
      secrets: Object.values(level.secrets),
      directory: await mkdtemp(join(attempt.surroundings.directory, `job-${job.id}-`)),
      cancelTimes: attempt.surroundings.cancelTimes,
      cancelTimeoutMs: attempt.surroundings.cancelTimeoutMs,
      force: attempt.force,
    };
    const services = {
      checkout: checkoutInto(world, attempt.repository, attempt.run),
      resolveAction: attempt.surroundings.resolveAction,
    };
    const result = await runJob(request, services, observerOf(attempt, job), signal);
    updateJob(world, job, { status: "completed", conclusion: result.conclusion });
    return { result: result.conclusion, outputs: result.outputs };
  } finally {
    oidc?.revoke();
    lease.release();
  }
}

function observerOf(attempt: Attempt, job: WorkflowJob): JobObserver {
  const { world } = attempt.surroundings;
  let size = 0;
  return {
    line(line) {
      if (size > LOG_LIMIT) return;
      const text = `${new Date(world.now()).toISOString()} ${line}\n`;
      size += text.length;
      appendLog(
        job,
        size > LOG_LIMIT ? `##[warning]The log is cut here: the sandbox keeps ${LOG_LIMIT} characters a job.\n` : text,
      );
    },
    steps: (steps) =>
      updateJob(world, job, {
        steps: steps.map(({ number, name, status, conclusion, startedAt, completedAt }) => {
          return { number, name, status, conclusion, startedAt, completedAt };
        }),
      }),
    annotation: (annotation) => annotateJob(world, job, [{ ...annotation, rawDetails: null }]),
    summary: (markdown) => addSummary(job, markdown),
  };
}

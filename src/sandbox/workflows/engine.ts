/**
 * GitHub Actions in the sandbox: listens to what happens in the world, starts the workflows that ask for it, and
 * fulfils the wishes to cancel and to run again.
 */
import type { Value } from "../runner/expressions.ts";
import { expandText } from "../runner/expressions.ts";
import { completeRun, createRun, jobsOf, updateJob } from "../world/actions/runs.ts";
import { workflowPaths } from "../world/actions/workflows.ts";
import type { Change } from "../world/changes.ts";
import { readFileAt } from "../world/code/commits.ts";
import type { Repository, WorkflowJob, WorkflowRun } from "../world/model/index.ts";
import { commit, fullName, repository } from "../world/world.ts";
import { type Attempt, type Memory, typedInputs, type WorkflowSurroundings } from "./attempt.ts";
import { type ConcurrencyGroups, createConcurrencyGroups } from "./concurrency.ts";
import { githubContext } from "./contexts.ts";
import type { WorkflowDefinition } from "./definition/definition.ts";
import { readWorkflow, WorkflowProblem } from "./definition/read.ts";
import { brokenJob } from "./job-run.ts";
import { runConclusion, runJobs } from "./jobs.ts";
import { accepts, skipped, type Trigger, triggersOf } from "./triggers.ts";

export interface WorkflowEngineOptions extends WorkflowSurroundings {
  /** What `github.event` holds for a change: the webhook's payload. */
  readonly payloadOf: (change: Change, repository: Repository) => unknown;
  /** Told when the engine itself fails. */
  readonly report: (error: unknown) => void;
}

export interface Workflows {
  /** Cancels what runs, ends it by force after `graceMs`, and resolves when nothing runs any more. */
  close(graceMs: number): Promise<void>;
}

/** GitHub chains workflows by `workflow_run` this deep. */
const CHAIN_LIMIT = 3;

interface Active {
  readonly cancel: AbortController;
  readonly force: AbortController;
  done: Promise<void>;
}

/** Starts listening. One engine a world. */
export function startWorkflows(options: WorkflowEngineOptions): Workflows {
  const { world } = options;
  const active = new Map<number, Active>();
  /** Runs whose code is a fork's. */
  const untrusted = new Set<number>();
  const memories = new Map<number, Memory>();
  /** How many `workflow_run` triggers a run stands behind. */
  const chain = new Map<number, number>();
  const gates = new Map<number, (verdict: "approved" | "rejected") => void>();
  const groups = new Map<number, ConcurrencyGroups>();
  const waiting = new Set<Promise<void>>();
  let closed = false;

  const groupsOf = (id: number): ConcurrencyGroups => {
    const known = groups.get(id) ?? createConcurrencyGroups();
    groups.set(id, known);
    return known;
  };

  function launch(run: WorkflowRun, only: "all" | "failed" | { readonly jobId: number }): void {
    if (closed) return;
    const entry: Active = { cancel: new AbortController(), force: new AbortController(), done: Promise.resolve() };
    const before = active.get(run.id)?.done ?? Promise.resolve();
    active.set(run.id, entry);
    entry.done = before
      .then(() => runAttempt(run, only, entry))
      .catch((error: unknown) => options.report(error))
      .finally(() => {
        if (active.get(run.id) === entry) active.delete(run.id);
      });
    waiting.add(entry.done);
    void entry.done.finally(() => waiting.delete(entry.done));
  }

  async function runAttempt(
    run: WorkflowRun,
    only: "all" | "failed" | { readonly jobId: number },
    entry: Active,
  ): Promise<void> {
    const repo = repository(world, run.repositoryId);
    const memory: Memory = memories.get(run.id) ?? new Map();
    memories.set(run.id, memory);
    const wanted = only === "all" ? () => true : wantedPlaces(run, only, memory);
    if (only === "all") memory.clear();
    const attempt: Attempt = {
      surroundings: options,
      run,
      repository: repo,
      github: githubContext(world, run, options.urls()),
      untrusted: untrusted.has(run.id),
      cancel: entry.cancel.signal,
      force: entry.force.signal,
      concurrency: groupsOf(repo.id),
      memory,
      wanted,
      gate,
    };
    let definition: WorkflowDefinition;
    try {
      definition = readWorkflow(readFileAt(world, repo, run.path, run.sha)?.bytes.toString("utf8") ?? "");
    } catch (error) {
      brokenJob(attempt, "workflow", run.path, error);
      completeRun(world, run, "startup_failure");
      return;
    }
    let leave: (() => void) | null = null;
    try {
      if (definition.runName !== null) {
        const scope = {
          contexts: { github: attempt.github, inputs: inputsOf(run, definition), vars: {} },
          functions: {},
        };
        run.displayTitle = expandText(definition.runName, scope);
      }
      if (definition.concurrency !== null) {
        leave = await enterGroup(attempt, definition, entry);
        if (leave === null) {
          completeRun(world, run, "cancelled");
          return;
        }
      }
      const secrets = attempt.untrusted ? {} : options.secrets(fullName(world, repo));
      const workflowRef = `${fullName(world, repo)}/${run.path}@${run.ref}`;
      const inputs = inputsOf(run, definition);
      const level = { definition, prefix: "", workflowRef, inputs, secrets, ceiling: null, depth: 0 };
      const outcomes = await runJobs(attempt, level);
      completeRun(world, run, runConclusion(outcomes, entry.cancel.signal.aborted));
    } catch (error) {
      options.report(error);
      brokenJob(attempt, "workflow", run.path, error);
      for (const job of jobsOf(world, run)) {
        if (job.status !== "completed") updateJob(world, job, { status: "completed", conclusion: "failure" });
      }
      completeRun(world, run, "failure");
    } finally {
      leave?.();
    }
  }

  async function enterGroup(
    attempt: Attempt,
    definition: WorkflowDefinition,
    entry: Active,
  ): Promise<(() => void) | null> {
    const { concurrency } = definition;
    if (concurrency === null) return () => {};
    const scope = {
      contexts: { github: attempt.github, inputs: inputsOf(attempt.run, definition), vars: {} },
      functions: {},
    };
    const group = expandText(concurrency.group, scope);
    const inProgress = expandText(concurrency.cancelInProgress, scope) === "true";
    const member = { what: `run ${attempt.run.id} of ${attempt.run.path}`, cancel: () => entry.cancel.abort() };
    return attempt.concurrency.enter(group, member, inProgress, entry.cancel.signal);
  }

  /** A dispatch's inputs arrive as text and get the types that the file declares. */
  const inputsOf = (run: WorkflowRun, definition: WorkflowDefinition): Readonly<Record<string, Value>> =>
    run.event === "workflow_dispatch" ? typedInputs(definition.dispatchInputs, run.inputs) : {};

  function gate(job: WorkflowJob, signal: AbortSignal): Promise<"approved" | "rejected" | null> {
    return new Promise((resolve) => {
      const onAbort = (): void => {
        gates.delete(job.id);
        resolve(null);
      };
      gates.set(job.id, (verdict) => {
        gates.delete(job.id);
        signal.removeEventListener("abort", onAbort);
        resolve(verdict);
      });
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Which jobs a partial re-run asks for, by what earlier attempts left. */
  function wantedPlaces(
    run: WorkflowRun,
    only: "failed" | { readonly jobId: number },
    memory: Memory,
  ): (place: string) => boolean {
    if (only === "failed") {
      const kept = ["success", "skipped"];
      return (place) => !kept.includes(memory.get(place)?.result ?? "failure");
    }
    const name = world.jobs.get(only.jobId)?.name ?? jobsOf(world, run)[0]?.name;
    return (place) => memory.get(place)?.name === name;
  }

  function startTriggered(change: Change, trigger: Trigger): void {
    const repo = trigger.repository;
    const depth = trigger.after === null ? 0 : (chain.get(trigger.after.id) ?? 0) + 1;
    if (depth > CHAIN_LIMIT || skipped(world, trigger)) return;
    for (const path of workflowPaths(world, trigger.sha)) {
      const text = commit(world, trigger.sha).files.get(path)?.bytes.toString("utf8") ?? "";
      let displayTitle: string | undefined;
      try {
        const definition = readWorkflow(text);
        const filter = definition.on[trigger.event];
        if (filter === undefined || !accepts(filter, trigger)) continue;
        displayTitle = titleOf(change, trigger);
      } catch (error) {
        if (!(error instanceof WorkflowProblem)) throw error;
        // GitHub shows a broken file as a failed run of the push; here also of a pull request, where people look.
        if (!["push", "pull_request"].includes(trigger.event)) continue;
      }
      const run = createRun(world, change.actor, {
        ...trigger,
        path,
        payload: options.payloadOf(change, repo),
        ...(displayTitle === undefined ? {} : { displayTitle }),
      });
      if (trigger.untrusted) untrusted.add(run.id);
      if (depth > 0) chain.set(run.id, depth);
      launch(run, "all");
    }
  }

  function titleOf(change: Change, trigger: Trigger): string | undefined {
    if ("pull" in change) return change.pull.title;
    if (trigger.event === "push") return world.commits.get(trigger.sha)?.message.split("\n", 1)[0];
    return undefined;
  }

  function onChange(change: Change): void {
    switch (change.kind) {
      case "workflow_dispatch":
        launch(change.run, "all");
        return;
      case "rerun_wanted":
        launch(change.run, change.only);
        return;
      case "cancel_wanted":
        active.get(change.run.id)?.cancel.abort();
        if (change.force) active.get(change.run.id)?.force.abort();
        return;
      case "gate_decided":
        gates.get(change.job.id)?.(change.verdict);
        return;
      default:
        for (const trigger of triggersOf(world, change)) startTriggered(change, trigger);
    }
  }

  const stop = world.changes.subscribe(onChange);
  return {
    async close(graceMs) {
      closed = true;
      stop();
      for (const entry of active.values()) entry.cancel.abort();
      const timer = setTimeout(() => {
        for (const entry of active.values()) entry.force.abort();
      }, graceMs);
      await Promise.all(waiting);
      clearTimeout(timer);
    },
  };
}

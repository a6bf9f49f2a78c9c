/**
 * Runs that are started for pull requests: each waits for its turn, is asked for once, followed until it ends, shown
 * as a check run on the pull request's head, and its result becomes one of the pull request's facts. What is to be
 * done with one follows from what is known of it, its pull request and the line it stands in; a step is taken when
 * something about these is new, and from time to time in case nobody told.
 */
import type { RequestFailure } from "../../src/github/request-failure.ts";
import { runResult } from "../../src/github/webhooks/webhook.ts";
import { cancelRun, dispatchWorkflow, type RunSeen, readRun } from "../../src/github/workflows/workflows.ts";
import { isUnsettled } from "../effects/staleness.ts";
import type { Evaluator } from "../evaluation/evaluator.ts";
import type { Ourselves } from "../github-cache/clients.ts";
import { changePull } from "../store/change-pull.ts";
import { noteLine } from "../store/history.ts";
import type { NewHistory, Pull, Repository, StartedRun } from "../store/model.ts";
import type { DueWorker } from "../work/due-worker.ts";
import { failureOfWork } from "../work/failure.ts";
import type { Alone } from "../work/in-progress/in-progress.ts";
import { type RepositoryAccess, StepWorker, type StepWorkerOptions } from "../work/repository-steps.ts";
import { showStart } from "./check.ts";
import { findStarted } from "./find.ts";
import { parkedBecause, uselessBecause } from "./needed.ts";
import { isReplaced, type Turn, turnOf } from "./queue.ts";
import { refusal } from "./remedy.ts";
import { withResult } from "./run-result.ts";

export interface WorkflowRunsOptions extends StepWorkerOptions {
  readonly evaluator: Evaluator;
  readonly ourselves: () => Ourselves;
}

/** How often a run is asked for that does not appear. */
const MOST_SENDS = 3;
/** Failures in a row; with doubled pauses the last is hours after the first. */
const MOST_TRIES = 12;

export class WorkflowRuns {
  readonly #options: WorkflowRunsOptions;
  readonly #steps: StepWorker<StartedRun>;

  constructor(options: WorkflowRunsOptions) {
    this.#options = options;
    const { starts, due } = options.store;
    this.#steps = new StepWorker(options, {
      what: "started runs",
      topic: "workflow-runs",
      kind: "workflow-run",
      rows: due.starts,
      takeUp: (of) => starts.wakeAll(options.now(), of),
      idOf: ({ key }) => key,
      find: (key) => starts.byKey(key),
      step: (start, access) => this.#step(start, access),
      failed: (start, failure, at) => this.#failed(start, failure, at),
      setAside: async (start, reason) => void (await this.#end(start, "failure", reason)),
    });
  }

  get worker(): DueWorker<StartedRun> {
    return this.#steps.worker;
  }

  get alone(): Alone {
    return this.#steps;
  }

  /** Asks GitHub about all runs that go on: events may have been lost. */
  async reconcile(repository: Pick<Repository, "id">): Promise<void> {
    await this.#options.store.starts.wakeRuns(repository.id, this.#options.now());
    this.#steps.worker.wake();
  }

  async #step(start: StartedRun, access: RepositoryAccess): Promise<void> {
    const pull = await this.#options.store.pull(start);
    const fresh: StartedRun = { ...start, nextAt: null };
    let turn: Turn | null = null;
    let after: StartedRun;
    switch (fresh.state) {
      case "queued":
        [after, turn] = await this.#queued(fresh, pull, access);
        break;
      case "sent":
        after = await this.#find(fresh, access);
        break;
      case "running":
        after = await this.#follow(await this.#stopIfUseless(fresh, pull, access), access);
        break;
      case "done":
        after = await this.#follow(fresh, access);
        break;
    }
    await this.#options.store.starts.save(after);
    const { ourselves, now, log, store } = this.#options;
    const check = await showStart(after, turn, { appId: ourselves().appId, now, log }, access);
    if (check !== null) {
      await store.starts.save({ ...after, check });
    }
  }

  /** What it waits for; when it is its turn, the run. */
  async #queued(start: StartedRun, pull: Pull | null, access: RepositoryAccess): Promise<[StartedRun, Turn | null]> {
    const { store, now, timings } = this.#options;
    const { starts } = store;
    const open = await starts.open(start.repositoryId, start.workflow);
    const useless = isReplaced(start, open)
      ? "the stage was entered anew"
      : await uselessBecause(start, pull, access.repository, this.#options.evaluator);
    if (useless !== null) {
      return [await this.#end({ ...start, cancel: useless }, "cancelled", useless), null];
    }
    if (pull === null || isUnsettled(pull, now())) {
      // It is about to be evaluated or moved: whoever does that tells.
      return [{ ...start, nextAt: now() + timings.reevaluationPause }, null];
    }
    const parked = parkedBecause(start, pull);
    const waiting: StartedRun = { ...start, parked, tries: 0, error: null, nextAt: now() + timings.askRuns };
    if (parked !== "") {
      if (start.parked === "") {
        await starts.save(waiting);
        await this.#moveUp(start);
      }
      return [waiting, null];
    }
    const turn = turnOf(waiting, open);
    if (!turn.go) {
      return [waiting, turn];
    }
    if (start.sends > 0) {
      const { botLogin } = this.#options.ourselves();
      if (botLogin === null) {
        return [this.#nameless(waiting), null];
      }
      const found = await findStarted(start, starts, botLogin, access);
      if (found !== null) {
        return [await this.#began(waiting, found.id, found.url), null];
      }
    }
    // From now on GitHub may have been asked, whatever becomes of us.
    if (!(await starts.claim(waiting, now()))) {
      return [{ ...waiting, nextAt: now() + timings.reevaluationPause }, null];
    }
    const sent = await starts.byKey(start.key);
    if (sent === null) {
      throw new Error(`The start ${start.key} is gone.`);
    }
    return [await this.#send({ ...sent, nextAt: null }, access), null];
  }

  async #send(start: StartedRun, { repository, write, signal }: RepositoryAccess): Promise<StartedRun> {
    const { store, now, timings, log } = this.#options;
    const inputs = {
      ...start.inputs,
      sha: start.sha,
      pull_request: String(start.number),
      stagewright_key: start.key,
    };
    const { workflow } = start;
    const dispatch = { workflow, branch: repository.defaultBranch, inputs };
    try {
      const run = await write((client) => dispatchWorkflow(client, repository, dispatch, signal));
      if (run !== null) {
        return await this.#began(start, run.runId, run.url);
      }
    } catch (error) {
      const failure = failureOfWork(error, now());
      if (failure.kind === "rate_limit") {
        await store.starts.save({ ...start, state: "queued", sends: start.sends - 1 });
        throw error;
      }
      if (failure.kind !== "temporary") {
        return await this.#end(start, "failure", refusal(workflow, repository.defaultBranch, failure));
      }
      log.warn({ start: start.key, err: error }, "it is not known whether the run was started");
    }
    return { ...start, nextAt: now() + timings.reevaluationPause };
  }

  /** GitHub was asked, and has not said which run it is. */
  async #find(start: StartedRun, access: RepositoryAccess): Promise<StartedRun> {
    const { now, timings, store, ourselves } = this.#options;
    const { botLogin } = ourselves();
    if (botLogin === null) {
      return this.#nameless(start);
    }
    const found = await findStarted(start, store.starts, botLogin, access);
    if (found !== null) {
      return await this.#began(start, found.id, found.url);
    }
    if (now() < (start.sentAt ?? 0) + timings.runAppears) {
      return { ...start, nextAt: now() + Math.min(timings.reevaluationPause * 2, timings.runAppears) };
    }
    const minutes = Math.ceil(timings.runAppears / 60_000);
    if (start.sends >= MOST_SENDS) {
      const note = `GitHub was asked ${start.sends} times, and no run appeared within ${minutes} min each`;
      return await this.#end(start, "failure", note);
    }
    const note = `No run appeared within ${minutes} min; it is asked for again`;
    await this.#tell(start, `${start.workflow}: no run appeared within ${minutes} min, it is asked for again`);
    return { ...start, state: "queued", note, nextAt: now() };
  }

  /** Until the app knows its own name it cannot tell its runs from others'; it asks GitHub for that by itself. */
  #nameless(start: StartedRun): StartedRun {
    return { ...start, nextAt: this.#options.now() + this.#options.timings.reevaluationPause };
  }

  async #began(start: StartedRun, runId: string, runUrl: string | null): Promise<StartedRun> {
    const { now, timings, store } = this.#options;
    const began: StartedRun = {
      ...start,
      state: "running",
      parked: "",
      note: "",
      runId,
      runUrl,
      runStatus: "queued",
      askAt: now() + timings.askRuns,
      // What was heard of the pull request meanwhile may make it useless.
      nextAt: now(),
    };
    const line = noteLine(start, "effect", `${start.workflow} was started: run ${runId}`, now());
    await store.commit({ starts: [began], history: [line], now: now() });
    await this.#moveUp(start);
    return began;
  }

  /** Asks GitHub about the run when that is due, and takes its result. */
  async #follow(start: StartedRun, { repository, client, signal }: RepositoryAccess): Promise<StartedRun> {
    const { now, timings } = this.#options;
    const { runId, askAt } = start;
    if (runId === null || askAt === null || askAt > now()) {
      return { ...start, nextAt: askAt };
    }
    const run = await readRun(client, repository, runId, signal);
    if (run === null) {
      return start.state === "done"
        ? { ...start, askAt: null }
        : await this.#end(start, "cancelled", `run ${runId} was deleted`);
    }
    const result = run.status === "completed" ? runResult(run.conclusion) : null;
    const next = now() + timings.askRuns;
    const seen: StartedRun = {
      ...start,
      runUrl: run.url ?? start.runUrl,
      runStatus: run.status,
      runAt: start.runStatus === run.status ? (start.runAt ?? run.updatedAt) : run.updatedAt,
      tries: 0,
      error: null,
    };
    if (result === null) {
      // Run again by hand: nobody else's wish to cancel it stands against that.
      const again = start.state === "done" ? { cancel: null, cancelSent: true, note: "" } : {};
      return { ...seen, ...again, state: "running", conclusion: null, askAt: next, nextAt: next };
    }
    return start.state === "done" && run.attempt <= start.attempt
      ? { ...seen, askAt: null, nextAt: null }
      : await this.#take(seen, run, result);
  }

  /** The run has ended: its result is about the commit that it was started for, wherever it ran. */
  async #take(start: StartedRun, run: RunSeen, result: "success" | "failure" | "cancelled"): Promise<StartedRun> {
    const { store, now, wakeups } = this.#options;
    const ended: StartedRun = {
      ...start,
      state: "done",
      conclusion: result,
      attempt: run.attempt,
      askAt: null,
      nextAt: null,
    };
    const said = { success: "succeeded", failure: "failed", cancelled: "was cancelled" } as const;
    const why = result === "cancelled" && start.cancel !== null ? ` (${start.cancel})` : "";
    const line = noteLine(start, "effect", `${start.workflow} ${said[result]}: run ${run.id}${why}`, now());
    const written = await changePull(store, start, now, (row) => {
      if (row === null) {
        return null;
      }
      const facts = withResult(row.facts, start, run, result);
      return { pull: { ...row, facts, reevaluateAt: now(), reevaluationTries: 0 }, history: [line], starts: [ended] };
    });
    if (written === null) {
      await store.commit({ starts: [ended], history: [line], now: now() });
    }
    wakeups.notify("pulls");
    await this.#moveUp(start);
    return ended;
  }

  /** Without a run's result: it was never started, or nobody needs it. */
  async #end(start: StartedRun, conclusion: "failure" | "cancelled", note: string): Promise<StartedRun> {
    const { store, now, log } = this.#options;
    const ended: StartedRun = { ...start, state: "done", conclusion, note, askAt: null, nextAt: null };
    const what = start.runId === null ? "was not started" : `run ${start.runId} is not followed any more`;
    const line = noteLine(start, "effect", `${start.workflow} ${what}: ${note}`, now());
    await store.commit({ starts: [ended], history: [line], now: now() });
    log.info({ start: start.key, pull: start.number, conclusion, reason: note }, "start ended");
    await this.#moveUp(start);
    return ended;
  }

  async #stopIfUseless(start: StartedRun, pull: Pull | null, access: RepositoryAccess): Promise<StartedRun> {
    const { runId } = start;
    const cancel = start.cancel ?? (await uselessBecause(start, pull, access.repository, this.#options.evaluator));
    if (cancel === null || runId === null || start.cancelSent) {
      return start;
    }
    // Kept before it is asked for: what ends the run is then known to be us.
    const ending: StartedRun = { ...start, cancel };
    await this.#options.store.starts.save(ending);
    await access.write((client) => cancelRun(client, access.repository, runId, access.signal));
    return { ...ending, cancelSent: true };
  }

  /** Those that wait for the same workflow see whether it is their turn. */
  async #moveUp({ repositoryId, workflow }: StartedRun): Promise<void> {
    await this.#options.store.starts.wakeQueue(repositoryId, workflow, this.#options.now());
    this.#steps.worker.wake();
  }

  async #tell(start: StartedRun, text: string): Promise<void> {
    const { store, now } = this.#options;
    const history: NewHistory[] = [noteLine(start, "effect", text, now())];
    await store.commit({ history, now: now() });
  }

  async #failed({ key }: StartedRun, { kind, message }: RequestFailure, at: number): Promise<void> {
    const { now, store } = this.#options;
    const { starts } = store;
    const start = await starts.byKey(key);
    if (start === null) {
      return;
    }
    if (kind === "rate_limit") {
      await starts.save({ ...start, nextAt: at, error: message });
      return;
    }
    if (start.pausedUntil !== null && now() < start.pausedUntil) {
      // It was woken within the pause of its last failure: that says nothing new of how long GitHub is in trouble.
      await starts.save({ ...start, error: message, nextAt: start.pausedUntil });
      return;
    }
    const tries = start.tries + 1;
    // A run that goes on is followed to its end, however long GitHub is in trouble.
    if (tries >= MOST_TRIES && start.state !== "running" && start.state !== "done") {
      await this.#end({ ...start, tries }, "failure", message);
      return;
    }
    const given = start.state === "done" && tries >= MOST_TRIES;
    await starts.save({ ...start, tries, error: message, pausedUntil: at, nextAt: given ? null : at });
  }
}

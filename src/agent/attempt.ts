/** One attempt: a command (or a wait without one) with its limits, its output and its events, to its report. */
import { jsonBytes, TOLD_BOUNDS } from "../plan/bounds.ts";
import type { Command, Json } from "../plan/plan.ts";
import { completionRules } from "../plan/stages/completion-rules.ts";
import { stopGraceOf } from "../plan/stop-grace.ts";
import { selectContext } from "../run/context/select.ts";
import { isMeasured } from "../run/measurement/measure.ts";
import type { AttemptEnd, AttemptReport } from "../run/types.ts";
import { steadyNow } from "../steady-clock.ts";
import { type AttemptOptions, type Surroundings, workingDirectoryOf } from "./attempt-options.ts";
import { after, sleepFor } from "./clock.ts";
import { BallotReader, maskedBallot } from "./output/ballot-reader.ts";
import { EventsFile } from "./output/events.ts";
import { lineReader } from "./output/line-reader.ts";
import { AttemptRecord } from "./output/record.ts";
import { Listing } from "./output/task-list.ts";
import type { AttemptFiles } from "./process/directory.ts";
import { commandEnvironment, hostfile } from "./process/environment.ts";
import { type RunningProcess, remainingText } from "./process/process.ts";

/** Remarks of one kind that are made on one run. */
const MOST_SAID = 100;
/** How often a running command's events are read. */
const EVENTS_EVERY_MS = 250;

/** What we end an attempt for; the first reason holds. */
type Ending = Exclude<
  AttemptEnd,
  { kind: "exited" | "signalled" | "not_started" | "bad_tasks" | "checks_failed" | "no_command" }
>;

export class Attempt {
  readonly options: AttemptOptions;
  readonly record: AttemptRecord;
  /** The report, once everything of this attempt is at an end. Never rejects. */
  readonly ended: Promise<AttemptReport>;
  /** Its command has been started (or it is over already). */
  readonly started: Promise<void>;
  readonly #around: Surroundings;
  readonly #started = Promise.withResolvers<void>();
  /** What its standard output lists, when that is its task. */
  readonly #listing: Listing | null;
  /** What its standard output votes, when it is a validator's. */
  readonly #ballot: BallotReader | null;
  /** What it told as tasks of a later stage; null: of none. */
  readonly #laterTasks: Json[] | null;
  #laterTaskBytes = 0;
  /** The first event that told of tasks but cannot be taken. */
  #lostTasks: string | null = null;
  readonly #stopping = new AbortController();
  readonly #stopped = new Promise<void>((resolve) => {
    this.#stopping.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  #ending: Ending | null = null;
  #process: RunningProcess | null = null;
  #environmentOf: Record<string, string> = {};
  #graceMs: number;
  /** performance.now() */
  #beganAt = 0;

  constructor(options: AttemptOptions, around: Surroundings) {
    this.options = options;
    this.#graceMs = stopGraceOf(options.stage);
    this.#around = around;
    const quoted = (text: string): string => (around.tellsOutput ? around.masks.text(text) : "…");
    this.#listing = options.generator ? new Listing(quoted) : null;
    const { stage, lease } = options;
    this.#ballot = stage.quorum === undefined || lease === null ? null : new BallotReader(quoted);
    const isSource = around.plan.stages.some(
      ({ tasks }) => tasks?.source.kind === "stage" && tasks.source.stage === stage.name,
    );
    this.#laterTasks = isSource ? [] : null;
    this.record = new AttemptRecord({
      masks: around.masks,
      tellsOutput: around.tellsOutput,
      place: { path: around.planFile, line: stage.line },
      thresholds: stage.thresholds,
      series: options.series,
      isMeasured: () => isMeasured(stage, performance.now() - this.#beganAt),
      warn: (text) => this.#warn(text),
      onProgress: (progress) => around.log({ kind: "progress", stage, task: lease?.task ?? null, progress }),
      onTasks: (values) => this.#onTasks(values),
      onThreshold: (end) => this.end(end),
    });
    this.started = this.#started.promise;
    this.ended = this.#run();
    void this.ended.then(() => this.#started.resolve());
  }

  get isEnding(): boolean {
    return this.#ending !== null;
  }

  /** Ends it: TERM, the stage's grace or `mostMs`, KILL. Called again, the shorter grace holds and the first reason. */
  end(why: Ending, mostMs = Number.POSITIVE_INFINITY): void {
    this.#ending ??= why;
    this.#graceMs = Math.min(this.#graceMs, mostMs);
    this.#process?.end(this.#graceMs);
    this.#stopping.abort();
  }

  async #run(): Promise<AttemptReport> {
    const { stage, attempt, attemptNumber, lease } = this.options;
    const task = lease?.task ?? null;
    await Promise.race([this.options.after, this.#stopped]);
    if (this.options.startInMs > 0) await sleepFor(this.options.startInMs, this.#stopping.signal);
    const startedAt = steadyNow();
    this.#beganAt = performance.now();
    let end: AttemptEnd;
    let endedAt = startedAt;
    if (this.#ending !== null) end = this.#ending;
    else {
      this.#around.log({ kind: "started", stage, task, attempt, attemptNumber });
      const cancelTimers = this.#armLimits();
      try {
        const { command } = this.options;
        end =
          command === null && stage.checks === undefined ? await this.#runWithout() : await this.#runCommand(command);
      } catch (error) {
        // Nothing of the command: our own files could not be written (a full disk).
        end = { kind: "not_started", message: error instanceof Error ? error.message : String(error) };
      }
      for (const cancel of cancelTimers) cancel();
      endedAt = steadyNow();
      await this.#collect();
    }
    const report = await this.record.report({
      stage: stage.index,
      attempt,
      task,
      startedAt,
      endedAt,
      end,
      ...this.#voted(end),
      ...this.#toldTasks(),
    });
    this.#around.log({ kind: "ended", stage, report });
    return report;
  }

  /** Before anybody learns that it is over, and may take its files away. Of tasks: see `Work`. */
  async #collect(): Promise<void> {
    const { stage, attempt } = this.options;
    if (stage.tasks !== null) return;
    await this.#around.collector?.collect(stage, attempt, this.workingDirectory, (text) => this.#warnEveryone(text));
  }

  #onTasks(values: readonly Json[]): void {
    if (this.#laterTasks === null) {
      this.options.onTasks(values);
      return;
    }
    this.#laterTaskBytes += jsonBytes(values);
    const { laterTasks, laterTaskBytes } = TOLD_BOUNDS;
    if (this.#laterTasks.length + values.length > laterTasks || this.#laterTaskBytes > laterTaskBytes) {
      this.#lostTasks ??= `it told more than ${laterTasks} tasks, or ${laterTaskBytes / 1_024} KiB of them`;
    } else this.#laterTasks.push(...values);
  }

  #toldTasks(): Pick<AttemptReport, "laterTasks"> {
    if (this.#laterTasks === null || this.#laterTasks.length === 0) return {};
    return { laterTasks: this.#laterTasks.map((value) => this.#around.masks.json(value)) };
  }

  #voted(end: AttemptEnd): Pick<AttemptReport, "ballot"> {
    if (this.#ballot === null || end.kind !== "exited" || end.code !== 0) return {};
    return { ballot: maskedBallot(this.#ballot.ballot(), (value) => this.#around.masks.json(value)) };
  }

  /** `duration` and `max_duration` from the stage's start on this agent, `attempt_timeout` from now. */
  #armLimits(): (() => void)[] {
    const { stage, timesFrom, until, lease } = this.options;
    const validator = stage.quorum?.validators.find(({ name }) => name === lease?.task);
    if (stage.background !== null) return [];
    const now = performance.now();
    const gone = timesFrom === null ? 0 : now - timesFrom;
    const limits = [
      ["duration", stage.durationMs === null ? null : stage.durationMs - gone],
      ["max_duration", stage.maxDurationMs === null ? null : stage.maxDurationMs - gone],
      ["attempt_timeout", validator?.timeoutMs ?? stage.retry.attemptTimeoutMs],
      [until.limit, until.at - now],
    ] as const;
    return limits.flatMap(([limit, ms]) =>
      ms === null ? [] : [after(ms, () => this.end({ kind: "time_over", limit }))],
    );
  }

  /** No command: it waits for its time, or is done at once. */
  async #runWithout(): Promise<AttemptEnd> {
    if (completionRules(this.options.stage.completion).withoutCommand !== "waits") return { kind: "no_command" };
    await this.#stopped;
    return this.#ending ?? { kind: "no_command" };
  }

  /** Null: there are checks alone. */
  async #runCommand(command: Command | null): Promise<AttemptEnd> {
    const { stage, lease } = this.options;
    const { directory, processes } = this.#around;
    // The run has chosen already; whoever cleans up alone chooses by itself.
    const context = selectContext(this.options.outputs, stage);
    if (context.leftOut.length > 0) {
      this.#warn(
        `$STAGEWRIGHT_CONTEXT is over its limit of ${stage.contextLimit} bytes: ${context.leftOut.join(", ")} left out`,
      );
    }
    const files = await directory.attemptFiles(`${JSON.stringify(context.outputs)}\n`, hostfile(this.options.roster));
    // Ended while the files were written: then it does not start at all.
    if (this.#ending !== null) return this.#ending;
    this.#environmentOf = this.#environment(files, context.outputs);
    this.#around.secrets.mask(this.#environmentOf);
    const failed = await this.#preflight();
    if (this.#ending !== null) return this.#ending;
    if (failed !== null || command === null) return failed ?? (await this.#runWithout());
    const scalar = lease !== null && (typeof lease.value !== "object" || lease.value === null);
    const running = processes.start({
      command,
      args: scalar ? [String(lease.value)] : [],
      name: stage.name,
      env: this.#environmentOf,
      workingDirectory: this.workingDirectory,
      onLine: lineReader({
        stage,
        task: lease?.task ?? null,
        masks: this.#around.masks,
        log: this.#around.log,
        tellsOutput: this.#around.tellsOutput,
        record: this.record,
        listing: this.#listing,
        ballot: this.#ballot,
        onTasks: this.options.onTasks,
        warn: (text) => this.#warn(text),
      }),
      onLeftBehind: (left) =>
        this.#warn(`the command left ${left.length} process(es) behind, ended now: ${left.join(", ")}`),
      onRemaining: (processes) => this.#warnEveryone(remainingText(processes)),
    });
    this.#process = running;
    this.#started.resolve();
    const events = new EventsFile({
      path: files.events,
      onEvent: (event) => this.record.take(event),
      warn: (text) => this.#warn(text),
      onTasksLost: (text) => {
        this.#lostTasks ??= text;
      },
    });
    const polling = setInterval(() => void events.poll(), EVENTS_EVERY_MS);
    const end = await running.ended;
    clearInterval(polling);
    await events.finish();
    try {
      directory.forget(files);
    } catch (error) {
      // How the command ended is not changed by what it left.
      this.#warn(`its events file stays until the end: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (end.kind === "not_started") return end;
    return this.#endedByUs(running) ?? this.#badTasks(end) ?? end;
  }

  /** Whether this machine has what the stage's command needs; null: it has. */
  async #preflight(): Promise<AttemptEnd | null> {
    const { stage, clockOffsetMs } = this.options;
    if (stage.checks === undefined) return null;
    const { preflightEnd } = await import("./machine/preflight.ts");
    const { processes } = this.#around;
    const { workingDirectory } = this;
    const context = {
      env: this.#environmentOf,
      workingDirectory,
      processes,
      clockOffsetMs,
      signal: this.#stopping.signal,
    };
    return await preflightEnd(stage.checks, context, (finding) => {
      this.#warn(finding.text);
      this.record.annotate({ path: null, line: null, level: "failure", title: finding.title, message: finding.text });
    });
  }

  /** Why we ended it, and what that took; null: it ended by itself. */
  #endedByUs({ wasKilled }: RunningProcess): AttemptEnd | null {
    const ending = this.#ending;
    return ending?.kind === "time_over" && wasKilled() ? { ...ending, killed: true } : ending;
  }

  /** The end of a command that did well but for the tasks that it told of; null: those are all right, too. */
  #badTasks(end: AttemptEnd): AttemptEnd | null {
    const isTold = this.options.stage.tasks !== null || this.#laterTasks !== null;
    if (!isTold || end.kind !== "exited" || end.code !== 0) return null;
    const message = this.#listing?.trouble ?? this.#lostTasks;
    return message === null ? null : { kind: "bad_tasks", message };
  }

  #environment(files: AttemptFiles, outputs: AttemptOptions["outputs"]): Record<string, string> {
    const { stage, attempt, lease, member, roster, partition, because } = this.options;
    const { plan, run, inherited, ownSecrets, directory } = this.#around;
    const { variables, leftOut, remarks } = commandEnvironment({
      inherited,
      ownSecrets,
      bin: directory.bin,
      plan,
      stage,
      run,
      attempt,
      member,
      roster,
      partition,
      outputs,
      files,
      task: lease === null ? null : { value: lease.value },
      deficiencies: because?.deficiencies ?? null,
    });
    for (const remark of remarks) {
      // Once for all attempts: a stage may have thousands of tasks.
      if (this.#around.said.size >= MOST_SAID || this.#around.said.has(remark)) continue;
      this.#around.said.add(remark);
      this.#warn(remark);
    }
    if (leftOut.length > 0) {
      const stages = leftOut.toReversed().join(", ");
      this.#warn(`outputs of ${stages} are too large together for variables: they are in $STAGEWRIGHT_CONTEXT alone`);
    }
    return variables;
  }

  /** What its command was started with; empty before. */
  get environment(): Readonly<Record<string, string>> {
    return this.#environmentOf;
  }

  get workingDirectory(): string {
    return workingDirectoryOf(this.options.stage, this.#around);
  }

  /** In the log, and in the run's result: it matters to whoever uses this machine next. */
  #warnEveryone(text: string): void {
    this.#warn(text);
    this.record.annotate({ path: null, line: null, level: "warning", title: null, message: text });
  }

  #warn(text: string): void {
    this.#around.log({ kind: "warning", stage: this.options.stage, text: this.#around.masks.text(text) });
  }
}

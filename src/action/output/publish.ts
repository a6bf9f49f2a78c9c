/**
 * Shows a run's result on GitHub: a check run where the token may write one, else annotations by workflow commands;
 * the job summary always. Nothing here can make a run fail: what cannot be shown in one place is shown in another.
 */
import type { Masks } from "../../agent/masking/masks.ts";
import type { CheckText } from "../../github/checks/check-run.ts";
import type { LiveCheck, Pace } from "../../github/checks/checks.ts";
import type { GitHubClient } from "../../github/port.ts";
import type { RequestFailure } from "../../github/request-failure.ts";
import {
  ANNOTATIONS_PER_CHECK,
  annotationsOf,
  COMMANDS_PER_LEVEL,
  checkAnnotation,
  commandLine,
  hiddenLine,
  limited,
  type ReportAnnotation,
} from "../../report/annotations.ts";
import { checkOutput, conclusionOf, progressOutput, type RunProgress } from "../../report/check.ts";
import type { RunReport } from "../../report/report.ts";
import { summaryOf } from "../../report/summary.ts";
import type { Job } from "../input/job.ts";
import type { SavedState } from "../post-state.ts";
import type { RunnerConsole, RunnerFiles } from "../runner.ts";

/** From the end of the run: a report is worth no longer wait. Ten batches of annotations take half of it. */
const REPORT_MS = 30_000;

export interface PublisherOptions {
  readonly where: "auto" | "check" | "commands";
  /** Empty: none. */
  readonly token: string;
  readonly client: () => Promise<GitHubClient>;
  readonly job: Job;
  readonly checkName: string;
  readonly externalId: string;
  readonly console: RunnerConsole;
  readonly files: RunnerFiles;
  readonly masks: Masks;
  readonly state: SavedState;
  readonly pace: Pace;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #ending = new AbortController();
  #opening: Promise<LiveCheck | null> | null = null;
  #check: LiveCheck | null = null;
  /** Annotations that were shown by commands, by their command. */
  readonly #said = new Map<string, ReportAnnotation>();
  #isCutShort = false;
  /** What `known` has begun. */
  #concluding: Promise<unknown> | null = null;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Begins to open the check run, beside the work. */
  start(progress: RunProgress): void {
    this.#opening = this.#open(progress);
  }

  /** Shows how far the run is; the newest word wins. */
  progress(progress: RunProgress): void {
    this.#check?.update(this.#masked(progressOutput(progress)));
  }

  /**
   * Shows at once what needs nobody's answer, for a step that is being ended: annotations by commands, the summary. The
   * check run's conclusion is on its way then, and `finish` adds what is learnt later.
   */
  known(report: RunReport): void {
    this.#isCutShort = true;
    this.#summarize(report, this.#annotate(annotationsOf(report)));
    // Only the conclusion: its annotations are shown already.
    if (this.#check !== null) this.#concluding = this.#conclude(this.#check, report, [], this.#ending.signal);
  }

  /**
   * Shows the result everywhere. What GitHub does not take in time is shown by this step instead. Returns the check
   * run's address, if there is one. Never rejects.
   */
  async finish(report: RunReport, signal: AbortSignal): Promise<{ readonly checkRunUrl: string | null }> {
    // Before GitHub is asked for anything: whatever ends this process then leaves it.
    this.#summarize(report, 0);
    const { pace, console } = this.#options;
    const over = new AbortController();
    const late = new AbortController();
    pace.sleep(REPORT_MS, over.signal).then(
      () => late.abort(),
      () => undefined,
    );
    const limit = AbortSignal.any([signal, late.signal]);
    const stop = (): void => this.#ending.abort();
    limit.addEventListener("abort", stop, { once: true });
    if (limit.aborted) stop();
    const check = (await this.#opening) ?? null;
    await this.#concluding;
    const annotations = annotationsOf(report);
    const forCheck = this.#isCutShort ? [] : annotations;
    const shown = check === null ? null : await this.#conclude(check, report, forCheck, limit);
    const hidden = shown === null || this.#isCutShort ? this.#annotate(annotations) : shown;
    over.abort();
    limit.removeEventListener("abort", stop);
    if (late.signal.aborted) {
      const instead = shown === null ? ": annotations are shown by this step instead" : "";
      console.text(`⚠ GitHub did not take the report within ${REPORT_MS / 1000} s${instead}`);
    }
    if (shown !== null && report.summary.verdict === "failure") console.error(report.summary.message);
    const note = hiddenLine(hidden);
    if (note !== null) console.text(note);
    this.#summarize(report, hidden);
    return { checkRunUrl: check?.handle.url ?? null };
  }

  #summarize(report: RunReport, hidden: number): void {
    const note = hiddenLine(hidden);
    this.#options.files.resultSummary(summaryOf(report, note === null ? [] : [note]));
  }

  /** @returns how many annotations it does not show; null when it could not be concluded. */
  async #conclude(
    check: LiveCheck,
    report: RunReport,
    all: readonly ReportAnnotation[],
    signal: AbortSignal,
  ): Promise<number | null> {
    const { shown, hidden } = limited(all, { total: ANNOTATIONS_PER_CHECK });
    const note = hiddenLine(hidden);
    const result = await check.conclude(
      conclusionOf(report.summary.verdict),
      this.#masked(checkOutput(report, note === null ? [] : [note])),
      shown.map(checkAnnotation),
      signal,
    );
    if (result.concluded) this.#options.state.concluded();
    if (result.failure !== null) {
      const what = result.concluded ? "not all annotations could be written" : "the check run could not be concluded";
      this.#options.console.text(`⚠ ${what}: ${describe(result.failure)}`);
    }
    return result.concluded ? all.length - result.annotationsSent : null;
  }

  /** Each once, however often it is called. @returns how many annotations are beyond what GitHub shows. */
  #annotate(all: readonly ReportAnnotation[]): number {
    const fresh = all.filter((annotation) => !this.#said.has(commandLine(annotation)));
    const { shown } = limited([...this.#said.values(), ...fresh], { perLevel: COMMANDS_PER_LEVEL });
    for (const annotation of shown) {
      const line = commandLine(annotation);
      if (!this.#said.has(line)) this.#options.console.command(line);
      this.#said.set(line, annotation);
    }
    return all.filter((annotation) => !this.#said.has(commandLine(annotation))).length;
  }

  async #open(progress: RunProgress): Promise<LiveCheck | null> {
    const { where, token, job, console } = this.#options;
    if (where === "commands") return null;
    const missing = token === "" ? "no github-token" : job.owner === null || job.repo === null || job.headSha === null;
    if (missing !== false || job.owner === null || job.repo === null || job.headSha === null) {
      const what = missing === true ? "not a job of a repository on GitHub" : missing;
      this.#refused(`no check run: ${what}`);
      return null;
    }
    try {
      const target = {
        owner: job.owner,
        repo: job.repo,
        headSha: job.headSha,
        name: this.#options.checkName,
        externalId: this.#options.externalId,
        detailsUrl: job.runUrl,
      };
      const client = await this.#options.client();
      // Should its answer be lost, the post step looks for it.
      this.#options.state.opening({ name: target.name, headSha: target.headSha, externalId: target.externalId });
      const { openCheck } = await import("../../github/checks/checks.ts");
      const opened = await openCheck(
        client,
        target,
        this.#masked(progressOutput(progress)),
        this.#options.pace,
        this.#ending.signal,
      );
      if (!opened.opened) {
        const { kind } = opened.failure;
        if (kind === "permission" || kind === "rejected") this.#options.state.opening(null);
        const hint =
          opened.failure.kind === "permission"
            ? job.fork
              ? " (a pull request from a fork has a token that can only read)"
              : " (the job needs `permissions: checks: write`)"
            : "";
        this.#refused(`no check run: ${describe(opened.failure)}${hint}`);
        return null;
      }
      this.#check = opened.check;
      this.#options.state.check({ ...target, id: opened.check.handle.id, appId: opened.appId });
      return opened.check;
    } catch (error) {
      console.text(`⚠ no check run: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  }

  /** Of a result the words of commands were masked before they were escaped; this masks the rest. */
  #masked({ title, summary, text }: CheckText): CheckText {
    const { masks } = this.#options;
    return { title: masks.text(title), summary: masks.text(summary), text: text === null ? null : masks.text(text) };
  }

  /** `auto` takes it as it comes; `check` was asked for, so it is a warning. */
  #refused(message: string): void {
    if (this.#options.where === "check") this.#options.console.warning(message);
    else this.#options.console.text(message);
  }
}

export function describe(failure: RequestFailure): string {
  return failure.status === null ? failure.message : `GitHub answered ${failure.status}: ${failure.message}`;
}

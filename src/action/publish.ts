/**
 * Shows a run's result on GitHub: a check run where the token may write one, else annotations by workflow commands;
 * the job summary always. Nothing here can make a run fail: what cannot be shown in one place is shown in another.
 */
import type { Masks } from "../agent/masks.ts";
import { type CheckText, type LiveCheck, openCheck, type Pace } from "../github/checks.ts";
import type { RequestFailure } from "../github/request-failure.ts";
import {
  ANNOTATIONS_PER_CHECK,
  annotationsOf,
  COMMANDS_PER_LEVEL,
  checkAnnotation,
  commandLine,
  hiddenLine,
  limited,
  type ReportAnnotation,
} from "../report/annotations.ts";
import { checkOutput, conclusionOf, progressOutput, type RunProgress } from "../report/check.ts";
import type { RunReport } from "../report/report.ts";
import { summaryOf } from "../report/summary.ts";
import { githubClient } from "./client.ts";
import type { Job } from "./job.ts";
import type { RunnerConsole, RunnerFiles } from "./runner.ts";
import type { SavedState } from "./state.ts";

export interface PublisherOptions {
  readonly where: "auto" | "check" | "commands";
  /** Empty: none. */
  readonly token: string;
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

  /** Shows the result everywhere. Returns the check run's address, if there is one. Never rejects. */
  async finish(report: RunReport, signal: AbortSignal): Promise<{ readonly checkRunUrl: string | null }> {
    const stop = (): void => this.#ending.abort();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const check = (await this.#opening) ?? null;
    const annotations = annotationsOf(report);
    const shown = check === null ? null : await this.#conclude(check, report, annotations, signal);
    const hidden = shown ?? this.#annotate(annotations);
    if (shown !== null && report.summary.verdict === "failure") {
      this.#options.console.error(report.summary.message);
    }
    const note = hiddenLine(hidden);
    if (note !== null) this.#options.console.text(note);
    this.#options.files.summary(summaryOf(report, note === null ? [] : [note]));
    signal.removeEventListener("abort", stop);
    return { checkRunUrl: check?.handle.url ?? null };
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

  /** @returns how many annotations are beyond what GitHub shows. */
  #annotate(all: readonly ReportAnnotation[]): number {
    const { shown, hidden } = limited(all, { perLevel: COMMANDS_PER_LEVEL });
    for (const annotation of shown) this.#options.console.command(commandLine(annotation));
    return hidden;
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
      const client = await githubClient(token);
      const opened = await openCheck(
        client,
        target,
        this.#masked(progressOutput(progress)),
        this.#options.pace,
        this.#ending.signal,
      );
      if (!opened.opened) {
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

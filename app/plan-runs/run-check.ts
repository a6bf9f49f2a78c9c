/** The check run of one group's run: opened, updated and concluded, tried again while GitHub is in trouble. */
import { setTimeout as sleep } from "node:timers/promises";
import type { GroupRun } from "../../src/coordinator/hosting/group-run.ts";
import { Refusal } from "../../src/coordinator/protocol/refusal.ts";
import { Elsewhere, type OwnedRun } from "../../src/coordinator/replicas/owners.ts";
import type { CheckTarget, CheckText } from "../../src/github/checks/check-run.ts";
import { LiveCheck, openCheck, type Pace } from "../../src/github/checks/checks.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { type RequestFailure, requestFailure } from "../../src/github/request-failure.ts";
import { readRunHead } from "../../src/github/workflows/workflows.ts";
import { runButtons } from "../../src/lifecycle/presentation/run-buttons.ts";
import {
  ANNOTATIONS_PER_CHECK,
  annotationsOf,
  checkAnnotation,
  hiddenLine,
  limited,
} from "../../src/report/annotations.ts";
import { checkOutput, conclusionOf, progressOutput } from "../../src/report/check.ts";
import { markdown } from "../../src/report/escape.ts";
import type { RunReport } from "../../src/report/report.ts";
import { askedApproval } from "../../src/run/checkpoints/decisions.ts";
import { explain } from "../../src/run/machine.ts";
import { steadyNow } from "../../src/steady-clock.ts";
import type { AppRunStore } from "../store/model.ts";
import { type RunNote, type RunPlace, runNote } from "./note.ts";
import { howToDecide, timeOfDay, waitsText } from "./wait-text.ts";

/** Waits are shown at most this often; what ends or begins is shown at once. */
const EVERY_MS = 10_000;
export const CONCLUDE_MS = 60_000;
/** Between tries to show the end of a run; doubled each time. */
const PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;
/** Of several processes another one goes on with it after that; less than a run that is over is kept in memory. */
const SHARED_TRIES_MS = 8 * 60_000;
/** Where there is no other process. */
const OWN_TRIES_MS = 24 * 3_600_000;

/** As long as a request to GitHub may take. */
const ON_ITS_WAY_MS = 15_000;

/** Of those who were refused, shown on the check run that they pressed. */
const MOST_REMARKS = 3;

export interface RunChecksOptions {
  readonly store: Pick<AppRunStore, "note" | "setNote">;
  /** Numbers of the pull requests that a workflow run on this commit is about. */
  readonly pullsOf: (repositoryId: number, workflowRun: string, sha: string) => Promise<readonly number[]>;
  readonly client: (installationId: number) => Promise<GitHubClient>;
  readonly pace: Pace;
  /** By what this process has the run; null: there are no others. */
  readonly owned: (run: GroupRun) => OwnedRun | null;
  readonly onError: (error: unknown, what: string) => void;
}

export interface RunCheckOptions extends RunChecksOptions {
  readonly place: RunPlace | null;
  readonly wasTaken: boolean;
  readonly over: () => void;
}

export class RunCheck {
  readonly #run: GroupRun;
  readonly #options: RunCheckOptions;
  readonly #stop = new AbortController();
  #place: RunPlace | null;
  #check: Promise<LiveCheck | null> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #shownSteps = 0;
  #pulls: readonly number[] = [];
  #ending: Promise<void> | null = null;
  #remarks: readonly string[] = [];
  /** Somebody may have written it already: another process, or we, and the answer was lost. */
  #mayBeThere: boolean;

  constructor(run: GroupRun, options: RunCheckOptions) {
    this.#run = run;
    this.#place = options.place;
    this.#mayBeThere = options.wasTaken;
    this.#options = options;
  }

  update(): void {
    if (this.#ending !== null || this.#stop.signal.aborted) return;
    if (this.#run.host.isOver) {
      this.#ending = this.#concludeInTime();
      // Whoever keeps the run asks for it.
      this.#ending.catch(() => undefined);
      return;
    }
    // Where the run stands: a change of that is shown at once, who waits for whom every ten seconds.
    const { steps } = this.#run.host.state;
    if (steps !== this.#shownSteps) {
      this.#shownSteps = steps;
      this.#show();
    }
    this.#timer ??= setInterval(() => this.#show(), EVERY_MS);
  }

  tell(text: string): void {
    this.#remarks = [...this.#remarks, `${timeOfDay(this.#run.host.now)}: ${text}`].slice(-MOST_REMARKS);
    if (this.#ending === null && !this.#stop.signal.aborted) this.#show();
  }

  async concluded(): Promise<void> {
    await this.#ending;
    this.#stop.signal.throwIfAborted();
  }

  async settled(): Promise<void> {
    await this.#check?.catch(() => undefined);
    await this.#ending?.catch(() => undefined);
  }

  close(): void {
    this.#stop.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #show(): void {
    this.#check ??= this.#open();
    const shown = this.#check.then(async (check) => {
      await this.#run.host.saved();
      if (!this.#run.host.isOver && !this.#stop.signal.aborted) check?.update(this.#progress());
    });
    shown.catch((error: unknown) => {
      this.#failed(error);
      // The next look tries again.
      this.#check = null;
    });
  }

  /** What this process says is kept, and nobody else says anything. @throws that it is not so */
  async #mayShow(): Promise<void> {
    const { signal } = this.#stop;
    const waitMs = (this.#options.owned(this.#run)?.from ?? 0) - steadyNow();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal });
    await this.#run.host.kept();
    signal.throwIfAborted();
  }

  #progress(): CheckText {
    const { host } = this.#run;
    const { plan, createdAt } = host.state;
    const { waits, stages } = explain(host.state);
    const output = progressOutput({
      planName: plan.name,
      stages: plan.stages.map(({ name }) => name),
      done: host
        .summary()
        .phases.filter(({ completedAt }) => completedAt !== null)
        .map(({ name, status, reason }) => ({ name, how: reason === null ? status : `${status}: ${reason}` })),
      doing: waits[0]?.text ?? (stages.length > 0 ? `running ${stages.join(", ")}` : host.state.status),
      startedAt: createdAt,
      now: host.now,
    });
    const asked = askedApproval(host.state);
    const remarks = this.#remarks.map((each) => `- ${markdown(each)}`);
    const text = [
      waitsText(waits, host.now),
      ...(asked === null ? [] : [howToDecide(asked, this.#pulls), remarks.join("\n")]),
    ];
    return {
      ...output,
      text: waits.length === 0 ? null : text.filter((part) => part !== "").join("\n\n"),
      actions: asked === null ? [] : runButtons(asked),
    };
  }

  async #open(): Promise<LiveCheck | null> {
    const { store, pace } = this.#options;
    await this.#mayShow();
    const known = runNote.safeParse(await store.note(this.#run.id));
    if (known.success) this.#place = known.data;
    const place = this.#place;
    if (place === null) return null;
    if (!known.success) {
      // Only the job that began the run said it: whoever goes on with the run could not show it.
      await this.#keep({ ...place, headSha: null, pulls: [], checkId: null, url: null, creatingSince: null });
    }
    const client = await this.#options.client(place.installationId);
    const target = await this.#target(client, place);
    const note = await this.#noteOf(place, target.headSha, known.data ?? null);
    this.#pulls = note.pulls;
    if (known.success && known.data.checkId !== null) {
      return new LiveCheck(client, target, { id: known.data.checkId, url: known.data.url }, pace);
    }
    await this.#whenNoneIsOnItsWay(note);
    await this.#keep({ ...note, creatingSince: pace.now() });
    const mayBeThere = this.#mayBeThere || note.creatingSince !== null;
    this.#mayBeThere = true;
    const opened = await openCheck(client, target, this.#progress(), pace, this.#stop.signal, mayBeThere);
    if (!opened.opened) {
      // An answer tells that the request is over.
      if (opened.failure.status !== null) await this.#keep({ ...note, creatingSince: null });
      throw new NotShown("opened", opened.failure);
    }
    const { id, url } = opened.check.handle;
    await this.#keep({ ...note, checkId: id, url, creatingSince: null });
    return opened.check;
  }

  /** What a process sent that is dead by now, GitHub may still be at: looked for too early, it would be made twice. */
  async #whenNoneIsOnItsWay({ creatingSince }: RunNote): Promise<void> {
    const { pace } = this.#options;
    const ms = creatingSince === null ? 0 : creatingSince + ON_ITS_WAY_MS - pace.now();
    if (ms > 0) await pace.sleep(Math.min(ms, ON_ITS_WAY_MS), this.#stop.signal);
  }

  /** Where the run belongs, kept before anything is shown: what waits for a person is found by it. */
  async #noteOf(place: RunPlace, headSha: string, known: RunNote | null): Promise<RunNote> {
    if (known !== null && known.headSha !== null) return known;
    const { key } = this.#run;
    const { repository, installationId } = place;
    const pulls = [...(await this.#options.pullsOf(Number(key.repositoryId), key.runId, headSha))];
    const about = {
      checkId: known?.checkId ?? null,
      url: known?.url ?? null,
      creatingSince: known?.creatingSince ?? null,
    };
    const note = { repository, installationId, headSha, pulls, ...about };
    await this.#keep(note);
    return note;
  }

  async #keep(note: RunNote): Promise<void> {
    const { store, owned } = this.#options;
    const keep = (): Promise<void> => store.setNote(this.#run.id, note);
    await (owned(this.#run)?.within(keep) ?? keep());
  }

  async #target(client: GitHubClient, { repository }: RunPlace): Promise<CheckTarget> {
    const { key, id } = this.#run;
    const [owner = "", repo = ""] = repository.split("/");
    const workflowRun = await readRunHead(client, { owner, name: repo }, key.runId);
    return {
      owner,
      repo,
      headSha: workflowRun.sha,
      name: `plan / ${key.plan} (${key.group})`,
      externalId: id,
      detailsUrl: workflowRun.url,
    };
  }

  /** While GitHub is in trouble it is tried again. @throws why it is not shown, when it is to be shown later */
  async #concludeInTime(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const { pace, over, owned, wasTaken } = this.#options;
    const until = pace.now() + (owned(this.#run) === null ? OWN_TRIES_MS : SHARED_TRIES_MS);
    let mayBeSent = wasTaken;
    try {
      for (let pause = PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
        try {
          await this.#conclude(mayBeSent);
          return;
        } catch (error) {
          mayBeSent = true;
          this.#check = null;
          this.#failed(error);
          if (this.#isOthers(error)) return;
          const { kind, retryAfterMs } = error instanceof NotShown ? error.failure : requestFailure(error, pace.now());
          if (kind === "permission" || kind === "rejected") return;
          const wait = Math.max(pause, retryAfterMs ?? 0);
          if (pace.now() + wait > until) throw error;
          await pace.sleep(wait, this.#stop.signal).catch(() => undefined);
          if (this.#stop.signal.aborted) return;
        }
      }
    } finally {
      over();
    }
  }

  async #conclude(mayBeSent: boolean): Promise<void> {
    this.#check ??= this.#open();
    const check = await this.#check;
    if (check === null) return;
    await this.#mayShow();
    const { host } = this.#run;
    const { createdAt, endedAt } = host.state;
    const summary = host.summary();
    const report: RunReport = {
      summary,
      planName: host.state.plan.name,
      planFile: host.state.plan.name,
      workspace: null,
      startedAt: createdAt,
      completedAt: endedAt ?? host.now,
      stoppedAfter: null,
    };
    // Only the jobs know where the plan file lies: they annotate it themselves.
    const theirs = annotationsOf(report).filter(({ path }) => path !== report.planFile);
    const { shown, hidden } = limited(theirs, { total: ANNOTATIONS_PER_CHECK });
    const note = hiddenLine(hidden);
    const result = await check.conclude(
      conclusionOf(summary.verdict),
      { ...checkOutput(report, note === null ? [] : [note]), actions: [] },
      shown.map(checkAnnotation),
      AbortSignal.any([this.#stop.signal, AbortSignal.timeout(CONCLUDE_MS)]),
      mayBeSent,
    );
    assertConcluded(result);
  }

  /** Then somebody else shows it. */
  #isOthers(error: unknown): boolean {
    return this.#stop.signal.aborted || error instanceof Refusal || error instanceof Elsewhere;
  }

  #failed(error: unknown): void {
    if (!this.#isOthers(error)) this.#options.onError(error, `the check run of run ${this.#run.id}`);
  }
}

class NotShown extends Error {
  override readonly name = "NotShown";
  readonly failure: RequestFailure;

  constructor(what: "opened" | "concluded", failure: RequestFailure) {
    super(`the check run could not be ${what}: ${failure.message}`);
    this.failure = failure;
  }
}

/** @throws NotShown when GitHub has not taken it */
export function assertConcluded({ concluded: isTaken, failure }: Awaited<ReturnType<LiveCheck["conclude"]>>): void {
  if (!isTaken && failure !== null) throw new NotShown("concluded", failure);
}

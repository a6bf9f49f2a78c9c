/**
 * Shows each group's run as one check run on its commit: how far it is and what it waits for while it goes on, the
 * merged result when it is over. Only what is kept is shown, and only by whoever has the run.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { GroupRun } from "../../src/coordinator/hosting/group-run.ts";
import { Refusal } from "../../src/coordinator/protocol/refusal.ts";
import { Elsewhere, type OwnedRun } from "../../src/coordinator/replicas/owners.ts";
import type { CheckTarget, CheckText } from "../../src/github/checks/check-run.ts";
import { LiveCheck, openCheck, type Pace } from "../../src/github/checks/checks.ts";
import type { GitHubClient } from "../../src/github/port.ts";
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
const CONCLUDE_MS = 60_000;

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

export class RunChecks {
  readonly #options: RunChecksOptions;
  readonly #shown = new Map<string, RunCheck>();

  constructor(options: RunChecksOptions) {
    this.#options = options;
  }

  /** Shows where a run is: opens, updates or concludes its check run. `place`: null when the store knows it. */
  update(run: GroupRun, place: RunPlace | null): void {
    this.#checkOf(run, place, false).update();
  }

  /** Says something beside what follows from the run's state, while it waits. Plain text. */
  tell(run: GroupRun, text: string): void {
    this.#checkOf(run, null, false).tell(text);
  }

  /** The same of a run that another process had before: it may have shown it. */
  taken(run: GroupRun): void {
    this.#checkOf(run, null, true).update();
  }

  /** Another process shows it from now on. */
  lost(run: GroupRun): void {
    this.#shown.get(run.id)?.close();
    this.#shown.delete(run.id);
  }

  /** Resolves when the end of a run is shown, or cannot be. Rejects when another process is to show it. */
  async concluded(run: GroupRun): Promise<void> {
    await this.#shown.get(run.id)?.concluded();
  }

  #checkOf(run: GroupRun, place: RunPlace | null, wasTaken: boolean): RunCheck {
    const known = this.#shown.get(run.id);
    if (known !== undefined) return known;
    const over = (): void => {
      if (this.#shown.get(run.id) === shown) this.#shown.delete(run.id);
    };
    const shown = new RunCheck(run, { ...this.#options, place, wasTaken, over });
    this.#shown.set(run.id, shown);
    return shown;
  }

  /** Ends the check run of a run that cannot be gone on with. @throws why it cannot be concluded */
  async unreadable(run: string, why: string): Promise<void> {
    const { store, client, pace } = this.#options;
    const known = runNote.safeParse(await store.note(run));
    if (!known.success || known.data.checkId === null) return;
    const { repository, installationId, checkId: id, url } = known.data;
    const [owner = "", repo = ""] = repository.split("/");
    const check = new LiveCheck(await client(installationId), { owner, repo }, { id, url }, pace);
    const summary = `The coordinator was started anew and cannot go on with this run: ${markdown(why)}. Its agents end. Run the workflow again.`;
    const text = { title: "the run cannot be gone on with", summary, text: null, actions: [] };
    concluded(await check.conclude("failure", text, [], AbortSignal.timeout(CONCLUDE_MS)));
  }

  /** Resolves when nothing is on its way any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#shown.values()].map((shown) => shown.settled()));
  }

  close(): void {
    for (const shown of this.#shown.values()) shown.close();
  }
}

interface RunCheckOptions extends RunChecksOptions {
  readonly place: RunPlace | null;
  readonly wasTaken: boolean;
  readonly over: () => void;
}

class RunCheck {
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

  constructor(run: GroupRun, options: RunCheckOptions) {
    this.#run = run;
    this.#place = options.place;
    this.#options = options;
  }

  update(): void {
    if (this.#ending !== null || this.#stop.signal.aborted) return;
    if (this.#run.host.isOver) {
      this.#ending = this.#conclude().catch((error: unknown) => this.#failed(error));
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
    await this.#ending;
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
    const { store, pace, wasTaken } = this.#options;
    await this.#mayShow();
    const known = runNote.safeParse(await store.note(this.#run.id));
    if (known.success) this.#place = known.data;
    const place = this.#place;
    if (place === null) return null;
    if (!known.success) {
      // Only the job that began the run said it: whoever goes on with the run could not show it.
      await this.#keep({ ...place, headSha: null, pulls: [], checkId: null, url: null });
    }
    const client = await this.#options.client(place.installationId);
    const target = await this.#target(client, place);
    const note = await this.#noteOf(place, target.headSha, known.data ?? null);
    this.#pulls = note.pulls;
    if (known.success && known.data.checkId !== null) {
      return new LiveCheck(client, target, { id: known.data.checkId, url: known.data.url }, pace);
    }
    const opened = await openCheck(client, target, this.#progress(), pace, this.#stop.signal, wasTaken);
    if (!opened.opened) throw new Error(`the check run could not be opened: ${opened.failure.message}`);
    const { id, url } = opened.check.handle;
    await this.#keep({ ...note, checkId: id, url });
    return opened.check;
  }

  /** Where the run belongs, kept before anything is shown: what waits for a person is found by it. */
  async #noteOf(place: RunPlace, headSha: string, known: RunNote | null): Promise<RunNote> {
    if (known !== null && known.headSha !== null) return known;
    const { key } = this.#run;
    const { repository, installationId } = place;
    const pulls = [...(await this.#options.pullsOf(Number(key.repositoryId), key.runId, headSha))];
    const about = { checkId: known?.checkId ?? null, url: known?.url ?? null };
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

  async #conclude(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    try {
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
        this.#options.wasTaken,
      );
      concluded(result);
    } finally {
      this.#options.over();
    }
  }

  #failed(error: unknown): void {
    // Then somebody else shows it, or it is shown later: whoever keeps the run says why.
    if (this.#stop.signal.aborted || error instanceof Refusal || error instanceof Elsewhere) return;
    this.#options.onError(error, `the check run of run ${this.#run.id}`);
  }
}

/** @throws when GitHub has not taken it */
function concluded({ concluded: isTaken, failure }: Awaited<ReturnType<LiveCheck["conclude"]>>): void {
  if (!isTaken) throw new Error(`the check run could not be concluded: ${failure?.message ?? ""}`);
}

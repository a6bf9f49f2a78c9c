/**
 * Shows each group's run as one check run on its commit: how far it is and what it waits for while it goes on, the
 * merged result when it is over.
 */
import type { GroupRun } from "../../src/coordinator/hosting/group-run.ts";
import type { CheckTarget, CheckText } from "../../src/github/checks/check-run.ts";
import { LiveCheck, openCheck, type Pace } from "../../src/github/checks/checks.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { readRunHead } from "../../src/github/workflows/workflows.ts";
import { orList } from "../../src/lifecycle/evaluation/permissions.ts";
import { runButtons } from "../../src/lifecycle/presentation/run-buttons.ts";
import {
  ANNOTATIONS_PER_CHECK,
  annotationsOf,
  checkAnnotation,
  hiddenLine,
  limited,
} from "../../src/report/annotations.ts";
import { checkOutput, conclusionOf, progressOutput } from "../../src/report/check.ts";
import { clip, markdown } from "../../src/report/escape.ts";
import { count, duration } from "../../src/report/format.ts";
import type { RunReport } from "../../src/report/report.ts";
import { type AskedApproval, askedApproval } from "../../src/run/checkpoints/decisions.ts";
import { type Explanation, explain } from "../../src/run/machine.ts";
import type { AppRunStore } from "../store/model.ts";
import { type RunNote, type RunPlace, runNote } from "./note.ts";

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
    this.#of(run, place).update();
  }

  /** Says something beside what follows from the run's state, while it waits. Plain text. */
  tell(run: GroupRun, text: string): void {
    this.#of(run, null).tell(text);
  }

  #of(run: GroupRun, place: RunPlace | null): RunCheck {
    let shown = this.#shown.get(run.id);
    if (shown === undefined) {
      shown = new RunCheck(run, place, this.#options, () => this.#shown.delete(run.id));
      this.#shown.set(run.id, shown);
    }
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

class RunCheck {
  readonly #run: GroupRun;
  readonly #options: RunChecksOptions;
  readonly #over: () => void;
  readonly #stop = new AbortController();
  #place: RunPlace | null;
  #check: Promise<LiveCheck | null> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #shownSteps = 0;
  #pulls: readonly number[] = [];
  #ending: Promise<void> | null = null;
  #remarks: readonly string[] = [];

  constructor(run: GroupRun, place: RunPlace | null, options: RunChecksOptions, over: () => void) {
    this.#run = run;
    this.#place = place;
    this.#options = options;
    this.#over = over;
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
    this.#remarks = [...this.#remarks, `${time(this.#run.host.now)}: ${text}`].slice(-MOST_REMARKS);
    if (this.#ending === null && !this.#stop.signal.aborted) this.#show();
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
    void this.#check.then(
      (check) => {
        if (!this.#run.host.isOver) check?.update(this.#progress());
      },
      (error: unknown) => {
        this.#failed(error);
        // The next look tries again.
        this.#check = null;
      },
    );
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
    const known = runNote.safeParse(await store.note(this.#run.id));
    if (known.success) this.#place = known.data;
    const place = this.#place;
    if (place === null) return null;
    const client = await this.#options.client(place.installationId);
    const target = await this.#target(client, place);
    const note = await this.#noteOf(place, target.headSha, known.data ?? null);
    this.#pulls = note.pulls;
    if (known.success && known.data.checkId !== null) {
      return new LiveCheck(client, target, { id: known.data.checkId, url: known.data.url }, pace);
    }
    const opened = await openCheck(client, target, this.#progress(), pace, this.#stop.signal);
    if (!opened.opened) throw new Error(`the check run could not be opened: ${opened.failure.message}`);
    const { id, url } = opened.check.handle;
    await store.setNote(this.#run.id, { ...note, checkId: id, url });
    return opened.check;
  }

  /** Where the run belongs, kept before anything is shown: what waits for a person is found by it. */
  async #noteOf(place: RunPlace, headSha: string, known: RunNote | null): Promise<RunNote> {
    if (known !== null && known.headSha !== null) return known;
    const { key, id } = this.#run;
    const { repository, installationId } = place;
    const pulls = [...(await this.#options.pullsOf(Number(key.repositoryId), key.runId, headSha))];
    const about = { checkId: known?.checkId ?? null, url: known?.url ?? null };
    const note = { repository, installationId, headSha, pulls, ...about };
    await this.#options.store.setNote(id, note);
    return note;
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
      );
      concluded(result);
    } finally {
      this.#over();
    }
  }

  #failed(error: unknown): void {
    this.#options.onError(error, `the check run of run ${this.#run.id}`);
  }
}

/** @throws when GitHub has not taken it */
function concluded({ concluded: isTaken, failure }: Awaited<ReturnType<LiveCheck["conclude"]>>): void {
  if (!isTaken) throw new Error(`the check run could not be concluded: ${failure?.message ?? ""}`);
}

/** How the wait for a person is ended, and by whom. Markdown. */
function howToDecide({ by, until }: AskedApproval, pulls: readonly number[]): string {
  const who = by.length === 0 ? "someone with write permission" : orList(by);
  const on =
    pulls.length === 0 ? "" : ` in a comment on ${orList(pulls.slice(0, MOST_PULLS).map((number) => `#${number}`))}`;
  return [
    `**${markdown(clip(who, 2_000))}** may decide${until === null ? "" : ` until ${new Date(until).toISOString().slice(0, 16).replace("T", " ")} UTC`}:`,
    `- it goes on with the button *Continue*, or \`/stage continue [reason]\`${on}`,
    `- it ends with the button *Stop*, or \`/stage stop [reason]\`${on}`,
  ].join("\n");
}

const MOST_PULLS = 5;

/** Who waits for what, for whom, since when, what they were last seen doing, until when. */
function waitsText(waits: Explanation["waits"], now: number): string {
  const lines = waits.flatMap(({ text, waiting, who, more, since, until }) => [
    `- **${markdown(text)}**: ${count(waiting, "agent")} waiting since ${time(since)}, ${until === null ? "until a person decides" : `until ${time(until)} at the latest`}`,
    ...who.map(
      ({ agent, lastSeenAt, lastDoing }) =>
        `  - ${markdown(agent)}: ${lastSeenAt === null ? "not seen yet" : `last seen ${duration(Math.max(0, now - lastSeenAt))} ago`}, ${markdown(clip(lastDoing, 200))}`,
    ),
    ...(more > 0 ? [`  - and ${more} more`] : []),
  ]);
  return lines.slice(0, 500).join("\n");
}

function time(at: number): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`;
}

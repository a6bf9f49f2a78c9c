/**
 * Shows each group's run as one check run on its commit: how far it is and what it waits for while it goes on, the
 * merged result when it is over.
 */
import { z } from "zod";
import type { GroupRun } from "../../src/coordinator/hosting/group-run.ts";
import type { CheckTarget } from "../../src/github/checks/check-run.ts";
import { LiveCheck, openCheck, type Pace } from "../../src/github/checks/checks.ts";
import { githubId } from "../../src/github/id.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { readRunHead } from "../../src/github/workflows/workflows.ts";
import {
  ANNOTATIONS_PER_CHECK,
  annotationsOf,
  checkAnnotation,
  hiddenLine,
  limited,
} from "../../src/report/annotations.ts";
import { type CheckOutput, checkOutput, conclusionOf, progressOutput } from "../../src/report/check.ts";
import { clip, markdown } from "../../src/report/escape.ts";
import { count, duration } from "../../src/report/format.ts";
import type { RunReport } from "../../src/report/report.ts";
import { type Explanation, explain } from "../../src/run/machine.ts";
import type { AppRunStore } from "../store/model.ts";

/** Waits are shown at most this often; what ends or begins is shown at once. */
const EVERY_MS = 10_000;
const CONCLUDE_MS = 60_000;

/** Where a run's check run belongs. */
export interface RunPlace {
  /** owner/name */
  readonly repository: string;
  readonly installationId: number;
}

const noteSchema = z.object({
  repository: z.string(),
  installationId: z.number(),
  checkId: githubId.nullable(),
  url: z.string().nullable(),
});

export interface RunChecksOptions {
  readonly store: Pick<AppRunStore, "note" | "setNote">;
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
    let shown = this.#shown.get(run.id);
    if (shown === undefined) {
      shown = new RunCheck(run, place, this.#options, () => this.#shown.delete(run.id));
      this.#shown.set(run.id, shown);
    }
    shown.update();
  }

  /** Ends the check run of a run that cannot be gone on with. @throws why it cannot be concluded */
  async unreadable(run: string, why: string): Promise<void> {
    const { store, client, pace } = this.#options;
    const known = noteSchema.safeParse(await store.note(run));
    if (!known.success || known.data.checkId === null) return;
    const { repository, installationId, checkId: id, url } = known.data;
    const [owner = "", repo = ""] = repository.split("/");
    const check = new LiveCheck(await client(installationId), { owner, repo }, { id, url }, pace);
    const summary = `The coordinator was started anew and cannot go on with this run: ${markdown(why)}. Its agents end. Run the workflow again.`;
    const text = { title: "the run cannot be gone on with", summary, text: null };
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
  #ending: Promise<void> | null = null;

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

  #progress(): CheckOutput {
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
    return { ...output, text: waits.length === 0 ? null : waitsText(waits, host.now) };
  }

  async #open(): Promise<LiveCheck | null> {
    const { store, pace } = this.#options;
    const known = noteSchema.safeParse(await store.note(this.#run.id));
    if (known.success) this.#place = known.data;
    const place = this.#place;
    if (place === null) return null;
    const client = await this.#options.client(place.installationId);
    const target = await this.#target(client, place);
    if (known.success && known.data.checkId !== null) {
      return new LiveCheck(client, target, { id: known.data.checkId, url: known.data.url }, pace);
    }
    const opened = await openCheck(client, target, this.#progress(), pace, this.#stop.signal);
    if (!opened.opened) throw new Error(`the check run could not be opened: ${opened.failure.message}`);
    const { id, url } = opened.check.handle;
    await store.setNote(this.#run.id, { ...place, checkId: id, url });
    return opened.check;
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
        checkOutput(report, note === null ? [] : [note]),
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

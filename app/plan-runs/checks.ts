/**
 * Shows each group's run as one check run on its commit: how far it is and what it waits for while it goes on, the
 * merged result when it is over. Only what is kept is shown, and only by whoever has the run.
 */
import type { GroupRun } from "../../src/coordinator/hosting/group-run.ts";
import { LiveCheck } from "../../src/github/checks/checks.ts";
import { markdown } from "../../src/report/escape.ts";
import { type RunPlace, runNote } from "./note.ts";
import { assertConcluded, CONCLUDE_MS, RunCheck, type RunChecksOptions } from "./run-check.ts";

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

  /** Resolves when the end of a run is shown, or is not to be. Rejects when it is to be shown later, or by another process. */
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
    assertConcluded(await check.conclude("failure", text, [], AbortSignal.timeout(CONCLUDE_MS)));
  }

  /** Resolves when nothing is on its way any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#shown.values()].map((shown) => shown.settled()));
  }

  close(): void {
    for (const shown of this.#shown.values()) shown.close();
  }
}

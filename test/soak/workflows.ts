/** Plays GitHub Actions for the workflows that the app starts: each run goes on for a while and ends well. */
import { addJob, completeRun, jobsOf, updateJob, type WorkflowRun } from "../../src/sandbox/world/index.ts";
import { QA, type SoakTown } from "./town.ts";

const LASTS_MS = [300, 2_000] as const;

export class StartedWorkflows {
  readonly #town: SoakTown;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(town: SoakTown) {
    this.#town = town;
    town.sandbox.world.changes.record((change) => {
      if (change.kind === "workflow_run" && change.action === "requested" && isQa(change.run)) this.#begin(change.run);
    });
  }

  /** Runs that were started with one key, for each key. */
  byKey(): ReadonlyMap<string, readonly WorkflowRun[]> {
    return Map.groupBy([...this.#town.sandbox.world.runs.values()].filter(isQa), keyOf);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #begin(run: WorkflowRun): void {
    const { world } = this.#town.sandbox;
    run.displayTitle = `QA (${keyOf(run)})`;
    const [least, most] = LASTS_MS;
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        // The app may have cancelled it meanwhile.
        if (run.status === "completed") return;
        const job = addJob(world, run, { key: "qa", name: "qa", labels: [] });
        updateJob(world, job, { status: "in_progress" });
        for (const each of jobsOf(world, run)) updateJob(world, each, { status: "completed", conclusion: "success" });
        completeRun(world, run, "success");
      },
      least + (Number(run.id) % (most - least)),
    );
    this.#timers.add(timer);
  }
}

function isQa({ path }: WorkflowRun): boolean {
  return path.endsWith(`/${QA}`);
}

function keyOf({ inputs }: WorkflowRun): string {
  return inputs.stagewright_key ?? "";
}

/** The files that stages keep (`collect`): where they lie, and what has to be done for them to outlive the job. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AgentEvent } from "../../agent/log.ts";
import type { Plan } from "../../plan/plan.ts";
import { unguessable } from "../../random.ts";
import { CollectedParts, collectedPart } from "../../report/record/collected.ts";
import type { Entry } from "../entry.ts";

export class CollectedFiles {
  /** Made when there is something to keep; null: no stage asks for it. */
  readonly folder: string | null;
  /** What is kept in it so far. */
  readonly parts = new CollectedParts();
  readonly #entry: Pick<Entry, "console" | "files" | "masks">;
  #isTold = false;

  /** @param temporary where the runner has its temporary files, which it removes when the job is over */
  constructor(plan: Plan, temporary: string, entry: Pick<Entry, "console" | "files" | "masks">) {
    const keeps = plan.stages.some(({ collect }) => collect !== undefined);
    this.folder = keeps ? join(temporary, `stagewright-collected-${unguessable()}`) : null;
    this.#entry = entry;
  }

  /** The output is written with the first files: a step that is killed has it, too. */
  follow(event: AgentEvent): void {
    if (event.kind !== "collected" || this.folder === null) return;
    this.parts.add(collectedPart(event, this.#entry.masks));
    if (event.kept.length === 0 || this.#isTold) return;
    this.#isTold = true;
    this.#entry.files.output("collected", this.folder);
  }

  tell(): void {
    if (this.#isTold && this.folder !== null) this.#entry.console.text(whereKept(this.folder));
  }
}

/** Of an interrupted step, in its post step. */
export function tellCollected(folder: string | null, console: Pick<Entry["console"], "text">): void {
  if (folder !== null && existsSync(folder)) console.text(whereKept(folder));
}

function whereKept(folder: string): string {
  return (
    `⚠ the files that stages kept are in ${folder}, which goes with the job: they are not uploaded by this step; ` +
    "a later one with `uses: actions/upload-artifact`, `if: always()` and `path: ${{ steps.<id>.outputs.collected }}` does it"
  );
}

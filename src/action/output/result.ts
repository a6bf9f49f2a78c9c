/**
 * What came of the run, where it needs nobody's answer: the file of results and the outputs. May be told again when
 * more is known: of each output the last value counts, and the file is written anew.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unguessable } from "../../random.ts";
import { clip, oneLine } from "../../report/escape.ts";
import { resultJson } from "../../report/record/json.ts";
import type { RunReport } from "../../report/report.ts";
import type { Entry } from "../entry.ts";

export class StepResult {
  readonly #entry: Pick<Entry, "console" | "files">;
  readonly #file: string;
  #told: RunReport | null = null;

  /** @param directory where the file of results is put */
  constructor(directory: string, entry: Pick<Entry, "console" | "files">) {
    this.#entry = entry;
    this.#file = join(directory, `stagewright-results-${unguessable()}.json`);
  }

  /** What was told last; null: nothing yet. */
  get told(): RunReport | null {
    return this.#told;
  }

  /** `excluded`: why this agent was left out of its group's run; null: it was not. */
  tell(report: RunReport, excluded: string | null): void {
    this.#told = report;
    const { files } = this.#entry;
    const { summary } = report;
    const written = this.#write(report);
    files.output("result", excluded === null ? summary.verdict : "excluded");
    const message = excluded === null ? summary.message : `this agent was excluded: ${excluded}; ${summary.message}`;
    files.output("message", clip(oneLine(message), 4000));
    files.output("failed-stage", summary.failedStage ?? "");
    files.output("results-file", written ? this.#file : "");
  }

  /** What came of the run is told in the other places, too: that this file is missing does not change it. */
  #write(report: RunReport): boolean {
    try {
      writeFileSync(this.#file, resultJson(report), { mode: 0o600 });
      return true;
    } catch (error) {
      rmSync(this.#file, { force: true });
      const why = error instanceof Error ? error.message : String(error);
      this.#entry.console.warning(`results-file: ${this.#file}: ${why}`);
      return false;
    }
  }
}

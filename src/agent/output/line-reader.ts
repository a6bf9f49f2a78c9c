/** Takes the output of a command line by line: workflow commands are followed, everything is masked before anybody sees it. */
import type { Json, PlanStage } from "../../plan/plan.ts";
import type { AgentLog } from "../log.ts";
import { type Masks, TOO_MANY_MASKS } from "../masking/masks.ts";
import type { BallotReader } from "./ballot-reader.ts";
import { printableLine, shortened } from "./lines.ts";
import type { AttemptRecord } from "./record.ts";
import type { Listing } from "./task-list.ts";
import { CommandReader } from "./workflow-commands.ts";

export interface LineReaderOptions {
  readonly stage: PlanStage;
  readonly task: string | null;
  readonly masks: Masks;
  readonly log: AgentLog;
  /** False: what it prints is told to nobody. */
  readonly tellsOutput: boolean;
  readonly record: AttemptRecord;
  /** What its standard output lists or votes, when that is its task. */
  readonly listing: Listing | null;
  readonly ballot: BallotReader | null;
  readonly onTasks: (values: readonly Json[]) => void;
  readonly warn: (text: string) => void;
}

/** A function that takes each line. */
export function lineReader(options: LineReaderOptions): (line: string, stream: "stdout" | "stderr") => void {
  const { stage, task, masks, log, tellsOutput, record, listing, ballot, onTasks, warn } = options;
  const masked = { stdout: masks.lines(), stderr: masks.lines() };
  // The two streams are read apart: a token of one must not stop the other.
  const readers = { stdout: new CommandReader(), stderr: new CommandReader() };
  const show = (raw: string, stream: "stdout" | "stderr"): void => {
    const line = shortened(printableLine(masked[stream](raw)));
    record.tail.push(line);
    log({ kind: "output", stage, task, stream, line });
  };
  return (raw, stream) => {
    const said = readers[stream].read(raw);
    if (listing !== null && stream === "stdout" && said === null) {
      const known = listing.trouble;
      const values = listing.take(raw);
      if (values.length > 0) onTasks(values);
      const { trouble } = listing;
      // One bad line is seldom alone, and they all mean the same.
      if (trouble !== null && known === null) warn(`the task generator's output: ${trouble}`);
      return;
    }
    if (stream === "stdout" && said === null) ballot?.take(raw);
    switch (said?.kind) {
      case undefined:
        return show(raw, stream);
      case "mask":
        if (masks.add(said.value) === "just full") log({ kind: "warning", stage, text: TOO_MANY_MASKS });
        log({ kind: "mask", value: said.value });
        return;
      case "annotation":
        if (tellsOutput) record.annotate(said);
        return show(`${said.level}: ${said.message}`, stream);
      case "group":
        log({ kind: "group", stage, title: shortened(printableLine(masks.text(said.title))) });
        return;
      case "endgroup":
        log({ kind: "group", stage, title: null });
        return;
      case "debug":
        return;
      default:
        said satisfies never;
    }
  };
}

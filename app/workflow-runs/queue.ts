/** Whose turn it is: the line of starts of one workflow in one repository. Pure. */
import type { StartedRun } from "../store/model.ts";

export type Turn =
  | { readonly go: true }
  | {
      readonly go: false;
      /** Its place in the line, from 1. */
      readonly place: number;
      /** How many runs may go on at once; null: it waits for another reason. */
      readonly limit: number | null;
      /** Pull requests whose runs go on. */
      readonly running: readonly number[];
    };

/** `open`: all of the workflow's starts in this repository that have not ended, first come first. */
export function turnOf(start: StartedRun, open: readonly StartedRun[]): Turn {
  const busy = open.filter((each) => each.state === "sent" || each.state === "running");
  const ahead = open.filter((each) => each.state === "queued" && each.parked === "" && each.id < start.id);
  const running = busy.map((each) => each.number);
  const unknown = busy.some((each) => each.state === "sent");
  if (start.limit === null) {
    // One at a time is told which run it became: if an answer is lost, the run that appears belongs to it.
    return unknown ? { go: false, place: 1, limit: null, running } : { go: true };
  }
  const place = ahead.length + 1;
  const free = start.limit - busy.length;
  return place <= free && !unknown ? { go: true } : { go: false, place, limit: start.limit, running };
}

/** A newer entry into the stage has asked for the same workflow: this one's turn need not come any more. */
export function isReplaced(start: StartedRun, open: readonly StartedRun[]): boolean {
  return open.some(
    (each) =>
      each.id > start.id &&
      each.number === start.number &&
      each.stage === start.stage &&
      each.occasion !== start.occasion &&
      each.state === "queued",
  );
}

import { noteLine } from "../history.ts";
import { type RowChange, sooner } from "../pull-rows.ts";
import type { Pull } from "../store/store.ts";

/** The pull request is looked at now, and a move that was given up is tried again. */
export function unblocked(row: Pull, now: number): RowChange {
  const { blocked } = row;
  const pull = {
    ...row,
    lookAt: sooner(row.lookAt, now),
    blocked: blocked === null ? null : { ...blocked, until: now },
  };
  return { pull, history: blocked === null ? [] : [noteLine(row, "unblocked", "the move is tried again", now)] };
}

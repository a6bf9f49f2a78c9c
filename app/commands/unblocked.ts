import { type RowChange, sooner } from "../store/change-pull.ts";
import { noteLine } from "../store/history.ts";
import type { Pull } from "../store/model.ts";

/** The pull request is evaluated now, and a move that was given up is tried again. */
export function unblocked(row: Pull, now: number): RowChange {
  const { blocked } = row;
  const pull = {
    ...row,
    reevaluateAt: sooner(row.reevaluateAt, now),
    blocked: blocked === null ? null : { ...blocked, until: now },
  };
  return { pull, history: blocked === null ? [] : [noteLine(row, "unblocked", "the move is tried again", now)] };
}

import type { Contested, PullId } from "./model.ts";

/** Somebody else wrote the row meanwhile. Thrown inside a transaction, so that all of it is undone. */
export class RowConflict extends Error {
  override readonly name = "RowConflict";
  readonly what: Contested;
  readonly id: PullId;

  constructor(what: Contested, id: PullId) {
    super(`The row (${what}) of ${id.repositoryId}#${id.number} was changed meanwhile.`);
    this.what = what;
    this.id = id;
  }
}

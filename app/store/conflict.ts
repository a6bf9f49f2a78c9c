import type { PullId } from "./model.ts";

/** Somebody else wrote the row meanwhile. Thrown inside a transaction, so that all of it is undone. */
export class RowConflict extends Error {
  override readonly name = "RowConflict";
  readonly id: PullId;

  constructor(what: string, id: PullId) {
    super(`${what} of ${id.repositoryId}#${id.number} was changed meanwhile.`);
    this.id = id;
  }
}

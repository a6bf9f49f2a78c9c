/** Forgetting rows that are of no use any more. */
/** Each forgets at most `limit` rows (default 500), the oldest first, and resolves with how many it has forgotten. */
export interface RetentionStore {
  /** Closed pull requests to which nothing has happened since, with their history, unless something is still to be done. */
  pulls(closedBefore: number, limit?: number): Promise<number>;
  /** Effects that ended, of pull requests that are open still: all but the newest of each. */
  openEffects(doneBefore: number, limit?: number): Promise<number>;
  /** Lines of the history, whatever became of their pull request. */
  history(before: number, limit?: number): Promise<number>;
  /** Deliveries that could not be handled. */
  deadDeliveries(receivedBefore: number, limit?: number): Promise<number>;
  /** All that is known of a repository where the app is not installed: at most `limit` rows of each kind, and with the last ones the repository itself. */
  repository(id: number, limit?: number): Promise<number>;
  /** Repositories on which the app is not installed. */
  uninstalled(): Promise<readonly number[]>;
}

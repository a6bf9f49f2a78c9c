/** How much there is of everything. */
import type { PullId } from "./pulls.ts";
import type { Repository } from "./repositories.ts";

/** Of repositories on which the app is installed, where they are about pull requests. */
export interface Counts {
  /** Open pull requests; stage null: in none. Largest first. */
  readonly stages: readonly { readonly stage: string | null; readonly count: number }[];
  readonly overdue: number;
  readonly blocked: number;
  /** Decided moves that are not confirmed yet. */
  readonly moving: number;
  readonly deliveries: { readonly pending: number; readonly dead: number; readonly oldestPendingAt: number | null };
  /** `parked`: waits for its time; `dead`: given up. */
  readonly effects: { readonly due: number; readonly parked: number; readonly dead: number };
  /** Workflow runs that were started and have not ended, by state. */
  readonly starts: readonly { readonly state: string; readonly count: number }[];
  /** Jobs that wait for an environment. */
  readonly gates: number;
}

export interface Overdue extends PullId {
  readonly owner: Repository["owner"];
  readonly name: Repository["name"];
  readonly title: string;
  readonly stage: string | null;
  readonly since: number | null;
  readonly dueAt: number;
}

/** Where a page ends: the next begins after it. */
export interface OverdueCursor extends PullId {
  readonly dueAt: number;
}

export interface CountStore {
  all(now: number): Promise<Counts>;
  /** Open, not on hold, and due before now; the longest due first. */
  overdue(now: number, limit: number, after?: OverdueCursor): Promise<readonly Overdue[]>;
}

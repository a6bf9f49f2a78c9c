/** Repositories that the app has heard of, and when each is swept. */
/** Null: of none. */
export type InstallationId = number | null;

export interface Repository {
  readonly id: number;
  /** GraphQL node id. */
  readonly nodeId: string;
  /** Null: the app is not installed there (any more), or no delivery has said so yet. A pull request's own is the same. */
  readonly installationId: number | null;
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch: string;
  readonly private: boolean;
}

/** A repository whose sweep is due. */
export interface DueSweep {
  readonly repository: Repository;
  /** Grows with each request: it is not answered by a sweep that had begun before. */
  readonly generation: number;
  /** How often in a row it could not be swept. */
  readonly failures: number;
}

/** When the next sweep is: what happened there meanwhile says which. */
export interface NextSweep {
  readonly failures: number;
  /** Something has happened there since then. */
  readonly activeSince: number;
  readonly activeAt: number;
  readonly idleAt: number;
}

export interface SweepStore {
  /** Null: the repository is not known. */
  of(repositoryId: number): Promise<DueSweep | null>;
  /** To be swept then or before; what is being swept just now, once more. */
  request(repositoryIds: readonly number[], at: number): Promise<void>;
  /** Something happened there, or was missed: swept next at `due` or before. */
  noteActivity(repositoryId: number, at: number, due: number): Promise<void>;
  /** After a sweep. What was requested since it was read stays due. */
  settle(sweep: DueSweep, next: NextSweep): Promise<void>;
  /** When what rests on people there is evaluated again; null: nobody has said. */
  peopleAt(repositoryId: number): Promise<number | null>;
  setPeopleAt(repositoryId: number, at: number | null): Promise<void>;
}

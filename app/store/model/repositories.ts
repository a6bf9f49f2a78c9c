/** Repositories that the app has heard of. */
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

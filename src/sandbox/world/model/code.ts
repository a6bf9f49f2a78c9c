/** Repositories and what is in them. Commits hold whole trees: the sandbox's repositories are small. */
import type { RepositoryPermission } from "./people.ts";
import type { MergeMethod, PullRequest } from "./pulls.ts";

export interface File {
  readonly bytes: Buffer;
  readonly executable: boolean;
}

export type Tree = ReadonlyMap<string, File>;

export interface Commit {
  /** Git's own hash of the commit object. */
  readonly sha: string;
  readonly nodeId: string;
  readonly treeSha: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly authorId: number;
  readonly committerId: number;
  readonly at: number;
  readonly files: Tree;
}

export interface Label {
  readonly id: number;
  readonly nodeId: string;
  readonly repositoryId: number;
  name: string;
  color: string;
  description: string | null;
  readonly createdAt: number;
}

/** What must hold before a pull request into this branch may be merged. */
export interface BranchProtection {
  readonly requiredChecks: readonly { readonly context: string; readonly appId: number | null }[];
  readonly requiredApprovals: number;
}

export interface Environment {
  readonly id: number;
  readonly nodeId: string;
  readonly repositoryId: number;
  readonly name: string;
  readonly createdAt: number;
  /** Apps that must agree before a job with this environment starts. */
  readonly rules: { readonly id: number; readonly nodeId: string; readonly appId: number }[];
}

export interface Merging {
  autoMerge: boolean;
  /** Ways to merge that are allowed. */
  methods: readonly MergeMethod[];
  /** Branches into which only a merge queue merges. */
  readonly queues: Set<string>;
}

export interface Repository {
  readonly id: number;
  readonly nodeId: string;
  ownerId: number;
  name: string;
  description: string | null;
  readonly private: boolean;
  /** The repository that this is a fork of. */
  readonly parentId: number | null;
  defaultBranch: string;
  readonly createdAt: number;
  updatedAt: number;
  pushedAt: number;
  /** `refs/heads/main` -> commit sha; also `refs/tags/…`, `refs/pull/N/head` and `refs/pull/N/merge`. */
  readonly refs: Map<string, string>;
  readonly labels: Map<number, Label>;
  /** Account id -> permission; the owner needs no entry. */
  readonly collaborators: Map<number, RepositoryPermission>;
  /** Team id -> permission. */
  readonly teams: Map<number, RepositoryPermission>;
  readonly pulls: Map<number, PullRequest>;
  readonly environments: Map<string, Environment>;
  /** Branch name -> its protection. */
  readonly protections: Map<string, BranchProtection>;
  /** What the settings allow of merging. */
  readonly merging: Merging;
  nextNumber: number;
}

/** Commits as objects: made, read and edited, without any ref moving. */
import { invalid } from "../errors.ts";
import type { Account, Commit, File, Repository, Tree } from "../model/index.ts";
import { commit, register, type World } from "../world.ts";
import { commitSha, directoryOf, treeSha } from "./git.ts";

/** What a commit changes: path -> new content; null removes. A string is UTF-8. */
export type FileEdits = Readonly<
  Record<string, string | Buffer | { readonly content: string | Buffer; readonly executable: boolean } | null>
>;

/** A ref name, branch, tag, `refs/…` or sha -> sha. Null: there is none. */
export function resolveRef(world: World, repo: Repository, ref: string): string | null {
  for (const candidate of [ref, `refs/${ref}`, `refs/heads/${ref}`, `refs/tags/${ref}`]) {
    const sha = repo.refs.get(candidate);
    if (sha !== undefined) return sha;
  }
  if (/^[0-9a-f]{40}$/.test(ref)) return world.commits.has(ref) ? ref : null;
  if (/^[0-9a-f]{7,39}$/.test(ref)) for (const sha of world.commits.keys()) if (sha.startsWith(ref)) return sha;
  return null;
}

/** Content at a ref (default: the default branch). Null: no such ref or file. */
export function readFileAt(
  world: World,
  repo: Repository,
  path: string,
  ref: string = repo.defaultBranch,
): File | null {
  const sha = resolveRef(world, repo, ref);
  return sha === null ? null : (commit(world, sha).files.get(path) ?? null);
}

export interface NewCommit {
  readonly tree: Tree;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: Account;
}

/** Makes a commit object; no ref moves. */
export function makeCommit(world: World, input: NewCommit): Commit {
  const at = Math.floor(world.now() / 1000) * 1000;
  const tree = treeSha(directoryOf(input.tree));
  const author = `${input.author.name ?? input.author.login} <${emailOf(input.author)}>`;
  const sha = commitSha({ tree, parents: input.parents, author, at, message: input.message });
  const known = world.commits.get(sha);
  if (known !== undefined) return known;
  const made: Commit = {
    sha,
    nodeId: world.ids.node("Commit", sha),
    treeSha: tree,
    parents: input.parents,
    message: input.message,
    authorId: input.author.id,
    committerId: input.author.id,
    at,
    files: input.tree,
  };
  world.commits.set(sha, made);
  register(world, { type: "Commit", value: made });
  return made;
}

export function emailOf(who: Account): string {
  return who.email ?? `${who.id}+${who.login}@users.noreply.github.test`;
}

export function editTree(tree: Tree, edits: FileEdits): Tree {
  const files = new Map(tree);
  for (const [path, edit] of Object.entries(edits)) {
    if (
      path === "" ||
      path.startsWith("/") ||
      path.split("/").some((part) => part === "" || part === "." || part === "..")
    ) {
      throw invalid(`path ${JSON.stringify(path)} is not inside the repository`);
    }
    if (edit === null) files.delete(path);
    else if (typeof edit === "string" || Buffer.isBuffer(edit)) {
      files.set(path, { bytes: Buffer.from(edit), executable: files.get(path)?.executable ?? false });
    } else files.set(path, { bytes: Buffer.from(edit.content), executable: edit.executable });
  }
  return files;
}

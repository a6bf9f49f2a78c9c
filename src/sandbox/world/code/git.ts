/** Git's object hashes and the little of its arithmetic that pull requests need. */
import { createHash } from "node:crypto";
import type { Commit, File, Tree } from "../model/index.ts";
import type { World } from "../world.ts";

export const zeroSha = "0".repeat(40);

function objectSha(type: string, body: Buffer): string {
  return createHash("sha1").update(`${type} ${body.length}\0`).update(body).digest("hex");
}

export function blobSha(file: File): string {
  return objectSha("blob", file.bytes);
}

/** A directory of a tree: name -> file or directory. */
export type Directory = Map<string, File | Directory>;

export function directoryOf(files: Tree): Directory {
  const root: Directory = new Map();
  for (const [path, file] of files) {
    const parts = path.split("/");
    const name = parts.pop() ?? path;
    let here = root;
    for (const part of parts) {
      const next = here.get(part);
      if (next instanceof Map) here = next;
      else {
        const made: Directory = new Map();
        here.set(part, made);
        here = made;
      }
    }
    here.set(name, file);
  }
  return root;
}

export function treeSha(directory: Directory): string {
  const entries = [...directory].map(([name, entry]) =>
    entry instanceof Map
      ? { sort: `${name}/`, mode: "40000", name, sha: treeSha(entry) }
      : { sort: name, mode: entry.executable ? "100755" : "100644", name, sha: blobSha(entry) },
  );
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.sort), Buffer.from(b.sort)));
  const body = Buffer.concat(entries.flatMap((e) => [Buffer.from(`${e.mode} ${e.name}\0`), Buffer.from(e.sha, "hex")]));
  return objectSha("tree", body);
}

export function commitSha(parts: {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: string;
  readonly at: number;
  readonly message: string;
}): string {
  const who = `${parts.author} ${Math.floor(parts.at / 1000)} +0000`;
  const lines = [
    `tree ${parts.tree}`,
    ...parts.parents.map((p) => `parent ${p}`),
    `author ${who}`,
    `committer ${who}`,
    "",
    parts.message,
  ];
  return objectSha("commit", Buffer.from(lines.join("\n")));
}

/** The commit and all before it. */
export function ancestors(world: World, sha: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [sha];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...(world.commits.get(next)?.parents ?? []));
  }
  return seen;
}

/** The newest commit that both have, breadth first from `b`; null for unrelated histories. */
export function mergeBase(world: World, a: string, b: string): string | null {
  const known = ancestors(world, a);
  const seen = new Set<string>();
  let level = [b];
  while (level.length > 0) {
    const next: string[] = [];
    for (const sha of level) {
      if (known.has(sha)) return sha;
      if (seen.has(sha)) continue;
      seen.add(sha);
      next.push(...(world.commits.get(sha)?.parents ?? []));
    }
    level = next;
  }
  return null;
}

/** What `to` has and `from` has not, oldest first. */
export function commitsBetween(world: World, from: string, to: string): Commit[] {
  const known = ancestors(world, from);
  const found: Commit[] = [];
  const seen = new Set<string>();
  const visit = (sha: string): void => {
    if (known.has(sha) || seen.has(sha)) return;
    seen.add(sha);
    const commit = world.commits.get(sha);
    if (commit === undefined) return;
    for (const parent of commit.parents) visit(parent);
    found.push(commit);
  };
  visit(to);
  return found;
}

export interface FileChange {
  readonly path: string;
  readonly status: "added" | "modified" | "removed";
  readonly before: File | null;
  readonly after: File | null;
}

function sameFile(a: File | undefined, b: File | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.executable === b.executable && a.bytes.equals(b.bytes);
}

/** By path. Renames are seen as a removal and an addition. */
export function changedFiles(from: Tree, to: Tree): FileChange[] {
  const changes: FileChange[] = [];
  for (const path of [...new Set([...from.keys(), ...to.keys()])].sort()) {
    const before = from.get(path) ?? null;
    const after = to.get(path) ?? null;
    if (sameFile(before ?? undefined, after ?? undefined)) continue;
    changes.push({ path, before, after, status: before === null ? "added" : after === null ? "removed" : "modified" });
  }
  return changes;
}

/** A three-way merge, file by file: a file that both sides changed differently is a conflict. Null on conflict. */
export function mergeTrees(base: Tree, ours: Tree, theirs: Tree): Tree | null {
  const merged = new Map(ours);
  for (const change of changedFiles(base, theirs)) {
    const mine = ours.get(change.path);
    if (sameFile(mine, change.after ?? undefined)) continue;
    if (!sameFile(mine, change.before ?? undefined)) return null;
    if (change.after === null) merged.delete(change.path);
    else merged.set(change.path, change.after);
  }
  return merged;
}

/** Lines added and removed, by the longest common subsequence; whole-file counts beyond 2,000 lines. */
export function lineCounts(change: FileChange): { additions: number; deletions: number } {
  const lines = (file: File | null): string[] => {
    const text = file?.bytes.toString("utf8") ?? "";
    return text === "" ? [] : text.replace(/\n$/, "").split("\n");
  };
  const a = lines(change.before);
  const b = lines(change.after);
  if (a.length > 2000 || b.length > 2000) return { additions: b.length, deletions: a.length };
  let row = new Array<number>(b.length + 1).fill(0);
  for (const line of a) {
    const next = [0];
    for (const [j, other] of b.entries()) {
      next.push(line === other ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0));
    }
    row = next;
  }
  const common = row[b.length] ?? 0;
  return { additions: b.length - common, deletions: a.length - common };
}

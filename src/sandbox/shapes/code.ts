/** Refs, branches and files as REST shows them. */
import {
  blobSha,
  type Commit,
  commit,
  type Directory,
  directoryOf,
  type File,
  type Repository,
  treeSha,
  type World,
} from "../world/index.ts";
import { commitShape } from "./commits.ts";
import { repoApi, repoHtml } from "./urls.ts";

function refObject(world: World, repo: Repository, sha: string) {
  return { type: "commit", sha, url: repoApi(world, repo, `/git/commits/${sha}`) };
}

export function gitRef(world: World, repo: Repository, ref: string, sha: string) {
  const url = repoApi(world, repo, `/git/${ref}`);
  return { ref, node_id: world.ids.node("Ref", `${repo.id}:${ref}`), url, object: refObject(world, repo, sha) };
}

export function shortBranch(world: World, repo: Repository, name: string, sha: string) {
  return {
    name,
    commit: { sha, url: repoApi(world, repo, `/commits/${sha}`) },
    protected: repo.protections.has(name),
    protection: protectionOf(repo, name),
    protection_url: repoApi(world, repo, `/branches/${name}/protection`),
  };
}

function protectionOf(repo: Repository, name: string) {
  const protection = repo.protections.get(name);
  const checks = protection?.requiredChecks ?? [];
  return {
    enabled: protection !== undefined,
    required_status_checks: {
      enforcement_level: protection === undefined ? "off" : "non_admins",
      contexts: checks.map((check) => check.context),
      checks: checks.map((check) => ({ context: check.context, app_id: check.appId })),
    },
  };
}

export function branch(world: World, repo: Repository, name: string, sha: string) {
  const self = repoApi(world, repo, `/branches/${name}`);
  return {
    ...shortBranch(world, repo, name, sha),
    commit: commitShape(world, repo, commit(world, sha)),
    _links: { html: repoHtml(world, repo, `/tree/${name}`), self },
  };
}

function contentLinks(world: World, repo: Repository, path: string, ref: string, type: "file" | "dir", sha: string) {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const url = repoApi(world, repo, `/contents/${encoded}?ref=${encodeURIComponent(ref)}`);
  const gitUrl = repoApi(world, repo, `/git/${type === "file" ? "blobs" : "trees"}/${sha}`);
  const page = repoHtml(world, repo, `/${type === "file" ? "blob" : "tree"}/${ref}/${encoded}`);
  return {
    url,
    git_url: gitUrl,
    html_url: page,
    download_url: type === "file" ? repoHtml(world, repo, `/raw/${ref}/${encoded}`) : null,
    _links: { self: url, git: gitUrl, html: page },
  };
}

export function contentFile(world: World, repo: Repository, path: string, ref: string, file: File) {
  const sha = blobSha(file);
  return {
    type: "file",
    encoding: "base64",
    size: file.bytes.length,
    name: path.split("/").at(-1) ?? path,
    path,
    content: file.bytes.toString("base64").replace(/.{60}/g, "$&\n"),
    sha,
    ...contentLinks(world, repo, path, ref, "file", sha),
  };
}

export function contentDirectory(world: World, repo: Repository, path: string, ref: string, directory: Directory) {
  return [...directory].map(([name, entry]) => {
    const full = path === "" ? name : `${path}/${name}`;
    const isDirectory = entry instanceof Map;
    const sha = isDirectory ? treeSha(entry) : blobSha(entry);
    const type = isDirectory ? "dir" : "file";
    return {
      type,
      size: isDirectory ? 0 : entry.bytes.length,
      name,
      path: full,
      sha,
      ...contentLinks(world, repo, full, ref, type, sha),
    };
  });
}

/** Null: there is no such directory. */
export function findDirectory(at: Commit, path: string): Directory | null {
  let here = directoryOf(at.files);
  for (const part of path.split("/").filter((piece) => piece !== "")) {
    const next = here.get(part);
    if (!(next instanceof Map)) return null;
    here = next;
  }
  return here;
}
